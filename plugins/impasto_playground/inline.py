"""Inline mode: in any of their chats a person writes the bot's name and some words, the bot answers
with pictures, and the one that the person chooses is sent there in the person's name.

As on Telegram, an answer is kept for a while and given to whoever writes the same words, unless it
is personal. Of results, photos that the bot knows by their ``file_id`` are known here.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from aiogram import methods
from aiogram.types import (
    InlineQuery,
    InlineQueryResultCachedPhoto,
    InlineQueryResultsButton,
    User,
)

from .entities import caption_of
from .refusals import Refusal, bad_request
from .updates import UpdateQueue
from .wire import to_json

if TYPE_CHECKING:
    from .context import Context, Handlers

MAX_WORDS = 256
"""Characters of a query (Bot API, InlineQuery)."""

PATIENCE_S = 30.0
"""How long a query waits for the bot; Telegram has not published its own limit."""

MAX_KEPT = 1000
"""Answers kept in the cache, and for those who may yet choose from them."""

CACHE_S = 300
"""How long an answer is kept if the bot does not say."""

MAX_RESULTS = 50
MAX_RESULT_ID_BYTES = 64
MAX_OFFSET_BYTES = 64
START_PARAMETER = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Result:
    """One picture of an answer."""

    id: str
    title: str | None
    content: dict[str, Any]
    """The fields of the message that it becomes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bot answered to some words."""

    results: tuple[Result, ...]
    button: InlineQueryResultsButton | None
    next_offset: str
    cache_s: int
    is_personal: bool


class InlineMode:
    """Queries that the bot has yet to answer, and answers that somebody may yet choose from."""

    def __init__(self, updates: UpdateQueue) -> None:
        self._updates = updates
        self._asked: dict[str, asyncio.Future[Answer]] = {}
        self._shown: OrderedDict[tuple[int, str], Answer] = OrderedDict()
        """By the person who asked and the id of the query."""
        self._cache: OrderedDict[tuple[int | None, str, str], tuple[float, Answer]] = OrderedDict()
        """By person (None: anybody), words and offset, with the time at which each ends."""

    async def ask(self, person: User, chat_type: str, words: str, offset: str) -> dict[str, Any]:
        """What this person sees who writes these words, as JSON values. Raises `Refusal` when the
        bot does not answer."""
        query = InlineQuery(
            id=str(secrets.randbits(62)),
            from_user=person,
            query=words,
            offset=offset,
            chat_type=chat_type,
        )
        answer = self._cached(query) or await self._answered(query)
        _keep(self._shown, (person.id, query.id), answer)
        return {
            "query_id": query.id,
            "results": [
                {"id": result.id, "title": result.title, **to_json(result.content)}
                for result in answer.results
            ],
            "button": to_json(answer.button),
            "next_offset": answer.next_offset,
        }

    def chosen(self, person: User, query_id: str, result_id: str) -> dict[str, Any]:
        """The fields of the message for what the person chose. Raises `Refusal` when the person
        was not shown it."""
        answer = self._shown.get((person.id, query_id))
        for result in answer.results if answer is not None else ():
            if result.id == result_id:
                return result.content
        raise Refusal(400, "There is no such result.")

    def answer(self, query_id: str, answer: Answer) -> None:
        """The bot answers a query. Raises `Refusal` when that does not wait any more."""
        waiting = self._asked.pop(query_id, None)
        if waiting is None or waiting.done():
            raise bad_request(
                "query is too old and response timeout expired or query ID is invalid"
            )
        waiting.set_result(answer)

    def _cached(self, query: InlineQuery) -> Answer | None:
        for person in (query.from_user.id, None):
            end, answer = self._cache.get((person, query.query, query.offset), (0.0, None))
            if monotonic() < end:
                return answer
        return None

    async def _answered(self, query: InlineQuery) -> Answer:
        waiting: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked[query.id] = waiting
        self._updates.put("inline_query", to_json(query))
        try:
            async with asyncio.timeout(PATIENCE_S):
                answer = await waiting
        except TimeoutError:
            raise Refusal(400, "The bot does not answer.") from None
        finally:
            self._asked.pop(query.id, None)
        if answer.cache_s > 0:
            person = query.from_user.id if answer.is_personal else None
            end = monotonic() + answer.cache_s
            _keep(self._cache, (person, query.query, query.offset), (end, answer))
        return answer


def _keep(kept: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > MAX_KEPT:
        kept.popitem(last=False)


async def answer_inline_query(context: Context, method: methods.AnswerInlineQuery) -> bool:
    if len(method.results) > MAX_RESULTS:
        raise bad_request("RESULTS_TOO_MUCH")
    if len((method.next_offset or "").encode()) > MAX_OFFSET_BYTES:
        raise bad_request("NEXT_OFFSET_INVALID")
    if method.button is not None:
        _check_button(method.button)
    results = [await _result(context, result) for result in method.results]
    if len({result.id for result in results}) < len(results):
        raise bad_request("RESULT_ID_DUPLICATE")
    answer = Answer(
        results=tuple(results),
        button=method.button,
        next_offset=method.next_offset or "",
        cache_s=CACHE_S if method.cache_time is None else method.cache_time,
        is_personal=bool(method.is_personal),
    )
    context.world.inline.answer(method.inline_query_id, answer)
    return True


async def _result(context: Context, result: Any) -> Result:
    if not isinstance(result, InlineQueryResultCachedPhoto):
        raise bad_request(
            "can't parse InlineQueryResult: only cached photos are known in the playground"
        )
    if result.input_message_content is not None or result.reply_markup is not None:
        raise bad_request(
            "can't parse InlineQueryResult: it can only be the photo itself, without buttons, in "
            "the playground"
        )
    if not 1 <= len(result.id.encode()) <= MAX_RESULT_ID_BYTES:
        raise bad_request("RESULT_ID_INVALID")
    caption = caption_of(result)
    content = await context.content(result.photo_file_id, "photo")
    return Result(result.id, result.title, {**content, **caption})


def _check_button(button: InlineQueryResultsButton) -> None:
    if not button.text.strip():
        raise bad_request("SWITCH_PM_TEXT_EMPTY")
    if (button.web_app is None) == (button.start_parameter is None):
        raise bad_request(
            "can't parse inline query results button: exactly one of the optional fields must be "
            "used"
        )
    if button.start_parameter is not None and not START_PARAMETER.fullmatch(button.start_parameter):
        raise bad_request("START_PARAM_INVALID")


HANDLERS: Handlers = {methods.AnswerInlineQuery: answer_inline_query}
