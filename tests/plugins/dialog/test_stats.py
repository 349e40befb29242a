"""/stats tells owners how the bot is getting on, and nobody else."""

from __future__ import annotations

import pytest

from impasto.jobs.job import JobState
from impasto_playground import Person

from .dialog_kit import RecordingJobService, says

pytestmark = pytest.mark.usefixtures("bot")


async def test_an_owner_sees_what_is_going_on(
    alice: Person, job_service: RecordingJobService
) -> None:
    job_service.owners = frozenset({1})
    job_service.counts = {JobState.ACCEPTED: 7, JobState.DELIVERED: 41, JobState.EXPLAINED: 2}
    await alice.send_text("/stats")
    told = await alice.wait_for(says("7"))
    assert "41" in (told.text or "")
    assert "not known yet" in (told.text or ""), "nothing was painted, so there is no pace"


async def test_it_speaks_the_owners_language(
    boris: Person, job_service: RecordingJobService
) -> None:
    job_service.owners = frozenset({2})
    await boris.send_text("/stats")
    await boris.wait_for(says("ждут"))


async def test_others_are_told_nothing(alice: Person, job_service: RecordingJobService) -> None:
    job_service.counts = {JobState.ACCEPTED: 7}
    sent = await alice.send_text("/stats")
    answer = await alice.wait_for(lambda m: m.text, after=sent.message_id)
    assert "7" not in (answer.text or "")
