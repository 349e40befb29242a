"""How calls may be encoded, and fields that are refused."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

from impasto_playground import Person, Playground

from .conftest import picture

Answer = tuple[int, dict[str, Any]]


@pytest.fixture
def call(playground: Playground, chat: Person, http: aiohttp.ClientSession):
    async def send(method: str, verb: str = "POST", **content: Any) -> Answer:
        url = f"{playground.url}/bot{playground.token}/{method}"
        async with http.request(verb, url, **content) as response:
            return response.status, await response.json()

    return send


FIELDS = {"chat_id": "7", "text": "Hello", "disable_notification": "true"}


@pytest.mark.parametrize(
    ("verb", "content"),
    [
        ("GET", {"params": FIELDS}),
        ("POST", {"params": FIELDS}),
        ("POST", {"data": FIELDS}),
        ("POST", {"json": {"chat_id": 7, "text": "Hello", "disable_notification": True}}),
        ("POST", {"json": {"text": "Hello", "reply_markup": None}, "params": {"chat_id": 7}}),
    ],
    ids=["query", "query of a post", "urlencoded", "json", "both"],
)
async def test_encodings(call, verb: str, content: dict[str, Any]) -> None:
    status, body = await call("sendMessage", verb, **content)
    assert (status, body["ok"], body["result"]["text"]) == (200, True, "Hello")


async def test_multipart(call) -> None:
    form = aiohttp.FormData({"chat_id": "7", "caption": "Hello"})
    form.add_field("photo", "attach://the file")
    form.add_field("the file", picture(), filename="p.jpg")
    status, body = await call("sendPhoto", data=form)
    assert (status, body["result"]["caption"]) == (200, "Hello")


async def test_method_names_ignore_case(call) -> None:
    assert (await call("GETME"))[0] == 200


async def test_unknown_methods(call) -> None:
    expected = {"ok": False, "error_code": 404, "description": "Not Found"}
    assert await call("sendTelepathy") == (404, expected)


async def test_numbers_are_taken_as_texts_and_texts_as_numbers(call) -> None:
    status, body = await call("sendMessage", json={"chat_id": "7", "text": 12.5})
    assert (status, body["result"]["text"]) == (200, "12.5")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "Bad Request: chat_id is empty"),
        ({"chat_id": 7}, "Bad Request: message text is empty"),
        (
            {"chat_id": 7, "text": "x", "colour": "red"},
            'Bad Request: unknown field "colour" in the method sendMessage',
        ),
        (
            {"chat_id": 7, "text": "x", "reply_markup": {"inline_keyboard": [], "extra": 1}},
            'Bad Request: unknown field "extra" in reply_markup',
        ),
        (
            {
                "chat_id": 7,
                "text": "x",
                "reply_markup": {
                    "inline_keyboard": [[{"text": "a", "callback_data": "b", "color": "red"}]]
                },
            },
            'Bad Request: unknown field "color" in reply_markup.inline_keyboard[0][0]',
        ),
        (
            {"chat_id": 7, "text": "x", "reply_markup": "{"},
            "Bad Request: can't parse reply markup JSON object",
        ),
        ({"chat_id": 7, "text": "x", "reply_markup": [1]}, "Bad Request: can't parse reply_markup"),
        ({"chat_id": 7, "text": ["x"]}, "Bad Request: can't parse text"),
        (
            {"chat_id": 7, "text": "x", "disable_notification": "perhaps"},
            "Bad Request: can't parse",
        ),
    ],
)
async def test_bad_fields(call, fields: dict[str, Any], reason: str) -> None:
    status, body = await call("sendMessage", json=fields)
    assert (status, body["ok"], body["error_code"]) == (400, False, 400)
    assert body["description"].startswith(reason)


async def test_fields_newer_than_the_oldest_server_are_allowed(call) -> None:
    """What aiogram's model knows may be sent, whatever Bot API version brought it."""
    markup = {"inline_keyboard": [[{"text": "a", "callback_data": "b"}]]}
    fields = {"chat_id": 7, "text": "x", "direct_messages_topic_id": 1, "reply_markup": markup}
    assert (await call("sendMessage", json=fields))[0] == 200


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"7",
        b"\xff",
        b'{"chat_id": NaN}',
        b"[" * 100_000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        json.dumps({"chat_id": 7, "text": "\ud800"}).encode(),
        json.dumps({"chat_id": 7, "text": "x", "reply_markup": {"\ud800": 1}}).encode(),
        b'{"chat_id": ' + b"9" * 5000 + b', "text": "x"}',
    ],
)
async def test_broken_json(call, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    status, answer = await call("sendMessage", data=body, headers=headers)
    assert (status, answer["ok"]) == (400, False)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--y\r\n\r\n--y--"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nno name\r\n--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken header\r\n\r\n1\r\n--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\nA: " + b"a" * 70_000 + b"\r\n\r\n\r\n--x--"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n\xff\r\n--x--',
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nnever ends',
        ),
        ("application/x-www-form-urlencoded", b"text=%ff"),
        ("application/x-www-form-urlencoded", b"&a=1" * 1000),
    ],
)
async def test_broken_forms(call, content_type: str, body: bytes) -> None:
    status, answer = await call("sendMessage", data=body, headers={"Content-Type": content_type})
    assert (status, answer["ok"]) == (400, False)


async def test_fields_are_bounded(call, playground: Playground) -> None:
    status, answer = await call("sendMessage", json={"chat_id": 7, "text": "x" * 2_000_000})
    assert (status, answer["description"]) == (413, "Request Entity Too Large")
    form = aiohttp.FormData({"text": "x" * 2_000_000}, default_to_multipart=True)
    assert (await call("sendMessage", data=form))[0] == 413


async def test_files_nobody_took_are_removed(call, playground: Playground) -> None:
    form = aiohttp.FormData({"chat_id": "7", "text": "x"})
    form.add_field("stray", b"content", filename="stray.bin")
    assert (await call("sendMessage", data=form))[0] == 200
    assert list(playground.world.files.incoming.iterdir()) == []
