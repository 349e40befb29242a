"""What the bot relies on in an observer of jobs."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from impasto.jobs.job import ChosenStyle, Failure, Job, JobState, TelegramPicture


def make_job(state: JobState = JobState.ACCEPTED, **fields: Any) -> Job:
    """A job in a state, with what jobs in that state have."""
    if state in (JobState.FAILED, JobState.EXPLAINED):
        fields.setdefault("failure", Failure(code="painting_failed", sentence="It failed."))
    if state in (JobState.PAINTED, JobState.DELIVERED):
        fields.setdefault("seconds", 12.5)
    values: dict[str, Any] = {
        "person": 1,
        "chat": 1,
        "content": TelegramPicture(file_id="photo"),
        "styles": (ChosenStyle(preset="night"),),
        "state": state,
    }
    return Job(**{**values, **fields})


class ObserverConformance:
    """Inherit it and override the fixture `observer` with a plugin that has the hook
    `impasto_job_changed`."""

    @pytest.fixture
    def observer(self) -> Any:
        raise NotImplementedError("override the fixture `observer`")

    def test_is_a_plain_function(self, observer: Any) -> None:
        assert not inspect.iscoroutinefunction(observer.impasto_job_changed)

    @pytest.mark.parametrize("state", list(JobState))
    def test_takes_every_change_and_returns_nothing(self, observer: Any, state: JobState) -> None:
        facts = {"job": make_job(state), "change": state}
        wanted = inspect.signature(observer.impasto_job_changed).parameters
        given = {name: value for name, value in facts.items() if name in wanted}
        assert observer.impasto_job_changed(**given) is None
