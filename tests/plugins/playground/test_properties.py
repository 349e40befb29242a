"""Whatever anyone sends, the playground answers with sense: never with a 500."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from impasto_playground import Playground
from impasto_playground.bot_api import METHODS

# getUpdates would wait, webhooks would call out, and both are tested elsewhere.
CALLED = sorted(METHODS.keys() - {"getUpdates", "setWebhook"})

TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["7", "-1", "true", "HTML", "photo", "attach://x", "{}", "[]", "1", "😀", "\0"]
    ),
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS, st.just(7)
)
BUTTON = st.fixed_dictionaries(
    {"text": TEXTS}, optional={"callback_data": TEXTS, "url": TEXTS, "pay": st.booleans()}
)
KEYBOARD = st.fixed_dictionaries({"inline_keyboard": st.lists(st.lists(BUTTON, max_size=3))})
MEDIA = st.fixed_dictionaries(
    {"type": st.sampled_from(["photo", "document", "video", "x"]), "media": TEXTS},
    optional={"caption": TEXTS, "parse_mode": TEXTS},
)
VALUES = st.recursive(
    st.one_of(SCALARS, KEYBOARD, MEDIA, st.lists(MEDIA, max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)


@st.composite
def bot_calls(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    name = draw(st.sampled_from(CALLED))
    known = list(METHODS[name][0].model_fields)
    names = st.one_of(st.sampled_from(known or ["x"]), TEXTS)
    fields = draw(st.dictionaries(names, VALUES, max_size=6))
    likely = {"chat_id": 7, "message_id": draw(st.integers(0, 6)), "text": "x"}
    for field, value in likely.items():
        if field in known and draw(st.booleans()):
            fields[field] = value
    return name, fields


PERSON_PATHS = st.sampled_from(
    ["", "/messages", "/files", "/taps", "/inline/chosen", "/blocked", "/nothing"]
)
PERSON_FIELDS = st.sampled_from(
    [
        *("text", "caption", "as", "message_id", "row", "column", "reply_to", "blocked"),
        *("first_name", "query_id", "result_id"),
    ]
)


class Sync:
    """A playground in a loop of its own, for hypothesis, whose tests are not coroutines."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.run_until_complete(self._start())

    async def _start(self) -> None:
        self.playground = Playground(port=0)
        await self.playground.start()
        self.session = aiohttp.ClientSession(self.playground.url)
        await self._send("POST", "/api/chats/7/messages", {"text": "/start"})
        await self._send(
            "POST", f"/bot{self.playground.token}/sendMessage", {"chat_id": 7, "text": "Hello"}
        )

    async def _send(self, verb: str, path: str, body: Any) -> tuple[int, str]:
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        async with self.session.request(verb, path, data=data, headers=headers) as response:
            return response.status, await response.text()

    def send(self, verb: str, path: str, body: Any) -> tuple[int, str]:
        return self.loop.run_until_complete(self._send(verb, path, body))

    def close(self) -> None:
        self.loop.run_until_complete(self.session.close())
        self.loop.run_until_complete(self.playground.stop())
        self.loop.close()


@pytest.fixture(scope="module")
def sync() -> Iterator[Sync]:
    running = Sync()
    yield running
    running.close()


CHECKS = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@CHECKS
@given(bot_calls())
@pytest.mark.slow
def test_any_call_of_the_bot(sync: Sync, call: tuple[str, dict[str, Any]]) -> None:
    name, fields = call
    status, text = sync.send("POST", f"/bot{sync.playground.token}/{name}", fields)
    answer = json.loads(text)
    assert status < 500, (name, fields)
    assert answer["ok"] is (status == 200)
    if not answer["ok"]:
        assert answer["error_code"] == status
        assert answer["description"]


@CHECKS
@given(
    st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    PERSON_PATHS,
    st.one_of(VALUES, st.dictionaries(PERSON_FIELDS, VALUES, max_size=4)),
)
def test_any_request_of_a_person(sync: Sync, verb: str, path: str, body: Any) -> None:
    status, _ = sync.send(verb, f"/api/chats/7{path}", body)
    assert status < 500, (verb, path, body)
