"""The connection to Telegram: a bot for the settings' token and server."""

from __future__ import annotations

import asyncio

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
    TelegramNotFound,
    TelegramUnauthorizedError,
)
from aiogram.methods import AnswerCallbackQuery, Response, TelegramMethod
from aiogram.methods.base import TelegramType
from aiogram.types import User
from aiogram.utils.backoff import Backoff, BackoffConfig
from aiogram.utils.token import TokenValidationError

from impasto.errors import OwnerError
from impasto.settings import Settings

log = structlog.get_logger(__name__)

_BACKOFF = BackoffConfig(min_delay=1.0, max_delay=30.0, factor=1.5, jitter=0.1)


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
    session = AiohttpSession(api=TelegramAPIServer.from_base(settings.telegram.api_base))
    session.middleware(_LateAnswers())
    try:
        return Bot(token, session=session, default=DefaultBotProperties(parse_mode=ParseMode.HTML))
    except TokenValidationError:
        raise OwnerError(
            "telegram.token is no bot token, which looks like 123456:EXAMPLE-TOKEN; copy it again "
            "from @BotFather into IMPASTO_TELEGRAM__TOKEN"
        ) from None


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


async def introduced(bot: Bot) -> User:
    """Who the bot is; waits until Telegram can be reached.

    Raises:
        OwnerError: Telegram does not know the token.
    """
    backoff = Backoff(_BACKOFF)
    while True:
        try:
            return await bot.me()
        except (TelegramUnauthorizedError, TelegramNotFound) as error:
            raise OwnerError(
                "Telegram refuses telegram.token; copy it again from @BotFather into "
                f"IMPASTO_TELEGRAM__TOKEN, and check telegram.api_base ({error.message})"
            ) from error
        except (TelegramAPIError, ClientDecodeError) as error:
            pause = max(0.0, next(backoff))
            log.warning("telegram_not_reached", why=str(error), again_in_seconds=round(pause, 1))
            await asyncio.sleep(pause)
