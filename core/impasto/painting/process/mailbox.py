"""Messages of the parent, read by a thread while the main thread paints."""

from __future__ import annotations

import os
import queue
import threading
from typing import BinaryIO

import structlog
from pydantic import ValidationError

from impasto.messages import Cancel, Configure, DropTrial, Finish, Paint, Try, to_child

log = structlog.get_logger(__name__)


class Mailbox:
    """Jobs and trials in order, and what ends them early as soon as it comes."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._wanted: queue.SimpleQueue[Paint | Try] = queue.SimpleQueue()
        self._cancelled: set[str] = set()
        self._to_finish: set[str] = set()
        self._dropped: set[str] = set()
        self._listener = threading.Thread(target=self._listen, name="mailbox", daemon=True)

    def configuration(self) -> Configure:
        """The first message. Raises ValueError when the parent says something else."""
        first = to_child.validate_json(self._source.readline())
        if not isinstance(first, Configure):
            raise ValueError(f"the first message must be configure, not {first.kind}")
        return first

    def listen(self) -> None:
        """From here on the process ends when the parent closes its end."""
        self._listener.start()

    def next(self) -> Paint | Try:
        """Waits for a job or a trial."""
        return self._wanted.get()

    def is_empty(self) -> bool:
        """Whether there is nothing to be painted."""
        return self._wanted.empty()

    def is_cancelled(self, job_id: str) -> bool:
        return job_id in self._cancelled

    def is_to_finish(self, job_id: str) -> bool:
        return job_id in self._to_finish

    def is_dropped(self, trial_id: str) -> bool:
        return trial_id in self._dropped

    def _listen(self) -> None:
        for line in self._source:
            try:
                message = to_child.validate_json(line)
            except ValidationError as error:
                log.error("message_not_understood", problems=error.error_count())
                continue
            if isinstance(message, Paint):
                # The same job may come back to the same child, as after a lost lease.
                self._cancelled.discard(message.job_id)
                self._to_finish.discard(message.job_id)
            if isinstance(message, Paint | Try):
                self._wanted.put(message)
            elif isinstance(message, Cancel):
                self._cancelled.add(message.job_id)
            elif isinstance(message, Finish):
                self._to_finish.add(message.job_id)
            elif isinstance(message, DropTrial):
                self._dropped.add(message.trial_id)
        # The parent has closed the pipe or died: nobody will take the picture.
        os._exit(0)
