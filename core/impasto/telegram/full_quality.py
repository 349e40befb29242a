"""Pictures in full quality from the disk of this machine, where a bot on another one wants them."""

from __future__ import annotations

import asyncio

import structlog
from aiogram.methods import SendDocument
from aiogram.types import FSInputFile

from impasto.jobs.job import Job
from impasto.jobs.store import JobObserver, JobStore
from impasto.telegram.persistent_calls import (
    ChatMoved,
    MessageGone,
    PersistentCalls,
    PersonGone,
    Refused,
)

log = structlog.get_logger(__name__)


class FullQuality(JobObserver):
    """Sends a file where one is wanted, if it is here."""

    def __init__(self, line: PersistentCalls, store: JobStore) -> None:
        self._line = line
        self._store = store
        self._sending: dict[str, asyncio.Task[None]] = {}

    async def close(self) -> None:
        tasks = list(self._sending.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def file_wanted(self, job: Job) -> None:
        # News of a job come more than once while its file is on the way: a second tap, say.
        if job.id not in self._sending:
            task = asyncio.create_task(self._send(job))
            self._sending[job.id] = task
            task.add_done_callback(lambda _: self._sending.pop(job.id))

    async def _send(self, job: Job) -> None:
        result = job.result
        if result is None or not await asyncio.to_thread(result.is_file):
            return
        method = SendDocument(
            chat_id=job.chat,
            document=FSInputFile(result, filename=f"impasto-{job.label}{result.suffix}"),
            caption=job.file_caption,
            disable_content_type_detection=True,
        )
        try:
            sent = await self._line.insist(method)
            if sent is not None and sent.document is not None:
                file_id = sent.document.file_id
                await self._store.note(job.id, file_id=file_id, file_caption=None)
        except (PersonGone, ChatMoved, MessageGone, Refused) as refusal:
            log.info("file_not_sent", job=job.id, why=str(refusal))
        except Exception:
            log.exception("file_not_sent", job=job.id)
