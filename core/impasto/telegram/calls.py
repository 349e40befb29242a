"""Every call to Telegram, told to plugins: which method, how it ended, how long it took."""

from __future__ import annotations

import time
from typing import Final

from aiogram import Bot
from aiogram.client.session.middlewares.base import (
    BaseRequestMiddleware,
    NextRequestMiddlewareType,
)
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType

from impasto.plugins import PluginHost

OK: Final = "ok"


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
            result = OK
            return response
        except Exception as error:
            result = result_of(error)
            raise
        finally:
            seconds = time.perf_counter() - begin
            name = method.__api_method__
            for _ in self._host.call(
                "impasto_telegram_called", method=name, result=result, seconds=seconds
            ):
                pass


def result_of(error: Exception) -> str:
    """A failed call's result in a word."""
    match error:
        case TelegramRetryAfter():
            return "retry_after"
        case TelegramServerError():
            return "server_error"
        case TelegramNetworkError() | ClientDecodeError():
            return "not_reached"
        case TelegramAPIError():
            return "refused"
        case _:
            return "failed"
