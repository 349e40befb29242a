"""Owners are told when painting processes keep dying, once and not at every death; what a presenter
has no words for is said in plain ones."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Mapping

import pytest
from aiogram import Bot

from impasto.contracts import Presenter, Say
from impasto.telegram import notices as module
from impasto.telegram.notices import DEATHS, OwnerAlerts
from impasto.telegram.status.presenter import SafePresenter
from impasto_dialog.presenter import DialogPresenter
from impasto_playground import Person

from .telegram_bench import Faults, PlainPresenter, unreachable


def alerts_to(bot: Bot, owners: list[int], presenter: Presenter | None = None) -> OwnerAlerts:
    return OwnerAlerts(bot, owners, SafePresenter(presenter or DialogPresenter([])))


async def all_told(alerts: OwnerAlerts) -> None:
    """Nothing else says that no alert is on its way any more."""
    await asyncio.gather(*alerts._telling)


def die(
    alerts: OwnerAlerts, times: int, why: str = "the painting process was ended by SIGKILL"
) -> None:
    for _ in range(times):
        alerts.painter_lost(why)


async def test_some_deaths_are_nobodys_business(bot: Bot, alice: Person, faults: Faults) -> None:
    alerts = alerts_to(bot, [1])
    die(alerts, DEATHS - 1)
    await all_told(alerts)
    assert alice.from_bot() == []


async def test_too_many_are_told_to_all_owners_once(bot: Bot, alice: Person) -> None:
    await alice.send_text("/start")
    alerts = alerts_to(bot, [1, 999])  # the other one never wrote to the bot
    die(alerts, DEATHS + 5, "123456:EXAMPLE-TOKEN <b>")
    told = await alice.wait_for(lambda m: m.text and "died 3 times" in m.text)
    assert "EXAMPLE-TOKEN" not in (told.text or "")
    await all_told(alerts)
    assert len(alice.from_bot()) == 1


async def test_deaths_far_apart_are_no_alert(
    bot: Bot, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    alerts = alerts_to(bot, [1])
    for _ in range(10):
        alerts.painter_lost("why")
        now += module.WITHIN_SECONDS
    await all_told(alerts)
    assert alice.from_bot() == []


async def test_a_full_disk_is_told_once_whatever_else_was_told(bot: Bot, alice: Person) -> None:
    await alice.send_text("/start")
    alerts = alerts_to(bot, [1])
    die(alerts, DEATHS)
    for _ in range(3):
        alerts.machine_fails(OSError(errno.ENOSPC, "No space left on device"))
    await alice.wait_for(lambda m: m.text and "disk is full" in m.text)
    await all_told(alerts)
    assert len(alice.from_bot()) == 2


async def test_each_plugin_that_fails_people_is_named_once(bot: Bot, alice: Person) -> None:
    await alice.send_text("/start")
    alerts = alerts_to(bot, [1])
    for plugin in ("smudge", "crisp", "smudge"):
        alerts.plugin_fails(plugin, "<smear>: KeyError")
    await all_told(alerts)
    told = [message.text or "" for message in alice.from_bot()]
    assert len(told) == 2
    for plugin in ("smudge", "crisp"):
        [one] = [text for text in told if f"plugin {plugin} does not work" in text]
        assert "<smear>: KeyError" in one


async def test_what_else_the_machine_refuses_is_told_too(bot: Bot, alice: Person) -> None:
    await alice.send_text("/start")
    alerts = alerts_to(bot, [1])
    alerts.machine_fails(OSError(errno.EMFILE, "Too many open files"))
    told = await alice.wait_for(lambda m: "wrong with this machine" in (m.text or ""))
    assert "Too many open files" in (told.text or "")


async def test_that_telegram_cannot_be_reached_is_no_failure(bot: Bot, faults: Faults) -> None:
    faults.on("SendMessage", unreachable)
    alerts = alerts_to(bot, [1])
    die(alerts, DEATHS)
    await all_told(alerts)


class NoWords(PlainPresenter):
    """Has a method for notices that is of no use."""

    def __init__(self, say: Say | Exception | None) -> None:
        self._say = say

    def notice(self, code: str, language: str, facts: Mapping[str, str | int]) -> Say | None:
        if isinstance(self._say, Exception):
            raise self._say
        return self._say


@pytest.mark.parametrize(
    "presenter",
    [PlainPresenter(), NoWords(None), NoWords(RuntimeError("a plugin's bug")), NoWords(Say(""))],
    ids=["no method", "no words", "raises", "empty"],
)
class TestNoWords:
    """A presenter that says nothing costs nobody the notice."""

    async def test_owners_are_told_in_plain_words(
        self, bot: Bot, alice: Person, presenter: Presenter
    ) -> None:
        await alice.send_text("/start")
        alerts = alerts_to(bot, [1], presenter)
        alerts.machine_fails(OSError(errno.ENOSPC, "<none> left"))
        told = await alice.wait_for(lambda m: m.text and "disk is full" in m.text)
        assert "<none> left" in (told.text or "")

    def test_an_error_for_the_chat_says_its_own_sentence(self, presenter: Presenter) -> None:
        said = SafePresenter(presenter).notice("a_code", "ru", {}, "It is <so>.")
        assert said == Say("It is &lt;so&gt;.")
