"""The method answerInlineQuery. Results are photos that the bot knows by their ``file_id``; other
kinds are not known in the playground."""

from __future__ import annotations

import re
from typing import Any

from aiogram import methods
from aiogram.types import InlineQueryResultCachedPhoto, InlineQueryResultsButton

from .context import Context, Handlers, content_of
from .inline import Answer, Result
from .messages import caption_of
from .refusals import bad_request

MAX_RESULTS = 50
MAX_RESULT_ID_BYTES = 64
MAX_OFFSET_BYTES = 64
START_PARAMETER = re.compile(r"[A-Za-z0-9_-]{1,64}")

CACHE_S = 300
"""How long an answer is kept if the bot does not say."""


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
    media = await context.media(result.photo_file_id, "photo")
    return Result(result.id, result.title, {**content_of(media), **caption})


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
