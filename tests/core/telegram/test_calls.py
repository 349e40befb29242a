"""Plugins are told of every call to Telegram and how it ended."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramAPIError

from impasto import hookimpl
from impasto.hookspecs import BOT_GROUP
from impasto.plugins import PluginHost
from impasto.settings import PluginsSettings, Settings
from impasto.telegram.calls import ToldCalls, result_of

from .telegram_bench import Faults, flood, out_of_order, unreachable


class Listener:
    """A plugin that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    @hookimpl
    def impasto_telegram_called(self, method: str, result: str, seconds: float) -> None:
        assert seconds >= 0
        self.told.append((method, result))


@pytest.fixture
def listener(bot: Bot) -> Listener:
    listener = Listener()
    settings = Settings(plugins=PluginsSettings(allow=["none that is installed"]))
    host = PluginHost(BOT_GROUP, settings, more={"listener": listener}).load()
    bot.session.middleware.register(ToldCalls(host))
    # It has to see what the faults do, so it goes around them.
    bot.session.middleware._middlewares.reverse()
    return listener


async def test_a_call_that_works(bot: Bot, listener: Listener) -> None:
    await bot.get_me()
    assert listener.told == [("getMe", "ok")]


@pytest.mark.parametrize(
    ("fault", "result"),
    [(flood(1), "retry_after"), (out_of_order, "server_error"), (unreachable, "not_reached")],
)
async def test_a_call_that_fails(
    fault: Callable[..., TelegramAPIError],
    result: str,
    bot: Bot,
    faults: Faults,
    listener: Listener,
) -> None:
    faults.on("GetMe", fault)
    with pytest.raises(TelegramAPIError):
        await bot.get_me()
    assert listener.told == [("getMe", result)]


async def test_a_call_that_telegram_refuses(bot: Bot, listener: Listener) -> None:
    with pytest.raises(TelegramAPIError):
        await bot.send_message(999, "nobody there")
    assert listener.told == [("sendMessage", "refused")]


def test_what_is_no_error_of_telegram() -> None:
    assert result_of(ZeroDivisionError()) == "failed"
