"""Inline mode: a picture that the bot knows, chosen in any chat and sent there by the person."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import (
    InlineQuery,
    InlineQueryResultArticle,
    InlineQueryResultCachedPhoto,
    InlineQueryResultsButton,
    InputTextMessageContent,
)

from impasto_playground import Person, Playground, inline
from impasto_playground.inline import CACHE_S, MAX_OFFSET_BYTES, MAX_RESULTS, MAX_WORDS
from impasto_playground.person import PersonError

from .conftest import picture
from .test_bot_api_spec import SPEC

START = InlineQueryResultsButton(text="Begin", start_parameter="share")


@pytest.fixture
async def in_group(playground: Playground) -> AsyncIterator[Person]:
    async with Person(playground.url, 7, "Alice", group=5) as alice:
        yield alice


@pytest.fixture
async def known(chat: Person) -> str:
    """The file_id of a photo that the bot was sent."""
    sent = await chat.send_photo(picture())
    assert sent.photo
    return sent.photo[-1].file_id


@pytest.fixture
async def offset(bot: Bot, known: str) -> int:
    """Behind the updates of all that was said so far."""
    *_, last = await bot.get_updates()
    return last.update_id + 1


def photo(file_id: str, **fields: Any) -> InlineQueryResultCachedPhoto:
    return InlineQueryResultCachedPhoto(**{"id": "1", "photo_file_id": file_id, **fields})


async def next_query(bot: Bot, offset: int) -> InlineQuery:
    [update] = await bot.get_updates(offset, timeout=10)
    assert update.inline_query
    return update.inline_query


async def test_what_is_chosen_is_sent_by_the_person(
    playground: Playground, in_group: Person, bot: Bot, known: str, offset: int
) -> None:
    async with Person(playground.url, 8, "Boris", group=5) as boris:
        asking = asyncio.create_task(in_group.ask_inline("the wave"))
        query = await next_query(bot, offset)
        assert (query.from_user.id, query.query, query.offset) == (7, "the wave", "")
        assert query.chat_type == "group"
        await query.answer([photo(known, caption="<b>Wave</b>", parse_mode="HTML")]).as_(bot)
        answer = await asking
        assert "button" not in answer
        sent = await in_group.choose_inline(answer)
        await boris.wait_until(boris.messages)
        [seen] = boris.messages()
    assert seen == sent
    assert (seen.from_user.id, seen.via_bot.id, seen.caption) == (7, bot.id, "Wave")
    assert [entity.type for entity in seen.caption_entities] == ["bold"]
    assert seen.photo[-1].file_id == known
    [update] = await bot.get_updates(offset + 1)
    assert update.message.via_bot, "a bot sees in groups what was sent by its inline mode"


async def test_in_the_chat_with_the_bot(chat: Person, bot: Bot, offset: int) -> None:
    asking = asyncio.create_task(chat.ask_inline("words"))
    query = await next_query(bot, offset)
    assert query.chat_type == "sender"
    await query.answer([]).as_(bot)
    assert (await asking)["results"] == []


async def test_nobody_chooses_from_what_another_was_shown(
    playground: Playground, chat: Person, bot: Bot, known: str, offset: int
) -> None:
    asking = asyncio.create_task(chat.ask_inline(""))
    await (await next_query(bot, offset)).answer([photo(known)]).as_(bot)
    answer = await asking
    async with Person(playground.url, 8) as mallory:
        with pytest.raises(PersonError, match="no such result"):
            await mallory.choose_inline(answer)
    with pytest.raises(PersonError, match="no such result"):
        await chat.choose_inline({**answer, "results": [{"id": "2"}]})


@pytest.mark.parametrize(
    ("cache", "to_alice", "to_another"),
    [
        ({"cache_time": 0}, False, False),
        ({"cache_time": 300, "is_personal": True}, True, False),
        ({}, True, True),
    ],
    ids=["not at all", "for the person", "for everybody"],
)
async def test_answers_are_kept(
    playground: Playground,
    chat: Person,
    bot: Bot,
    known: str,
    offset: int,
    monkeypatch: pytest.MonkeyPatch,
    cache: dict[str, Any],
    to_alice: bool,
    to_another: bool,
) -> None:
    asking = asyncio.create_task(chat.ask_inline("words"))
    await (await next_query(bot, offset)).answer([photo(known)], **cache).as_(bot)
    first = await asking
    monkeypatch.setattr(inline, "PATIENCE_S", 0.05)
    async with Person(playground.url, 8) as another:
        for person, is_kept in ((chat, to_alice), (another, to_another)):
            if is_kept:
                again = await person.ask_inline("words")
                assert again["results"] == first["results"]
                await person.choose_inline(again)
            else:
                with pytest.raises(PersonError, match="does not answer"):
                    await person.ask_inline("words")
    now = monotonic()
    monkeypatch.setattr(inline, "monotonic", lambda: now + CACHE_S)
    with pytest.raises(PersonError, match="does not answer"):
        await chat.ask_inline("words")


async def test_a_query_that_nobody_waits_for_cannot_be_answered(
    chat: Person, bot: Bot, offset: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inline, "PATIENCE_S", 0.05)
    with pytest.raises(PersonError, match="does not answer"):
        await chat.ask_inline("words")
    query = await next_query(bot, offset)
    with pytest.raises(TelegramBadRequest, match="query is too old"):
        await query.answer([]).as_(bot)
    with pytest.raises(PersonError, match="at most 256"):
        await chat.ask_inline("x" * (MAX_WORDS + 1))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"results": [{"id": str(n)} for n in range(MAX_RESULTS + 1)]}, "RESULTS_TOO_MUCH"),
        ({"results": [{}, {}]}, "RESULT_ID_DUPLICATE"),
        ({"results": [{"id": ""}]}, "RESULT_ID_INVALID"),
        ({"results": [{"id": "ё" * 33}]}, "RESULT_ID_INVALID"),
        ({"results": [{"photo_file_id": "AgAC0"}]}, "wrong remote file identifier"),
        ({"results": [{"caption": "x" * 1025}]}, "caption is too long"),
        ({"results": [{"caption": "<b>", "parse_mode": "HTML"}]}, "can't parse entities"),
        ({"results": [], "next_offset": "x" * (MAX_OFFSET_BYTES + 1)}, "NEXT_OFFSET_INVALID"),
        ({"button": {"text": " ", "start_parameter": "x"}}, "SWITCH_PM_TEXT_EMPTY"),
        ({"button": {"text": "Begin"}}, "exactly one"),
        ({"button": {"text": "Begin", "start_parameter": "a b"}}, "START_PARAM_INVALID"),
    ],
)
async def test_wrong_answers_are_refused(
    chat: Person, bot: Bot, known: str, offset: int, answer: dict[str, Any], error: str
) -> None:
    results = [photo(known, **fields) for fields in answer.pop("results", [])]
    asking = asyncio.create_task(chat.ask_inline("words"))
    query = await next_query(bot, offset)
    with pytest.raises(TelegramBadRequest, match=re.escape(error)):
        await bot.answer_inline_query(query.id, results, **answer)
    await bot.answer_inline_query(query.id, [], button=START)
    assert (await asking)["button"] == {"text": "Begin", "start_parameter": "share"}


async def test_other_kinds_of_results_are_not_known(chat: Person, bot: Bot, offset: int) -> None:
    text = InputTextMessageContent(message_text="text")
    article = InlineQueryResultArticle(id="1", title="title", input_message_content=text)
    asking = asyncio.create_task(chat.ask_inline("words"))
    query = await next_query(bot, offset)
    with pytest.raises(TelegramBadRequest, match="only cached photos"):
        await query.answer([article]).as_(bot)
    asking.cancel()


def test_the_limits_are_the_published_ones() -> None:
    if not Path(SPEC).exists():
        pytest.skip(f"no description of the Bot API at {SPEC}")
    spec = json.loads(SPEC.read_text(encoding="utf-8"))

    def described(kind: str, name: str, field: str) -> str:
        fields = spec[kind][name]["fields"]
        return next(one["description"] for one in fields if one["name"] == field)

    method = spec["methods"]["answerInlineQuery"]
    assert f"No more than {MAX_RESULTS} results" in " ".join(method["description"])
    assert f"Defaults to {CACHE_S}" in described("methods", "answerInlineQuery", "cache_time")
    offset = described("methods", "answerInlineQuery", "next_offset")
    assert f"exceed {MAX_OFFSET_BYTES} bytes" in offset
    assert f"up to {MAX_WORDS} characters" in described("types", "InlineQuery", "query")
    assert "1-64 bytes" in described("types", "InlineQueryResultCachedPhoto", "id")
    started = described("types", "InlineQueryResultsButton", "start_parameter")
    assert "1-64 characters, only A-Z, a-z, 0-9, _ and -" in started
