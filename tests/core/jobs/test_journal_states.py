"""Whatever is asked of the journal, in whatever order and across restarts, it agrees with a model:
only allowed transitions happen, nobody gets ahead of their turn, no job is lost."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from impasto.contracts import LimitReached, Limits, Storage
from impasto.errors import InvalidTransition
from impasto.jobs.job import FOLLOWERS, ChosenStyle, Job, JobState, TelegramPicture
from impasto_sqlite import SqliteStorage

LIMIT = 3


class JournalAgainstModel(RuleBasedStateMachine):
    jobs = Bundle("jobs")

    def make_storage(self, folder: Path) -> Storage:
        """An empty one, not open yet."""
        return SqliteStorage(folder)

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.storage = self.make_storage(Path(self.folder.name))
        self.run(self.storage.open())
        self.model: dict[str, Job] = {}
        self.started: dict[str, int] = {}
        self.clock = 0

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.run(self.storage.close())
            self.runner.close()
            self.folder.cleanup()

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    @rule(target=jobs, person=st.integers(1, 3))
    def add(self, person: int) -> str:
        job = Job(
            person=person,
            chat=person,
            content=TelegramPicture(file_id="photo"),
            styles=(ChosenStyle(preset="wave"),),
        )
        unfinished = [
            other
            for other in self.model.values()
            if other.person == person and not other.state.is_final
        ]
        try:
            self.run(self.storage.journal.add(job, limits=Limits(unfinished=LIMIT)))
        except LimitReached:
            assert len(unfinished) >= LIMIT
        else:
            assert len(unfinished) < LIMIT
            self.model[job.id] = job
        return job.id

    @rule(job_id=jobs, to=st.sampled_from(JobState))
    def move(self, job_id: str, to: JobState) -> None:
        known = self.model.get(job_id)
        allowed = known is not None and to in FOLLOWERS[known.state]
        try:
            self.model[job_id] = self.run(self.storage.journal.move(job_id, to))
        except InvalidTransition:
            assert not allowed
        else:
            assert allowed

    @rule()
    def claim(self) -> None:
        expected = self.next_by_the_model()
        job = self.run(self.storage.journal.claim())
        assert (job.id if job else None) == (expected.id if expected else None)
        if job is not None:
            self.clock += 1
            self.started[job.id] = self.clock
            self.model[job.id] = job

    @rule()
    def restart(self) -> None:
        self.run(self.storage.close())
        self.run(self.storage.open())

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "model"):
            return
        journal = self.storage.journal
        for state in JobState:
            known = sum(job.state is state for job in self.model.values())
            assert self.run(journal.count(state)) == known
        for person in (1, 2, 3):
            unfinished = [
                job.id
                for job in self.model.values()
                if job.person == person and not job.state.is_final
            ]
            assert [job.id for job in self.run(journal.of_person(person))] == unfinished
        for job_id, job in self.model.items():
            assert self.run(journal.get(job_id)).state is job.state

    def next_by_the_model(self) -> Job | None:
        waiting = [job for job in self.model.values() if job.state is JobState.ACCEPTED]
        order = list(self.model)

        def turn(job: Job) -> tuple[int, int]:
            starts = [
                self.started.get(other.id, 0)
                for other in self.model.values()
                if other.person == job.person and other.state is not JobState.ACCEPTED
            ]
            return max(starts, default=0), order.index(job.id)

        return min(waiting, key=turn, default=None)


TestJournal = JournalAgainstModel.TestCase
TestJournal.settings = settings(
    max_examples=15,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
