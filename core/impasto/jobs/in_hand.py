"""The job a worker has in hand, and how it is stopped: before the child has it, or in the child."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from enum import Enum, auto
from typing import Any, TypeVar

from impasto.jobs.job import Job
from impasto.jobs.painter_process import PaintingChild
from impasto.messages import Cancel, Finish
from impasto.tasks import unless_set

T = TypeVar("T")

SECONDS_TO_STOP = 5.0
"""A child that does not stop painting within this time of a Cancel is killed."""


class Stop(Enum):
    """Why the job in hand is to be stopped."""

    TAKEN_AWAY = auto()  # cancelled or abandoned: the journal knows
    SHUTDOWN = auto()
    PUT_OFF = auto()  # the disk is full


class StopRequested(Exception):
    """The job in hand was stopped before the child had it."""


class InHand:
    """The job that is being worked on."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.stop: Stop | None = None
        self.stop_requested = asyncio.Event()
        self.is_hurried = False
        """It was to be finished early: what it took says nothing about whole paintings."""
        self.planned_steps = 0
        """As the child's last progress said."""
        self.child: PaintingChild | None = None
        """The child that paints it; None before Paint was sent."""
        self.kill_timer: asyncio.TimerHandle | None = None

    def request_stop(self, why: Stop) -> None:
        # The first reason stays, but what was taken away is never handed back.
        if self.stop is None or why is Stop.TAKEN_AWAY:
            self.stop = why
        if not self.stop_requested.is_set():
            self.stop_requested.set()
            self._tell_child()

    def hurry(self) -> None:
        """Has the picture finished as it is. Before the child paints there is none to keep."""
        if self.child is not None:
            self.is_hurried = True
            self.child.tell(Finish(job_id=self.job.id))

    def given_to(self, child: PaintingChild) -> None:
        self.child = child
        if self.stop_requested.is_set():
            self._tell_child()

    def taken_from_child(self) -> None:
        self.child = None
        if self.kill_timer is not None:
            self.kill_timer.cancel()

    def _tell_child(self) -> None:
        if self.child is not None:
            self.child.tell(Cancel(job_id=self.job.id))
            loop = asyncio.get_running_loop()
            self.kill_timer = loop.call_later(SECONDS_TO_STOP, self.child.kill_now)

    async def unless_stopped(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work` (not None), which is cancelled when a stop is requested.

        Raises:
            StopRequested: it was.
        """
        result = await unless_set(self.stop_requested, work)
        if result is None:
            raise StopRequested
        return result
