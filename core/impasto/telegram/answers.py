"""What Telegram's server, and what stands before it, answer to a call."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramServerError,
)
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType

from impasto.telegram.retry import says_ok

log = structlog.get_logger(__name__)


class Session(AiohttpSession):
    """Goes by status and body of every answer. What stands before the Bot API, nginx mostly,
    answers with pages of HTML, in which aiogram sees neither an outage nor a refusal; and a newer
    Bot API may have done what it was asked for, and say so in words that aiogram cannot read."""

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[TelegramType],
        timeout: int | None = None,  # noqa: ASYNC109  (aiogram's own)
    ) -> TelegramType:
        try:
            return await super().make_request(bot, method, timeout)
        except (UnicodeDecodeError, LookupError) as error:
            raise TelegramServerError(method, "an answer in no known encoding") from error

    def check_response(
        self, bot: Bot, method: TelegramMethod[TelegramType], status_code: int, content: str
    ) -> Response[TelegramType]:
        try:
            return self._read(bot, method, status_code, content)
        except ClientDecodeError as error:
            if HTTPStatus.OK <= status_code <= HTTPStatus.IM_USED and says_ok(error.data):
                return self._read_in_part(bot, method, error)
            raise _of_status(method, status_code, error.data) from error
        except TypeError as error:  # aiogram looks into a description that is not there
            raise _of_status(method, status_code, None) from error

    def _read(
        self, bot: Bot, method: TelegramMethod[TelegramType], status_code: int, content: str
    ) -> Response[TelegramType]:
        """Raises ClientDecodeError also where the result is null, which aiogram takes for one."""
        response = super().check_response(bot, method, status_code, content)
        if response.result is None:
            raise ClientDecodeError("there is no result", ValueError(), self.json_loads(content))
        return response

    def _read_in_part(
        self, bot: Bot, method: TelegramMethod[TelegramType], error: ClientDecodeError
    ) -> Response[TelegramType]:
        """What the program goes by in a message, where that can be read.

        Raises:
            ClientDecodeError: it cannot; see `impasto.telegram.retry.Done`.
        """
        for fields in (_FIELDS, _LEAST_FIELDS):
            part = {"ok": True, "result": _part_of(error.data.get("result"), fields)}
            try:
                response = self._read(bot, method, HTTPStatus.OK, self.json_dumps(part))
            except ClientDecodeError:
                continue
            log.warning("answer_read_in_part", call=method.__api_method__)
            return response
        raise error


_LEAST_FIELDS = ("message_id", "date", "chat")
_FIELDS = (*_LEAST_FIELDS, "photo", "document")


def _part_of(message: Any, fields: tuple[str, ...]) -> Any:
    if not isinstance(message, dict):
        return message
    part = {field: message[field] for field in fields if field in message}
    if isinstance(chat := part.get("chat"), dict):
        part["chat"] = {field: chat[field] for field in ("id", "type") if field in chat}
    return part


def _of_status(method: TelegramMethod[Any], status: int, answer: object) -> TelegramAPIError:
    """The error of an answer that aiogram cannot read. Where it is none of Telegram's, the status
    is that of a proxy, which knows of an outage or of what is too large, and nothing of tokens and
    chats."""
    why = f"HTTP {status} and no answer that can be read"
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return TelegramEntityTooLarge(method, why)
    if isinstance(answer, dict) and answer.get("ok") is False:
        why = str(answer.get("description", why))
        if status == HTTPStatus.BAD_REQUEST:
            return TelegramBadRequest(method, why)
        if status == HTTPStatus.FORBIDDEN:
            return TelegramForbiddenError(method, why)
    return TelegramServerError(method, why)
