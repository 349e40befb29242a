"""The full-quality file is sent by the machine that has it, once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from aiogram import Bot

from impasto.contracts import News
from impasto.jobs.job import ChosenStyle, Job, JobState, TelegramPicture
from impasto.jobs.store import JobStore
from impasto.telegram.full_quality import FullQuality
from impasto.telegram.persistent_calls import PersistentCalls
from impasto_playground import Person

from .telegram_bench import Faults, eventually, jpeg


@pytest.fixture
async def painted(store: JobStore, alice: Person, tmp_path: Path) -> Job:
    """A job whose file another process wants, with the picture on this disk."""
    await alice.send_text("/start")
    result = tmp_path / "result.jpg"
    result.write_bytes(jpeg())
    photo, style = TelegramPicture(file_id="photo"), ChosenStyle(preset="wave")
    job = Job(person=1, chat=1, content=photo, styles=(style,))
    await store.add(job)
    await store.move(job.id, JobState.RUNNING)
    return await store.move(job.id, JobState.PAINTED, result=result, file_caption="Wave")


async def test_news_that_come_twice_send_one_file(
    bot: Bot, store: JobStore, faults: Faults, painted: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def listen(hear: Callable[[News], None]) -> None:
        hear(News(painted, is_ours=True))
        hear(News(painted, is_ours=True))

    async def is_noted() -> bool:
        job = await store.journal.get(painted.id)
        return job is not None and job.file_id is not None and job.file_caption is None

    monkeypatch.setattr(store.journal, "listen", listen)
    full_quality = FullQuality(PersistentCalls(bot), store)
    store.observe(full_quality)
    await store.listen()
    await eventually(is_noted)
    await full_quality.close()
    assert faults.names().count("SendDocument") == 1
