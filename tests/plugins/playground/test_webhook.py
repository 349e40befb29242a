"""Delivery to a webhook: secret, order, repetition, replies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiogram import Bot, Dispatcher
from aiogram.exceptions import TelegramBadRequest
from aiogram.methods import SendMessage, SendPhoto
from aiogram.types import BufferedInputFile, Message
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web

from impasto_playground import Person, Playground, updates

from .conftest import picture


class Receiver:
    """A web server that records what it is sent and answers what it is told."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[tuple[dict[str, Any], str | None]] = asyncio.Queue()
        self.statuses: list[int] = []
        self.reply: dict[str, Any] | None = None
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        update = await request.json()
        self.received.put_nowait((update, request.headers.get(updates.SECRET_HEADER)))
        status = self.statuses.pop(0) if self.statuses else 200
        return (
            web.json_response(self.reply, status=status)
            if self.reply
            else web.Response(status=status)
        )

    async def texts(self, count: int) -> list[str]:
        return [(await self.received.get())[0]["message"]["text"] for _ in range(count)]


async def serve(app: web.Application) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/hook"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.handle)
    runner, receiver.url = await serve(app)
    yield receiver
    await runner.cleanup()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updates, "FIRST_PAUSE_S", 0.01)


async def test_updates_come_with_the_secret(bot: Bot, person: Person, receiver: Receiver) -> None:
    await bot.set_webhook(receiver.url, secret_token="s-e_c-R3t")
    await person.send_text("hello")
    update, secret = await receiver.received.get()
    assert (update["message"]["text"], secret) == ("hello", "s-e_c-R3t")
    info = await bot.get_webhook_info()
    assert (info.url, info.max_connections) == (receiver.url, 40)
    await bot.set_webhook(receiver.url, max_connections=-5)
    assert (await bot.get_webhook_info()).max_connections == 1


async def test_pending_updates_are_delivered_or_dropped(
    bot: Bot, person: Person, receiver: Receiver
) -> None:
    await person.send_text("dropped")
    await bot.set_webhook(receiver.url, drop_pending_updates=True)
    await person.send_text("delivered")
    assert await receiver.texts(1) == ["delivered"]
    await bot.delete_webhook()
    await person.send_text("waits")
    assert (await bot.get_webhook_info()).pending_update_count == 1
    await bot.set_webhook(receiver.url)
    assert await receiver.texts(1) == ["waits"]


async def test_what_is_not_taken_comes_again_in_order(
    bot: Bot, person: Person, receiver: Receiver
) -> None:
    receiver.statuses = [500, 503, 200]
    await bot.set_webhook(receiver.url)
    await person.send_text("one")
    await person.send_text("two")
    assert await receiver.texts(4) == ["one", "one", "one", "two"]
    info = await bot.get_webhook_info()
    assert info.last_error_message == "Wrong response from the webhook: 503 Service Unavailable"


async def test_a_chat_that_fails_does_not_hold_up_others(
    bot: Bot, playground: Playground, person: Person, receiver: Receiver
) -> None:
    taken = asyncio.Event()

    async def handle(request: web.Request) -> web.Response:
        update = await request.json()
        if update["message"]["from"]["id"] == person.user_id:
            return web.Response(status=500)
        taken.set()
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", handle)
    runner, url = await serve(app)
    await bot.set_webhook(url)
    await person.send_text("fails")
    async with Person(playground.url, 99, "Bob") as bob:
        await bob.send_text("works")
        await asyncio.wait_for(taken.wait(), 10)
    await bot.delete_webhook()
    await runner.cleanup()


async def test_a_reply_may_be_a_method(bot: Bot, person: Person, receiver: Receiver) -> None:
    receiver.reply = {"method": "sendMessage", "chat_id": person.user_id, "text": "from the reply"}
    await bot.set_webhook(receiver.url)
    await person.send_text("hello")
    await person.wait_for(lambda message: message.text == "from the reply")


async def test_a_bad_reply_is_ignored(bot: Bot, person: Person, receiver: Receiver) -> None:
    receiver.reply = {"method": "noSuchMethod"}
    await bot.set_webhook(receiver.url)
    await person.send_text("one")
    await person.send_text("two")
    assert await receiver.texts(2) == ["one", "two"]


async def test_aiograms_own_handler_works(bot: Bot, person: Person) -> None:
    dispatcher = Dispatcher()

    @dispatcher.message()
    async def answer(message: Message) -> SendMessage | SendPhoto:
        if message.text == "photo":
            return message.answer_photo(BufferedInputFile(picture(), "p.jpg"), caption="Here")
        return message.answer("Yes?")

    app = web.Application()
    SimpleRequestHandler(dispatcher, bot, handle_in_background=False, secret_token="x").register(
        app, "/hook"
    )
    runner, url = await serve(app)
    await bot.set_webhook(url, secret_token="x")
    await person.send_text("hello")
    await person.wait_for(lambda message: message.text == "Yes?")
    await person.send_text("photo")
    await person.wait_for(lambda message: message.caption == "Here" and message.photo)
    await bot.delete_webhook()
    await runner.cleanup()


@pytest.mark.parametrize("url", ["ftp://example.org", "no address", "http://", "//x"])
async def test_bad_addresses(bot: Bot, url: str) -> None:
    with pytest.raises(TelegramBadRequest, match="bad webhook: An HTTPS URL must be provided"):
        await bot.set_webhook(url)


@pytest.mark.parametrize("secret", ["with space", "ж", "x" * 257])
async def test_bad_secrets(bot: Bot, secret: str) -> None:
    with pytest.raises(TelegramBadRequest, match="unallowed characters"):
        await bot.set_webhook("https://example.org/", secret_token=secret)
