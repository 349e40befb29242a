"""Whom the bot works for: nobody who is banned is answered, nobody who is not allowed is served."""

from __future__ import annotations

from typing import Any

import pytest
from aiogram import Bot, Dispatcher, Router
from aiogram.types import Update

from impasto.settings import TelegramSettings
from impasto.telegram.access import AccessControl
from impasto.telegram.status.presenter import SafePresenter
from impasto_dialog.presenter import DialogPresenter
from impasto_playground import Playground

from .telegram_bench import Faults

ALICE, BORIS = 1, 2


class Served:
    def __init__(self, bot: Bot, **settings: list[int]) -> None:
        self.people: list[int] = []
        self._bot = bot
        self._dispatcher = Dispatcher()
        presenter = SafePresenter(DialogPresenter([]))
        self._dispatcher.update.outer_middleware(
            AccessControl(TelegramSettings(**settings), presenter)
        )
        router = Router()
        router.message.register(self._serve)
        router.callback_query.register(self._serve)
        self._dispatcher.include_router(router)

    async def _serve(self, event: Any) -> None:
        self.people.append(event.from_user.id)

    async def message(self, person: int, chat: int | None = None, language: str = "en") -> None:
        await self._feed(message=message_of(person, chat or person, language))

    async def tap(self, person: int) -> None:
        user = message_of(person, person)["from"]
        shown = message_of(123456, person)
        query = {"id": "1", "from": user, "chat_instance": "1", "data": "x", "message": shown}
        await self._feed(callback_query=query)

    async def _feed(self, **event: Any) -> None:
        update = Update.model_validate({"update_id": 1, **event}, context={"bot": self._bot})
        await self._dispatcher.feed_update(self._bot, update)


def message_of(person: int, chat: int, language: str = "en") -> dict[str, Any]:
    user = {"id": person, "is_bot": False, "first_name": "A", "language_code": language}
    where = {"id": chat, "type": "private" if chat > 0 else "group"}
    return {"message_id": 1, "date": 1, "from": user, "chat": where, "text": "hello"}


def told(faults: Faults) -> list[str]:
    return [call.text for call in faults.calls if type(call).__name__ == "SendMessage"]


async def test_everybody_is_served_when_nobody_is_named(bot: Bot, faults: Faults) -> None:
    served = Served(bot)
    await served.message(ALICE)
    await served.tap(BORIS)
    assert (served.people, faults.calls) == ([ALICE, BORIS], [])


async def test_somebody_banned_gets_no_answer(bot: Bot, faults: Faults) -> None:
    served = Served(bot, ban=[BORIS])
    for _ in range(2):
        await served.message(BORIS)
        await served.tap(BORIS)
        await served.message(ALICE)
    assert (served.people, faults.calls) == ([ALICE, ALICE], [])


async def test_somebody_who_is_not_allowed_is_told_once(
    bot: Bot, faults: Faults, playground: Playground
) -> None:
    served = Served(bot, allow=[ALICE])
    for _ in range(3):
        await served.message(BORIS, language="ru")
        await served.tap(BORIS)
        await served.message(ALICE)
    assert served.people == [ALICE] * 3
    [sentence] = told(faults)
    assert "Попросите владельца" in sentence


async def test_a_tap_is_answered_as_a_message_is(bot: Bot, faults: Faults) -> None:
    await Served(bot, allow=[ALICE]).tap(BORIS)
    [sentence] = told(faults)
    assert "ask its owner" in sentence


async def test_in_groups_nobody_is_told(bot: Bot, faults: Faults) -> None:
    served = Served(bot, allow=[ALICE])
    await served.message(BORIS, chat=-5)
    assert (served.people, faults.calls) == ([], [])


@pytest.mark.parametrize("settings", [{"allow": [ALICE], "admins": [BORIS]}, {"admins": [ALICE]}])
async def test_owners_need_not_be_on_the_list(bot: Bot, settings: dict[str, list[int]]) -> None:
    served = Served(bot, **settings)
    await served.message(BORIS)
    assert served.people == [BORIS]


async def test_a_ban_is_stronger_than_the_list(bot: Bot) -> None:
    served = Served(bot, allow=[ALICE], ban=[ALICE])
    await served.message(ALICE)
    assert served.people == []
