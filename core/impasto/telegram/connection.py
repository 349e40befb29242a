"""The connection to Telegram: a bot for the settings' token and server, and what every call of it
passes through. Its pace is in `pacing`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import structlog
from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.middlewares.base import (
    BaseRequestMiddleware,
    NextRequestMiddlewareType,
)
from aiogram.client.telegram import SimpleFilesPathWrapper, TelegramAPIServer
from aiogram.enums import ParseMode
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
)
from aiogram.methods import AnswerCallbackQuery, Response, TelegramMethod
from aiogram.methods.base import TelegramType
from aiogram.types import User
from aiogram.utils.token import TokenValidationError

from impasto.errors import OwnerError
from impasto.plugins import PluginHost
from impasto.settings import Settings, TelegramSettings
from impasto.telegram.proxy import proxy_for, session_to
from impasto.telegram.retry import meaning_of, through_outages

log = structlog.get_logger(__name__)

EXAMPLE: Final = "123456:AbC-1..."
"""Shorter than a token, which `scrub` would take out."""
QUOTES: Final = "\"'`\u201c\u2018\u201e\u00ab"


def connected(settings: Settings) -> Bot:
    """A bot for the token and the server that the settings name; nothing is asked of it yet.

    Raises:
        OwnerError: the token is missing or of a wrong shape, or what the proxy needs is missing.
    """
    token = settings.telegram.token.get_secret_value()
    origin = settings.origin("telegram.token")
    if not token:
        raise OwnerError(
            "telegram.token is not set: put the token from @BotFather into "
            "IMPASTO_TELEGRAM__TOKEN, or try `impasto play`, which needs none"
        )
    if token[0] in QUOTES:
        raise OwnerError(
            f"telegram.token, from {origin}, is in quotes, which belong to the value there: write "
            f"it without them, like {EXAMPLE}"
        )
    proxy = proxy_for(settings)
    session = session_to(server_of(settings.telegram), proxy)
    if proxy is not None:
        log.info("telegram_through_proxy", proxy=str(proxy))
    session.middleware(_LateAnswers())
    try:
        return Bot(token, session=session, default=DefaultBotProperties(parse_mode=ParseMode.HTML))
    except TokenValidationError:
        raise OwnerError(
            f"telegram.token, from {origin}, is not a bot token, such as {EXAMPLE}; copy it "
            "again from @BotFather into IMPASTO_TELEGRAM__TOKEN"
        ) from None


def server_of(settings: TelegramSettings) -> TelegramAPIServer:
    """The Bot API server; one with `--local` where the settings say where its files are."""
    if settings.folders is None:
        return TelegramAPIServer.from_base(settings.api_base)
    there, here = settings.folders
    return TelegramAPIServer.from_base(
        settings.api_base, is_local=True, wrap_local_file=SimpleFilesPathWrapper(Path(there), here)
    )


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
            facts = {"method": name, "result": result, "seconds": seconds}
            for _ in self._host.call(
                "impasto_telegram_called", **facts, settings=self._host.settings
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
