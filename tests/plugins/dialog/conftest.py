"""The conversation over the playground: real bot and dispatcher, a job service without workers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.fsm.storage.memory import MemoryStorage, SimpleEventIsolation
from PIL import Image

from impasto import ChatCommand, StylePreset
from impasto.settings import Settings
from impasto_dialog import build_router
from impasto_dialog.commands import own_commands
from impasto_playground import Person, Playground

from .dialog_kit import RecordingJobService
from .feeder import Feeder

PLUGINS_COMMANDS = [
    ChatCommand(name="random", descriptions={"en": "Any style & all", "ru": "Любой стиль"}),
    ChatCommand(name="audit", descriptions={"en": "For owners"}, people="owners"),
]
"""As another plugin would offer them."""


@pytest.fixture(scope="session")
def presets(tmp_path_factory: pytest.TempPathFactory) -> list[StylePreset]:
    folder = tmp_path_factory.mktemp("presets")
    titles = {
        "night": ("Starry night", "Звёздная ночь"),
        "wave": ("Woodblock wave", "Волна, гравюра"),
        "glass": ("Stained glass", "Витраж"),
    }
    for name in titles:
        Image.effect_noise((90, 90), 80).convert("RGB").save(folder / f"{name}.png")
    return [
        StylePreset(
            name=name,
            titles={"en": english, "ru": russian},
            picture=folder / f"{name}.png",
            credit="Somebody",
            licence="CC0-1.0",
        )
        for name, (english, russian) in titles.items()
    ]


@pytest.fixture
def job_service(presets: list[StylePreset]) -> RecordingJobService:
    return RecordingJobService(presets)


@pytest.fixture
def album_wait_s() -> float:
    """So long that the second picture always comes before; tests of the timer choose another."""
    return 3600


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def dispatcher(
    job_service: RecordingJobService, album_wait_s: float, settings: Settings
) -> Dispatcher:
    dispatcher = Dispatcher(
        storage=MemoryStorage(),
        events_isolation=SimpleEventIsolation(),
        job_service=job_service,
        settings=settings,
        chat_commands=[*own_commands(), *PLUGINS_COMMANDS],
    )
    dispatcher.include_router(build_router(album_wait_s=album_wait_s))
    return dispatcher


@pytest.fixture
async def feeder(dispatcher: Dispatcher) -> AsyncIterator[Feeder]:
    yield Feeder(dispatcher)
    await dispatcher.emit_shutdown()


@pytest.fixture
async def playground() -> AsyncIterator[Playground]:
    async with Playground(port=0) as playground:
        yield playground


@pytest.fixture
async def bot(playground: Playground, dispatcher: Dispatcher) -> AsyncIterator[Bot]:
    """The bot, polling the playground."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(playground.url))
    async with Bot(playground.token, session=session) as bot:
        polling = asyncio.create_task(
            dispatcher.start_polling(
                bot, handle_signals=False, handle_as_tasks=False, polling_timeout=1
            )
        )
        yield bot
        polling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await polling
        # aiogram's own closing waits a quarter of a second for connections with TLS.
        await (await session.create_session()).close()


@pytest.fixture
async def alice(playground: Playground, bot: Bot) -> AsyncIterator[Person]:
    async with Person(playground.url, 1, "Alice <3", "en") as alice:
        yield alice


@pytest.fixture
async def boris(playground: Playground, bot: Bot) -> AsyncIterator[Person]:
    async with Person(playground.url, 2, "Борис", "ru") as boris:
        yield boris
