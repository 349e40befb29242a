"""The connection to Telegram is waited for, and plugins are told of every call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramAPIError, TelegramBadRequest
from pydantic import SecretStr

from impasto import hookimpl
from impasto.errors import OwnerError
from impasto.hookspecs import BOT_GROUP
from impasto.logs import scrub
from impasto.plugins import PluginHost
from impasto.settings import PluginsSettings, Settings, TelegramSettings
from impasto.telegram.connection import EXAMPLE, ToldCalls, connected, introduced
from impasto_playground import Playground

from .telegram_bench import Faults, flood, out_of_order, unreachable


class Listener:
    """A plugin that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    @hookimpl
    def impasto_telegram_called(
        self, method: str, result: str, seconds: float, settings: Settings
    ) -> None:
        assert seconds >= 0
        assert settings.plugins.allow
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


async def test_what_is_no_error_of_telegram(
    bot: Bot, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(bot.session, "check_response", broken)
    with pytest.raises(ZeroDivisionError):
        await bot.get_me()
    assert listener.told == [("getMe", "failed")]


@pytest.fixture
def settings(playground: Playground) -> Settings:
    token = SecretStr(playground.token)
    return Settings(telegram=TelegramSettings(token=token, api_base=playground.url))


async def test_a_button_answered_too_late_is_no_error(settings: Settings) -> None:
    bot = connected(settings)
    async with bot:
        assert await bot.answer_callback_query("of long ago")
        with pytest.raises(TelegramBadRequest):
            await bot.send_message(999, "nobody there")


@pytest.mark.parametrize("quote", ['"', "'", "\u201c"])
def test_a_token_in_quotes_is_told_as_such(quote: str) -> None:
    token = SecretStr(f"{quote}123456:EXAMPLE-TOKEN{quote}")
    with pytest.raises(OwnerError) as caught:
        connected(Settings(telegram=TelegramSettings(token=token)))
    said = str(caught.value)
    assert "is in quotes" in said
    assert "EXAMPLE-TOKEN" not in said


@pytest.mark.parametrize("token", ["'1:x'", "nonsense"])
def test_what_a_token_looks_like_is_readable_when_secrets_are_taken_out(token: str) -> None:
    with pytest.raises(OwnerError) as caught:
        connected(Settings(telegram=TelegramSettings(token=SecretStr(token))))
    assert scrub(str(caught.value)) == str(caught.value)
    assert EXAMPLE in str(caught.value)


async def test_waits_until_telegram_can_be_reached(settings: Settings) -> None:
    bot = connected(settings)
    failures = [unreachable, unreachable]

    class Unreachable:
        async def __call__(self, make_request: Any, bot: Bot, method: Any) -> Any:
            if failures:
                raise failures.pop()(method)
            return await make_request(bot, method)

    bot.session.middleware(Unreachable())
    async with bot:
        assert (await introduced(bot)).is_bot
    assert failures == []
