"""A playground, a bot and a person for each test, all of them talking over HTTP."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from aiogram import Bot
from aiogram.types import Update
from PIL import Image

from impasto_playground import Person, Playground

from .echo_bot import connect

Picture = Callable[..., bytes]


def encode(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """The bytes of a picture file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def picture(width: int = 640, height: int = 480, color: str = "teal", kind: str = "JPEG") -> bytes:
    """A picture of one color."""
    return encode(Image.new("RGB", (width, height), color), kind)


def gif(frames: int = 3) -> bytes:
    """An animated GIF of 60 by 40 pixels."""
    images = [Image.new("RGB", (60, 40), (index * 60, 90, 30)) for index in range(frames)]
    return encode(images[0], "GIF", save_all=True, append_images=images[1:], duration=500)


@pytest.fixture
async def playground() -> AsyncIterator[Playground]:
    async with Playground(port=0) as running:
        yield running


@pytest.fixture
async def bot(playground: Playground) -> AsyncIterator[Bot]:
    connected = connect(playground.url, playground.token)
    yield connected
    # aiogram's own close waits a quarter of a second for TLS, which is not used here.
    await (await connected.session.create_session()).close()


@pytest.fixture
async def person(playground: Playground) -> AsyncIterator[Person]:
    async with Person(playground.url, 7, "Alice", "en", username="alice") as alice:
        yield alice


@pytest.fixture
async def chat(person: Person, bot: Bot) -> Person:
    """A person who has started the bot; its updates are confirmed."""
    await person.send_text("/start")
    [update] = await bot.get_updates()
    await bot.get_updates(offset=update.update_id + 1)
    return person


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def newest(bot: Bot) -> Update:
    """The newest pending update."""
    return (await bot.get_updates(offset=-1))[0]
