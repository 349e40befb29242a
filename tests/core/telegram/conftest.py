"""A bot that talks to a playground over HTTP, with faults on the way, and a real journal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog
from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.utils.backoff import BackoffConfig

from impasto.jobs.store import JobStore
from impasto.settings import TelegramSettings
from impasto.telegram.pacing import MemoryBuckets, Pacing
from impasto_playground import Person, Playground
from impasto_sqlite import SqliteStorage

from .telegram_bench import Faults

QUICK = BackoffConfig(min_delay=0.001, max_delay=0.01, factor=2.0, jitter=0.0)


@pytest.fixture(autouse=True)
def _plain_logs() -> None:
    """structlog's default shows tracebacks with all local variables, which takes seconds each."""
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.dev.ConsoleRenderer()]
    )


@pytest.fixture(autouse=True)
def _quick_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("impasto.telegram.retry.BACKOFF", QUICK)


@pytest.fixture
async def playground() -> AsyncIterator[Playground]:
    async with Playground(port=0) as playground:
        yield playground


@pytest.fixture
async def alice(playground: Playground) -> AsyncIterator[Person]:
    async with Person(playground.url, user_id=1) as alice:
        yield alice


@pytest.fixture
async def faults() -> Faults:
    return Faults()


@pytest.fixture
async def bot(playground: Playground, faults: Faults) -> AsyncIterator[Bot]:
    session = AiohttpSession(api=TelegramAPIServer.from_base(playground.url))
    unhurried = TelegramSettings(messages_per_second=0, chat_messages_per_second=0)
    session.middleware(Pacing(MemoryBuckets(), unhurried))
    session.middleware(faults)
    bot = Bot(playground.token, session=session, default=DefaultBotProperties(parse_mode="HTML"))
    async with bot:
        yield bot


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    storage = SqliteStorage(tmp_path / "state")
    await storage.open()
    yield storage
    await storage.close()


@pytest.fixture
def store(storage: SqliteStorage) -> JobStore:
    return JobStore(storage.journal)
