"""Any answer, Telegram's own or that of what stands before it, means something to every caller."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiogram import Bot
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramEntityTooLarge,
    TelegramServerError,
)
from aiogram.methods import GetMe, SendMessage, SendPhoto, TelegramMethod
from aiohttp import web
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from impasto.settings import Settings, TelegramSettings
from impasto.telegram.connection import connected, introduced
from impasto.telegram.retry import (
    CallFailed,
    Done,
    Refused,
    TooLarge,
    TryLater,
    call_once,
    call_until_answered,
    meaning_of,
    means,
)

TOKEN = "123456:EXAMPLE-TOKEN-of-no-bot-at-all-0000000"
PAGE = "<html><h1>nginx</h1></html>"
SEND = SendMessage(chat_id=1, text="hello")
CHAT = {"id": 1, "type": "private", "first_name": "Alice"}


def bot_at(api_base: str) -> Bot:
    return connected(Settings(telegram=TelegramSettings(token=SecretStr(TOKEN), api_base=api_base)))


BOT = bot_at("http://127.0.0.1:9")


def read(status: int, content: str, method: TelegramMethod[Any] = SEND) -> Any:
    return BOT.session.check_response(BOT, method, status, content).result


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 409, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("content", [PAGE, "", "[]", "null", '{"error": "busy"}', '"text"'])
def test_what_is_no_answer_of_telegram_is_an_outage(status: int, content: str) -> None:
    with pytest.raises((TelegramAPIError, ClientDecodeError)) as caught:
        read(status, content)
    assert means(caught.value, TryLater)
    assert "nginx" not in str(meaning_of(caught.value))


@pytest.mark.parametrize("content", [PAGE, '{"ok": false, "error_code": 413, "description": "x"}'])
def test_too_large_is_so_in_any_form(content: str) -> None:
    with pytest.raises(TelegramEntityTooLarge) as caught:
        read(413, content, SendPhoto(chat_id=1, photo="1"))
    assert means(caught.value, TooLarge, Refused)


@pytest.mark.parametrize(
    "oddity",
    [
        {"reply_markup": 7},
        {"entities": [{"type": {}, "offset": "x"}]},
        {"from": "nobody"},
        {"photo": [{"no": "id"}]},
        {"chat": {**CHAT, "last_name": ["new"]}},
    ],
)
def test_a_message_of_an_unknown_shape_was_sent_all_the_same(oddity: dict[str, Any]) -> None:
    message = {"message_id": 5, "date": 1, "chat": CHAT, "text": "hello", **oddity}
    sent = read(200, json.dumps({"ok": True, "result": message}))
    assert (sent.message_id, sent.chat.id) == (5, 1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "ok": st.booleans() | JSON,
        "result": JSON | st.fixed_dictionaries({"message_id": JSON, "chat": JSON, "date": JSON}),
        "description": JSON,
        "parameters": JSON | st.fixed_dictionaries({"retry_after": JSON}),
    },
)


@given(status=st.integers(100, 599), content=st.text() | ANSWERS.map(json.dumps))
@example(status=200, content="[" * 100_000)
@example(status=200, content='{"ok": true, "result": ' + "9" * 10_000 + "}")
@example(status=502, content='{"ok": false}')
@pytest.mark.parametrize("method", [SEND, GetMe()], ids=["SendMessage", "GetMe"])
def test_every_answer_means_something(
    method: TelegramMethod[Any], status: int, content: str
) -> None:
    try:
        read(status, content, method)
    except (TelegramAPIError, ClientDecodeError) as error:
        meaning = meaning_of(error)
    else:
        meaning = CallFailed("it did not fail")
    assert meaning is not None


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    gateway = Gateway()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", gateway.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    gateway.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield gateway
    await runner.cleanup()


class Gateway:
    """What stands before the Bot API: gives these answers, one after the other."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: list[Callable[[], web.Response]] = []
        self.calls = 0

    async def handle(self, request: web.Request) -> web.Response:
        self.calls += 1
        return self.answers.pop(0)()


def page(status: int) -> Callable[[], web.Response]:
    return lambda: web.Response(status=status, text=PAGE, content_type="text/html")


def answer(result: Any) -> Callable[[], web.Response]:
    return lambda: web.json_response({"ok": True, "result": result})


def in_no_encoding() -> web.Response:
    return web.Response(status=502, body=b"\xff\xfe\xff", content_type="text/html", charset="utf-8")


def in_an_unknown_encoding() -> web.Response:
    return web.Response(
        status=502, body=b"x", headers={"Content-Type": "text/html; charset=klingon"}
    )


async def test_pages_at_the_start_are_waited_out(gateway: Gateway) -> None:
    pages = [page(502), page(404), page(401), page(504)]
    me = answer({"id": 1, "is_bot": True, "first_name": "Bot"})
    gateway.answers = [*pages, in_no_encoding, in_an_unknown_encoding, me]
    async with bot_at(gateway.url) as bot:
        assert (await introduced(bot)).first_name == "Bot"
    assert gateway.calls == 7


async def test_an_answer_in_no_encoding_is_an_outage(gateway: Gateway) -> None:
    gateway.answers = [in_no_encoding]
    async with bot_at(gateway.url) as bot:
        with pytest.raises(TelegramServerError):
            await bot(SEND)


async def test_what_was_done_is_not_done_again(gateway: Gateway) -> None:
    gateway.answers = [page(502), answer({"a": "message of the future"})]
    async with bot_at(gateway.url) as bot:
        assert await call_until_answered(bot, SEND) is None
    assert gateway.calls == 2


async def test_too_large_ends_at_once(gateway: Gateway) -> None:
    gateway.answers = [page(413)]
    async with bot_at(gateway.url) as bot:
        with pytest.raises(TooLarge):
            await call_until_answered(bot, SEND)


async def test_done_is_no_failure_of_one_try(gateway: Gateway) -> None:
    gateway.answers = [answer([]), answer([])]
    async with bot_at(gateway.url) as bot:
        assert await call_once(bot, SEND) is None
        with pytest.raises(ClientDecodeError) as caught:
            await bot(SEND)
    assert means(caught.value, Done)
