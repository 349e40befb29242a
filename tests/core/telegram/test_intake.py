"""Intake: an update is in the journal before Telegram may forget it, and is handled to the end."""

from __future__ import annotations

import asyncio
import errno
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiogram import Bot, Dispatcher, Router
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramUnauthorizedError,
)
from aiogram.types import CallbackQuery, Message

from impasto.errors import OwnerError, TooManyJobs
from impasto.hookspecs import BOT_GROUP
from impasto.plugins import PluginHost
from impasto.settings import Settings
from impasto.telegram.intake import MOST_TRIES, Intake
from impasto.telegram.notices import ErrorReplies, OwnerAlerts
from impasto.telegram.status.presenter import SafePresenter
from impasto_dialog.presenter import DialogPresenter
from impasto_playground import Person, Playground
from impasto_sqlite import SqliteStorage

from .telegram_bench import Faults, eventually, flood, out_of_order, unreachable

Handle = Callable[[Message], Awaitable[Any]]


class Heard:
    """Texts that handlers were given, in order."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.changed = asyncio.Condition()

    async def __call__(self, text: str) -> None:
        async with self.changed:
            self.texts.append(text)
            self.changed.notify_all()

    async def until(self, number: int) -> None:
        async with asyncio.timeout(30), self.changed:
            await self.changed.wait_for(lambda: len(self.texts) >= number)


@pytest.fixture
async def heard() -> Heard:
    return Heard()


@pytest.fixture
async def make_intake(bot: Bot, storage: SqliteStorage) -> Callable[[Handle], Intake]:
    def make(handle: Handle) -> Intake:
        router = Router()
        router.message.register(handle)
        dispatcher = Dispatcher()
        dispatcher.include_routers(router, error_replies(bot))
        return Intake(bot=bot, dispatcher=dispatcher, journal=storage.journal)

    return make


def error_replies(bot: Bot, owners: Sequence[int] = ()) -> Router:
    presenter = SafePresenter(DialogPresenter([]))
    alerts = OwnerAlerts(bot, owners, presenter)
    return ErrorReplies(PluginHost(BOT_GROUP, Settings()), presenter, alerts).router()


@asynccontextmanager
async def polling(intake: Intake) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(intake.poll())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await intake.drain(0)


def update(
    update_id: int, text: str, chat: int = 1, person: int | None = None, **more: Any
) -> tuple[int, str]:
    """An update from this person; in a private chat their id is that of the chat. `more` are other
    fields of the message."""
    sender = {"id": person or chat, "is_bot": False, "first_name": "A"}
    message = {
        "message_id": update_id,
        "date": 1_700_000_000,
        "chat": {"id": chat, "type": "private" if chat > 0 else "group"},
        "from": sender,
        "text": text,
        **more,
    }
    return update_id, json.dumps({"update_id": update_id, "message": message})


async def handled(intake: Intake, storage: SqliteStorage, *updates: tuple[int, str]) -> None:
    await intake.take(updates)
    await nothing_unfinished(storage)


async def nothing_unfinished(storage: SqliteStorage) -> None:
    async def finished() -> bool:
        return not await storage.journal.unfinished_updates()

    await eventually(finished)


def full_disk(monkeypatch: pytest.MonkeyPatch, storage: SqliteStorage, method: str) -> None:
    """The journal's method fails once."""
    real, failures = getattr(storage.journal, method), [OSError("no space left on device")]

    async def fails_once(*arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return await real(*arguments)

    monkeypatch.setattr(storage.journal, method, fails_once)


class TestTaking:
    async def test_what_a_person_sends_is_handled_and_finished(
        self,
        make_intake: Callable[[Handle], Intake],
        alice: Person,
        heard: Heard,
        storage: SqliteStorage,
    ) -> None:
        async def handle(message: Message) -> None:
            await heard(message.text or "")
            await message.answer("heard")

        async with polling(make_intake(handle)):
            await alice.send_text("hello")
            await alice.wait_for(lambda message: message.text == "heard")
            await nothing_unfinished(storage)
        assert heard.texts == ["hello"]

    async def test_what_could_not_be_stored_comes_again(
        self,
        make_intake: Callable[[Handle], Intake],
        alice: Person,
        heard: Heard,
        storage: SqliteStorage,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        async def handle(message: Message) -> None:
            await heard(message.text or "")

        full_disk(monkeypatch, storage, "take_updates")
        await alice.send_text("hello")
        async with polling(make_intake(handle)):
            await heard.until(1)

    async def test_an_update_that_comes_again_is_ignored(
        self, make_intake: Callable[[Handle], Intake], heard: Heard, storage: SqliteStorage
    ) -> None:
        async def handle(message: Message) -> None:
            await heard(message.text or "")

        intake = make_intake(handle)
        await intake.take([update(7, "a"), update(7, "a")])
        await intake.take([update(7, "a"), update(8, "b")])
        await intake.drain(30)
        assert heard.texts == ["a", "b"]

    async def test_an_update_of_a_shape_nobody_knows_does_not_block_the_others(
        self,
        make_intake: Callable[[Handle], Intake],
        playground: Playground,
        alice: Person,
        heard: Heard,
        storage: SqliteStorage,
    ) -> None:
        async def handle(message: Message) -> None:
            await heard(message.text or "")

        playground.world.updates.put("message", {"message_id": "not a number"})
        await alice.send_text("hello")
        async with polling(make_intake(handle)):
            await heard.until(1)
            await nothing_unfinished(storage)
        assert heard.texts == ["hello"]

    @pytest.mark.parametrize("fault", [unreachable, out_of_order, flood(0)])
    async def test_goes_on_after_trouble(
        self,
        make_intake: Callable[[Handle], Intake],
        alice: Person,
        heard: Heard,
        faults: Faults,
        fault: Any,
    ) -> None:
        async def handle(message: Message) -> None:
            await heard(message.text or "")

        faults.on("GetUpdates", fault, fault)
        await alice.send_text("hello")
        async with polling(make_intake(handle)):
            await heard.until(1)

    async def test_a_webhook_left_behind_is_removed(
        self,
        make_intake: Callable[[Handle], Intake],
        alice: Person,
        heard: Heard,
        faults: Faults,
    ) -> None:
        async def handle(message: Message) -> None:
            await heard(message.text or "")

        def webhook_is_set(method: Any) -> TelegramConflictError:
            return TelegramConflictError(
                method, "Conflict: can't use getUpdates method while webhook is active"
            )

        faults.on("GetUpdates", webhook_is_set)
        await alice.send_text("hello")
        async with polling(make_intake(handle)):
            await heard.until(1)
        assert "DeleteWebhook" in faults.names()

    async def test_another_poller_is_waited_out(
        self,
        make_intake: Callable[[Handle], Intake],
        alice: Person,
        heard: Heard,
        faults: Faults,
    ) -> None:
        async def handle(message: Message) -> None:
            await heard(message.text or "")

        def other_poller(method: Any) -> TelegramConflictError:
            return TelegramConflictError(method, "Conflict: terminated by other getUpdates request")

        faults.on("GetUpdates", other_poller)
        await alice.send_text("hello")
        async with polling(make_intake(handle)):
            await heard.until(1)
        assert "DeleteWebhook" not in faults.names()

    async def test_a_token_that_was_revoked_ends_the_bot(
        self, make_intake: Callable[[Handle], Intake], faults: Faults
    ) -> None:
        async def handle(message: Message) -> None: ...

        faults.on("GetUpdates", lambda method: TelegramUnauthorizedError(method, "Unauthorized"))
        with pytest.raises(OwnerError, match="BotFather"):
            await make_intake(handle).poll()


class TestHandling:
    async def test_order_is_kept_for_a_person_in_a_chat_and_chats_do_not_wait_for_each_other(
        self, make_intake: Callable[[Handle], Intake], heard: Heard
    ) -> None:
        may_go_on = asyncio.Event()

        async def handle(message: Message) -> None:
            if message.text == "slow":
                await may_go_on.wait()
            await heard(message.text or "")

        intake = make_intake(handle)
        await intake.take([update(1, "slow"), update(2, "after it"), update(3, "other", chat=2)])
        await heard.until(1)
        assert heard.texts == ["other"]
        may_go_on.set()
        await heard.until(3)
        assert heard.texts == ["other", "slow", "after it"]
        await intake.drain(30)
        assert intake._last_of == {}  # what is kept of somebody shows only as memory

    async def test_one_member_of_a_group_keeps_no_other_waiting(
        self, make_intake: Callable[[Handle], Intake], heard: Heard
    ) -> None:
        may_go_on = asyncio.Event()

        async def handle(message: Message) -> None:
            if message.from_user and message.from_user.id == 1:
                await may_go_on.wait()
            await heard(message.text or "")

        flood = [update(number, f"{number}", chat=-7, person=1) for number in range(100)]
        intake = make_intake(handle)
        await intake.take([*flood, update(100, "of another", chat=-7, person=2)])
        await heard.until(1)
        assert heard.texts == ["of another"]
        may_go_on.set()
        await intake.drain(30)
        assert heard.texts == ["of another", *(f"{number}" for number in range(100))]

    async def test_what_was_not_finished_is_handled_at_the_next_start(
        self, make_intake: Callable[[Handle], Intake], heard: Heard, storage: SqliteStorage
    ) -> None:
        started = asyncio.Event()

        async def hangs(message: Message) -> None:
            started.set()
            await asyncio.Event().wait()

        async def handle(message: Message) -> None:
            await heard(message.text or "")

        interrupted = make_intake(hangs)
        await interrupted.take([update(1, "a"), update(2, "b")])
        await started.wait()
        await interrupted.drain(0)
        assert len(await storage.journal.unfinished_updates()) == 2
        again = make_intake(handle)
        await again.replay()
        await again.drain(30)
        assert heard.texts == ["a", "b"]
        assert await storage.journal.unfinished_updates() == []

    async def test_an_update_that_ends_the_process_each_time_is_parked(
        self, make_intake: Callable[[Handle], Intake], heard: Heard, storage: SqliteStorage
    ) -> None:
        async def handle(message: Message) -> None:
            await heard(message.text or "")

        await storage.journal.take_updates([update(1, "deadly")])
        for _ in range(MOST_TRIES):
            await storage.journal.begin_update(1)
        intake = make_intake(handle)
        await intake.replay()
        await intake.drain(30)
        assert heard.texts == []
        assert await storage.journal.unfinished_updates() == []

    @pytest.mark.parametrize("method", ["begin_update", "finish_update"])
    async def test_a_full_disk_is_waited_out(
        self,
        make_intake: Callable[[Handle], Intake],
        heard: Heard,
        storage: SqliteStorage,
        monkeypatch: pytest.MonkeyPatch,
        method: str,
    ) -> None:
        async def handle(message: Message) -> None:
            await heard(message.text or "")

        full_disk(monkeypatch, storage, method)
        intake = make_intake(handle)
        await intake.take([update(1, "a")])
        await intake.drain(30)
        assert set(heard.texts) == {"a"}
        assert await storage.journal.unfinished_updates() == []

    async def test_trouble_with_telegram_in_a_handler_is_tried_again(
        self, make_intake: Callable[[Handle], Intake], alice: Person, faults: Faults
    ) -> None:
        async def handle(message: Message) -> None:
            await message.answer("done")

        faults.on("SendMessage", unreachable, out_of_order)
        async with polling(make_intake(handle)):
            await alice.send_text("hello")
            await alice.wait_for(lambda message: message.text == "done")
        assert len(alice.from_bot()) == 1

    async def test_an_outage_costs_nobody_the_answer(
        self, make_intake: Callable[[Handle], Intake], alice: Person, faults: Faults
    ) -> None:
        async def handle(message: Message) -> None:
            await message.answer("done")

        faults.on("SendMessage", *[unreachable, out_of_order] * MOST_TRIES)
        async with polling(make_intake(handle)):
            await alice.send_text("hello")
            await alice.wait_for(lambda message: message.text == "done")
        assert len(alice.from_bot()) == 1

    async def test_trouble_that_does_not_end_parks_the_update(
        self,
        make_intake: Callable[[Handle], Intake],
        alice: Person,
        faults: Faults,
        storage: SqliteStorage,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("impasto.telegram.intake.OUTAGE_SECONDS", 0.0)

        async def handle(message: Message) -> None:
            await message.answer("done")

        faults.on("SendMessage", *[unreachable] * MOST_TRIES)
        async with polling(make_intake(handle)):
            await alice.send_text("hello")
            await faults.until_called("SendMessage", MOST_TRIES)
            await nothing_unfinished(storage)
        assert faults.names().count("SendMessage") == MOST_TRIES


class TestApologies:
    async def test_a_handler_that_fails_is_apologized_for_once(
        self, make_intake: Callable[[Handle], Intake], alice: Person, storage: SqliteStorage
    ) -> None:
        async def handle(message: Message) -> None:
            raise ZeroDivisionError("a bug")

        async with polling(make_intake(handle)):
            await alice.send_text("hello")
            told = await alice.wait_for(lambda message: "Sorry" in (message.text or ""))
            await nothing_unfinished(storage)
        assert "/start" in (told.text or "")
        assert "bug" not in (told.text or "")
        assert len(alice.from_bot()) == 1

    async def test_they_stay_in_the_topic(
        self, make_intake: Callable[[Handle], Intake], storage: SqliteStorage, faults: Faults
    ) -> None:
        async def handle(message: Message) -> None:
            raise ZeroDivisionError("a bug")

        in_topic = {"message_thread_id": 5, "is_topic_message": True}
        await handled(make_intake(handle), storage, update(1, "hello", chat=-7, **in_topic))
        assert [sent.message_thread_id for sent in faults.sent()] == [5]

    async def test_a_group_without_the_right_to_photos_is_told_the_reason(
        self, make_intake: Callable[[Handle], Intake], alice: Person, faults: Faults
    ) -> None:
        async def handle(message: Message) -> None:
            await message.answer_photo("id")

        why = "Bad Request: not enough rights to send photos to the chat"
        faults.on("SendPhoto", lambda method: TelegramBadRequest(method, why))
        async with polling(make_intake(handle)):
            await alice.send_text("hello")
            await alice.wait_for(lambda message: "send photos" in (message.text or ""))

    async def test_a_group_that_has_become_a_supergroup_is_answered_there(
        self, make_intake: Callable[[Handle], Intake], storage: SqliteStorage, faults: Faults
    ) -> None:
        async def handle(message: Message) -> None:
            await message.answer(message.chat.type)

        faults.on("SendMessage", lambda method: TelegramMigrateToChat(method, "upgraded", -1007))
        await handled(make_intake(handle), storage, update(1, "/style", chat=-7, person=1))
        assert [(sent.chat_id, sent.text) for sent in faults.sent()] == [
            (-7, "group"),
            (-1007, "supergroup"),
        ]

    async def test_a_machine_that_fails_is_told_to_person_and_owners(
        self, bot: Bot, storage: SqliteStorage, alice: Person
    ) -> None:
        async def handle(message: Message) -> None:
            raise OSError(errno.ENOMEM, "Redis takes no writes")

        router = Router()
        router.message.register(handle)
        dispatcher = Dispatcher()
        dispatcher.include_routers(router, error_replies(bot, owners=[1]))
        async with polling(Intake(bot=bot, dispatcher=dispatcher, journal=storage.journal)):
            await alice.send_text("hello")
            await alice.wait_for(lambda message: "no room" in (message.text or ""))
            await alice.wait_for(lambda message: "Redis takes no writes" in (message.text or ""))

    async def test_in_the_language_of_the_person(
        self, make_intake: Callable[[Handle], Intake], playground: Playground
    ) -> None:
        async def handle(message: Message) -> None:
            raise ZeroDivisionError("a bug")

        async with (
            polling(make_intake(handle)),
            Person(playground.url, user_id=2, language_code="ru") as boris,
        ):
            await boris.send_text("привет")
            await boris.wait_for(lambda message: "Извините" in (message.text or ""))

    async def test_an_error_for_the_chat_speaks_for_itself(
        self, make_intake: Callable[[Handle], Intake], alice: Person
    ) -> None:
        async def handle(message: Message) -> None:
            raise TooManyJobs("of_a_plugin", "Wait for <one> & go on.")

        async with polling(make_intake(handle)):
            await alice.send_text("hello")
            await alice.wait_for(lambda message: message.text == "Wait for <one> & go on.")

    async def test_a_tapped_button_stops_spinning(
        self, bot: Bot, storage: SqliteStorage, alice: Person
    ) -> None:
        from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

        async def offer(message: Message) -> None:
            button = InlineKeyboardButton(text="tap", callback_data="tap")
            await message.answer("?", reply_markup=InlineKeyboardMarkup(inline_keyboard=[[button]]))

        async def fail(callback: CallbackQuery) -> None:
            raise ZeroDivisionError("a bug")

        router = Router()
        router.message.register(offer)
        router.callback_query.register(fail)
        dispatcher = Dispatcher()
        dispatcher.include_routers(router, error_replies(bot))
        async with polling(Intake(bot=bot, dispatcher=dispatcher, journal=storage.journal)):
            await alice.send_text("hello")
            await alice.wait_for(lambda message: message.text == "?")
            await alice.answer_to(await alice.tap("tap"))
            await alice.wait_for(lambda message: "Sorry" in (message.text or ""))

    async def test_who_blocked_the_bot_is_left_alone(
        self,
        make_intake: Callable[[Handle], Intake],
        alice: Person,
        storage: SqliteStorage,
        faults: Faults,
    ) -> None:
        async def handle(message: Message) -> None:
            await message.answer("done")

        faults.on(
            "SendMessage",
            lambda method: TelegramForbiddenError(method, "Forbidden: bot was blocked by the user"),
        )
        async with polling(make_intake(handle)):
            await alice.send_text("hello")
            await faults.until_called("SendMessage")
            await nothing_unfinished(storage)
        assert alice.from_bot() == []
