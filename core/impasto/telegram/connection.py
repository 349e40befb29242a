"""The connection to Telegram: a bot for the settings' token and server, and what every call of it
passes through. Its pace is in `pacing`."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Any

import structlog
from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.session.middlewares.base import (
    BaseRequestMiddleware,
    NextRequestMiddlewareType,
)
from aiogram.client.telegram import TelegramAPIServer
from aiogram.enums import ParseMode
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramServerError,
)
from aiogram.methods import AnswerCallbackQuery, Response, TelegramMethod
from aiogram.methods.base import TelegramType
from aiogram.types import User
from aiogram.utils.token import TokenValidationError

from impasto.errors import OwnerError
from impasto.plugins import PluginHost
from impasto.settings import Settings
from impasto.telegram.retry import meaning_of, says_ok, through_outages

log = structlog.get_logger(__name__)


def connected(settings: Settings) -> Bot:
    """A bot for the token and the server that the settings name; nothing is asked of it yet.

    Raises:
        OwnerError: the token is missing or of a wrong shape.
    """
    token = settings.telegram.token.get_secret_value()
    if not token:
        raise OwnerError(
            "telegram.token is not set: put the token from @BotFather into "
            "IMPASTO_TELEGRAM__TOKEN, or try `impasto play`, which needs none"
        )
    session = Session(api=TelegramAPIServer.from_base(settings.telegram.api_base))
    session.middleware(_LateAnswers())
    try:
        return Bot(token, session=session, default=DefaultBotProperties(parse_mode=ParseMode.HTML))
    except TokenValidationError:
        raise OwnerError(
            "telegram.token is no bot token, which looks like 123456:EXAMPLE-TOKEN; copy it again "
            "from @BotFather into IMPASTO_TELEGRAM__TOKEN"
        ) from None


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
            return super().check_response(bot, method, status_code, content)
        except ClientDecodeError as error:
            if HTTPStatus.OK <= status_code <= HTTPStatus.IM_USED and says_ok(error.data):
                return self._read_in_part(bot, method, error)
            raise _of_status(method, status_code, error.data) from error
        except TypeError as error:  # aiogram looks into a description that is not there
            raise _of_status(method, status_code, None) from error

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
                response = super().check_response(bot, method, HTTPStatus.OK, self.json_dumps(part))
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


class _LateAnswers(BaseRequestMiddleware):
    """A tapped button that was answered too late, as after a restart, is no reason to fail."""

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        try:
            return await make_request(bot, method)
        except TelegramBadRequest as error:
            if isinstance(method, AnswerCallbackQuery) and "query is too old" in error.message:
                log.debug("callback_answered_late")
                return True  # type: ignore[return-value]  # what this method returns
            raise


class ToldCalls(BaseRequestMiddleware):
    """Calls the hook `impasto_telegram_called` after each call."""

    def __init__(self, host: PluginHost) -> None:
        self._host = host

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        begin = time.perf_counter()
        result = "cancelled"
        try:
            response = await make_request(bot, method)
            result = "ok"
            return response
        except Exception as error:
            meaning = meaning_of(error)
            result = "failed" if meaning is None else meaning.result
            raise
        finally:
            seconds = time.perf_counter() - begin
            name = method.__api_method__
            for _ in self._host.call(
                "impasto_telegram_called", method=name, result=result, seconds=seconds
            ):
                pass


async def introduced(bot: Bot) -> User:
    """Who the bot is; waits until Telegram can be reached.

    Raises:
        OwnerError: Telegram does not know the token.
    """
    try:
        return await through_outages(bot.me, event="telegram_not_reached")
    except TelegramAPIError as error:
        raise OwnerError(
            "Telegram refuses telegram.token; copy it again from @BotFather into "
            f"IMPASTO_TELEGRAM__TOKEN, and check telegram.api_base ({error.message})"
        ) from error
