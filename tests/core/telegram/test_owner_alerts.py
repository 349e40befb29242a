"""Owners are told when painting processes keep dying, once and not at every death."""

from __future__ import annotations

import asyncio

import pytest
from aiogram import Bot

from impasto.telegram import owner_alerts as module
from impasto.telegram.owner_alerts import DEATHS, OwnerAlerts
from impasto_playground import Person

from .telegram_bench import Faults, unreachable


def die(
    alarm: OwnerAlerts, times: int, why: str = "the painting process was ended by SIGKILL"
) -> None:
    for _ in range(times):
        alarm.painter_lost(why)


async def test_some_deaths_are_nobodys_business(bot: Bot, alice: Person, faults: Faults) -> None:
    alarm = OwnerAlerts(bot, [1])
    die(alarm, DEATHS - 1)
    assert alarm._telling == set()


async def test_too_many_are_told_to_all_owners_once(bot: Bot, alice: Person) -> None:
    await alice.send_text("/start")
    alarm = OwnerAlerts(bot, [1, 999])  # the other one never wrote to the bot
    die(alarm, DEATHS + 5, "123456:EXAMPLE-TOKEN <b>")
    told = await alice.wait_for(lambda m: m.text and "died 3 times" in m.text)
    assert "EXAMPLE-TOKEN" not in (told.text or "")
    await asyncio.gather(*alarm._telling)
    assert len(alice.from_bot()) == 1


async def test_deaths_far_apart_are_no_alarm(
    bot: Bot, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    alarm = OwnerAlerts(bot, [1])
    for _ in range(10):
        alarm.painter_lost("why")
        now += module.WITHIN_SECONDS
    assert alarm._told_at == {}


async def test_a_full_disk_is_told_once_whatever_else_was_told(bot: Bot, alice: Person) -> None:
    await alice.send_text("/start")
    alarm = OwnerAlerts(bot, [1])
    die(alarm, DEATHS)
    for _ in range(3):
        alarm.disk_full("[Errno 28] No space left on device")
    await alice.wait_for(lambda m: m.text and "disk is full" in m.text)
    await asyncio.gather(*alarm._telling)
    assert len(alice.from_bot()) == 2


async def test_that_telegram_cannot_be_reached_is_no_failure(bot: Bot, faults: Faults) -> None:
    faults.on("SendMessage", unreachable)
    alarm = OwnerAlerts(bot, [1])
    die(alarm, DEATHS)
    await asyncio.gather(*alarm._telling)
