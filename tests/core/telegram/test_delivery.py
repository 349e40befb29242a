"""Delivery: one message per job that tells how it is getting on, and the result without fail."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from aiogram.methods import TelegramMethod
from aiogram.types import Message, User

from impasto.contracts import Journal, News, Say
from impasto.errors import InvalidTransition
from impasto.jobs.estimates import Estimates
from impasto.jobs.job import (
    PHOTOS_FORBIDDEN,
    ChosenStyle,
    Failure,
    Job,
    JobState,
    TelegramPicture,
)
from impasto.jobs.recovery import Recovery
from impasto.jobs.store import JobStore
from impasto.messages import Measured, Progress, Ready
from impasto.settings import PaintingSettings
from impasto.telegram.delivery import Delivery
from impasto.telegram.pictures import photo_of
from impasto.telegram.status.message import StatusMessage
from impasto.telegram.status.presenter import SafePresenter
from impasto_local_queue import LocalQueue
from impasto_playground import Person, Playground
from impasto_sqlite import SqliteStorage

from .telegram_bench import (
    Faults,
    PlainPresenter,
    color_of,
    eventually,
    flood,
    jpeg,
    out_of_order,
    unreachable,
    until_job,
    until_state,
)

MakeDelivery = Callable[..., Delivery]


@pytest.fixture
async def make_delivery(bot: Bot, store: JobStore) -> AsyncIterator[MakeDelivery]:
    made: list[Delivery] = []

    def make(presenter: Any = None, edit_seconds: float = 0.0) -> Delivery:
        delivery = Delivery(
            bot=bot,
            store=store,
            estimates=Estimates(store.journal, PaintingSettings()),
            presenter=SafePresenter(presenter or PlainPresenter()),
            edit_seconds=edit_seconds,
        )
        store.observe(delivery)
        made.append(delivery)
        return delivery

    yield make
    for delivery in made:
        await delivery.close()


@pytest.fixture
async def delivery(make_delivery: MakeDelivery) -> Delivery:
    return make_delivery()


@pytest.fixture
async def photo(alice: Person) -> TelegramPicture:
    message = await alice.send_photo(jpeg("green"))
    assert message.photo
    return TelegramPicture(file_id=message.photo[-1].file_id)


async def written(store: JobStore, content: TelegramPicture) -> Job:
    job = Job(person=1, chat=1, content=content, styles=(ChosenStyle(preset="wave"),))
    await store.add(job)
    return job


@pytest.fixture
async def job(store: JobStore, photo: TelegramPicture) -> Job:
    return await written(store, photo)


async def announced(delivery: Delivery, store: JobStore, job: Job) -> Job:
    await delivery.accepted(job)
    stored = await store.journal.get(job.id)
    assert stored is not None
    return stored


def progress(job: Job, step: int, preview: Path | None = None) -> Progress:
    return Progress(
        job_id=job.id,
        step=step,
        steps=10,
        level=1,
        levels=1,
        share=step / 10,
        pixels=120_000,
        seconds=1.0,
        seconds_left=1.0,
        preview=preview,
    )


async def painted(store: JobStore, job: Job, folder: Path, content: bytes | None = None) -> Job:
    result = folder / "result.jpg"
    result.write_bytes(jpeg("red") if content is None else content)
    await store.move(job.id, JobState.RUNNING)
    return await store.move(job.id, JobState.PAINTED, result=result)


def says(text: str) -> Callable[[Message], bool]:
    return lambda message: text in (message.text, message.caption)


def end_at_once(delivery: Delivery) -> None:
    """As the end of its process does: `close` would let people be told of what has ended."""
    for task in list(delivery._tasks.values()):
        task.cancel()


class InterruptedJournal:
    """A journal in whose first note something else comes in between."""

    def __init__(self, journal: Journal, other: Callable[[], Awaitable[None]]) -> None:
        self._journal = journal
        self._other: Callable[[], Awaitable[None]] | None = other

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    async def note(self, job_id: str, **facts: Any) -> Job:
        other, self._other = self._other, None
        if other is not None:
            await other()
        return await self._journal.note(job_id, **facts)


class TestAnnouncing:
    async def test_shows_the_person_their_own_photo(
        self, delivery: Delivery, store: JobStore, job: Job, alice: Person
    ) -> None:
        stored = await announced(delivery, store, job)
        status = await alice.wait_for(says("waiting 0"))
        assert (stored.status_message, stored.status_has_picture) == (status.message_id, True)
        assert status.photo
        assert color_of(await alice.download(status.photo[-1].file_id)) == "green"
        assert status.reply_markup is not None

    async def test_says_how_many_are_ahead(
        self, delivery: Delivery, store: JobStore, job: Job, photo: TelegramPicture, alice: Person
    ) -> None:
        await announced(delivery, store, await written(store, photo))
        await alice.wait_for(says("waiting 1"))

    async def test_a_document_is_announced_by_a_text(
        self, delivery: Delivery, store: JobStore, alice: Person
    ) -> None:
        message = await alice.send_document(jpeg())
        assert message.document
        content = TelegramPicture(file_id=message.document.file_id, as_photo=False)
        stored = await announced(delivery, store, await written(store, content))
        status = await alice.wait_for(says("waiting 0"))
        assert status.text == "waiting 0"
        assert (stored.status_message, stored.status_has_picture) == (status.message_id, False)

    async def test_a_photo_that_cannot_be_sent_again_is_announced_by_a_text(
        self, delivery: Delivery, store: JobStore, alice: Person, photo: TelegramPicture
    ) -> None:
        stored = await announced(
            delivery, store, await written(store, TelegramPicture(file_id="no-such-file"))
        )
        assert (await alice.wait_for(says("waiting 0"))).text
        assert not stored.status_has_picture

    async def test_waits_for_one_try_only(
        self, delivery: Delivery, store: JobStore, job: Job, alice: Person, faults: Faults
    ) -> None:
        faults.on("SendPhoto", unreachable, out_of_order)
        await delivery.accepted(job)
        await alice.wait_for(says("waiting 0"))
        assert faults.names().count("SendPhoto") == 3

    async def test_happens_once(
        self, delivery: Delivery, store: JobStore, job: Job, faults: Faults
    ) -> None:
        await asyncio.gather(delivery.accepted(job), delivery.accepted(job))
        assert faults.names().count("SendPhoto") == 1

    async def test_happens_also_when_a_worker_on_another_machine_was_faster(
        self, make_delivery: MakeDelivery, store: JobStore, job: Job, alice: Person
    ) -> None:
        bots, workers = make_delivery(), make_delivery()
        running = await store.claim()
        assert running is not None
        workers.progress(running, progress(running, 1))
        stored = await announced(bots, store, job)
        workers.progress(running, progress(running, 2))
        status = await alice.wait_for(says("painting 2"))
        assert status.message_id == stored.status_message
        assert len(alice.from_bot()) == 1

    @pytest.mark.parametrize("state", [JobState.RUNNING, JobState.PAINTED])
    async def test_comes_although_a_worker_elsewhere_has_begun_and_not_when_it_is_done(
        self, delivery: Delivery, store: JobStore, job: Job, faults: Faults, state: JobState
    ) -> None:
        def begun_elsewhere(method: TelegramMethod[Any]) -> Exception:
            delivery.job_left(job.model_copy(update={"state": state}))
            return unreachable(method)

        faults.on("SendPhoto", begun_elsewhere)
        await delivery.accepted(job)
        await delivery.close()
        assert faults.names().count("SendPhoto") == (2 if state is JobState.RUNNING else 1)

    async def test_comes_no_more_when_the_job_is_over(
        self, bot: Bot, store: JobStore, job: Job, alice: Person, faults: Faults
    ) -> None:
        over = asyncio.Event()
        faults.on("SendPhoto", unreachable)
        message = StatusMessage(job, bot=bot, store=store, on_failure=over.set, is_over=over.is_set)
        await message.announce(Say("waiting"))
        assert faults.names() == ["SendPhoto"]
        assert alice.from_bot() == []

    @pytest.mark.parametrize("later", ["the first message", "the result"])
    async def test_of_two_messages_that_come_at_a_time_the_picture_stays(
        self, bot: Bot, store: JobStore, job: Job, alice: Person, later: str
    ) -> None:
        """The bot sends the first message late, and a worker on another machine the result."""
        waiting, result = (
            StatusMessage(job, bot=bot, store=store, on_failure=print, is_over=lambda: False)
            for _ in "ab"
        )
        in_order: list[Callable[[], Awaitable[None]]] = [
            lambda: waiting.announce(Say("waiting")),
            lambda: result.show_result(jpeg("red"), Say("painted")),
        ]
        if later == "the result":
            in_order.reverse()
        one_before_it_notes, other = in_order
        journal = store.journal
        store.journal = InterruptedJournal(journal, other)
        await one_before_it_notes()
        await alice.wait_until(lambda: captions(alice) == ["painted"])
        stored = await journal.get(job.id)
        assert stored is not None
        assert stored.status_message == alice.from_bot()[0].message_id

    async def test_a_person_who_blocked_the_bot_has_no_job_any_more(
        self, delivery: Delivery, store: JobStore, job: Job, alice: Person
    ) -> None:
        await alice.block()
        stored = await announced(delivery, store, job)
        assert stored.state is JobState.ABANDONED


class TestWaiting:
    async def test_shows_the_place_as_it_changes(
        self, delivery: Delivery, store: JobStore, photo: TelegramPicture, alice: Person
    ) -> None:
        jobs = [await written(store, photo) for _ in range(3)]
        stored = [await announced(delivery, store, job) for job in jobs]
        assert [m.caption for m in alice.from_bot()] == ["waiting 0", "waiting 1", "waiting 2"]
        await store.move(jobs[0].id, JobState.CANCELLED)
        await alice.wait_until(lambda: captions(alice)[1:] == ["waiting 0", "waiting 1"])
        await store.move(jobs[1].id, JobState.CANCELLED)
        last = await alice.wait_for(lambda m: m.message_id == stored[2].status_message)
        await alice.wait_until(lambda: captions(alice)[2] == "waiting 0")
        assert last.photo

    async def test_says_nothing_while_the_place_is_the_same(
        self,
        delivery: Delivery,
        store: JobStore,
        photo: TelegramPicture,
        alice: Person,
        faults: Faults,
    ) -> None:
        first, second, third = [await written(store, photo) for _ in range(3)]
        for job in (first, second, third):
            await announced(delivery, store, job)
        await store.move(third.id, JobState.CANCELLED)
        await store.move(first.id, JobState.CANCELLED)
        await alice.wait_until(lambda: captions(alice)[1] == "waiting 0")
        assert faults.names().count("EditMessageCaption") == 1, "the others' places are as before"

    async def test_answers_what_was_asked_in_a_group(
        self, playground: Playground, delivery: Delivery, store: JobStore, faults: Faults
    ) -> None:
        async with Person(playground.url, 1, group=5) as alice:
            sent = await alice.send_photo(jpeg("green"))
            assert sent.photo
            job = Job(
                person=1,
                chat=-5,
                content=TelegramPicture(file_id=sent.photo[-1].file_id),
                styles=(ChosenStyle(preset="wave"),),
                reply_to=sent.message_id,
            )
            await store.add(job)
            await announced(delivery, store, job)
            status = await alice.wait_for(says("waiting 0"))
            assert status.reply_to_message is not None
            assert status.reply_to_message.message_id == sent.message_id


async def test_all_about_a_job_is_sent_to_its_topic(
    delivery: Delivery, store: JobStore, job: Job, faults: Faults, tmp_path: Path
) -> None:
    job = await store.note(job.id, thread=5)
    await delivery.accepted(job)
    delivery.finished(await painted(store, job, tmp_path))
    await until_state(store.journal, job.id, JobState.DELIVERED)
    delivery.file_wanted(await store.note(job.id, file_caption="Wave"))
    await faults.until_called("SendDocument")
    kinds = {type(sent).__name__: sent.message_thread_id for sent in faults.sent()}
    assert kinds == {"SendPhoto": 5, "SendMessage": 5, "SendDocument": 5}


@pytest.mark.parametrize("why", ["message thread not found", "TOPIC_CLOSED"])
async def test_a_topic_that_is_gone_costs_no_result(
    delivery: Delivery, store: JobStore, job: Job, faults: Faults, tmp_path: Path, why: str
) -> None:
    gone = lambda method: TelegramBadRequest(method, f"Bad Request: {why}")  # noqa: E731
    faults.on("SendPhoto", gone)
    job = await store.note(job.id, thread=5)
    await delivery.accepted(job)
    delivery.finished(await painted(store, job, tmp_path))
    told = await until_state(store.journal, job.id, JobState.DELIVERED)
    assert told.thread is None
    assert [sent.message_thread_id for sent in faults.sent()] == [5, None, None]


def captions(person: Person) -> list[str | None]:
    return [message.caption for message in person.from_bot()]


class TestProgress:
    async def test_edits_the_caption_and_shows_previews(
        self, delivery: Delivery, store: JobStore, job: Job, alice: Person, tmp_path: Path
    ) -> None:
        stored = await announced(delivery, store, job)
        delivery.progress(stored, progress(job, 1))
        await alice.wait_for(says("painting 1"))
        preview = tmp_path / "preview.jpg"
        preview.write_bytes(jpeg("blue"))
        delivery.progress(stored, progress(job, 2, preview))
        status = await alice.wait_for(says("painting 2"))
        assert status.message_id == stored.status_message
        assert status.photo
        assert color_of(await alice.download(status.photo[-1].file_id)) == "blue"

    async def test_the_latest_wins_and_a_preview_in_between_is_not_lost(
        self,
        delivery: Delivery,
        store: JobStore,
        job: Job,
        alice: Person,
        faults: Faults,
        tmp_path: Path,
    ) -> None:
        stored = await announced(delivery, store, job)
        gate = faults.hold("EditMessageCaption")
        delivery.progress(stored, progress(job, 1))
        await faults.until_called("EditMessageCaption")
        preview = tmp_path / "preview.jpg"
        preview.write_bytes(jpeg("blue"))
        for step in (2, 3, 4):
            delivery.progress(stored, progress(job, step, preview if step == 3 else None))
        gate.set()
        status = await alice.wait_for(says("painting 4"))
        assert status.photo
        assert color_of(await alice.download(status.photo[-1].file_id)) == "blue"
        said = [message.caption for message in alice.versions()]
        assert "painting 2" not in said
        assert "painting 3" not in said

    async def test_a_text_becomes_a_picture_with_the_first_preview(
        self, delivery: Delivery, store: JobStore, alice: Person, tmp_path: Path
    ) -> None:
        message = await alice.send_document(jpeg())
        assert message.document
        content = TelegramPicture(file_id=message.document.file_id, as_photo=False)
        stored = await announced(delivery, store, await written(store, content))
        preview = tmp_path / "preview.jpg"
        preview.write_bytes(jpeg("blue"))
        delivery.progress(stored, progress(stored, 1, preview))
        status = await alice.wait_for(says("painting 1"))
        assert status.photo
        assert len(alice.from_bot()) == 1

    async def test_a_preview_that_is_gone_leaves_the_words(
        self, delivery: Delivery, store: JobStore, job: Job, alice: Person, tmp_path: Path
    ) -> None:
        stored = await announced(delivery, store, job)
        delivery.progress(stored, progress(job, 1, tmp_path / "gone.jpg"))
        await alice.wait_for(says("painting 1"))

    async def test_is_dropped_when_telegram_is_out_of_order(
        self, delivery: Delivery, store: JobStore, job: Job, alice: Person, faults: Faults
    ) -> None:
        stored = await announced(delivery, store, job)
        faults.on("EditMessageCaption", out_of_order)
        delivery.progress(stored, progress(job, 1))
        await faults.until_called("EditMessageCaption")
        delivery.progress(stored, progress(job, 2))
        await alice.wait_for(says("painting 2"))
        assert faults.names().count("EditMessageCaption") == 2

    async def test_what_was_deleted_does_not_come_back_before_the_result(
        self,
        delivery: Delivery,
        store: JobStore,
        job: Job,
        alice: Person,
        faults: Faults,
        tmp_path: Path,
    ) -> None:
        stored = await announced(delivery, store, job)
        status = await alice.wait_for(says("waiting 0"))
        await alice.delete(status.message_id)
        delivery.progress(stored, progress(job, 1))
        await faults.until_called("EditMessageCaption")
        delivery.finished(await painted(store, job, tmp_path))
        result = await alice.wait_for(says("painted"))
        assert result.message_id != status.message_id
        done = await until_state(store.journal, job.id, JobState.DELIVERED)
        assert done.status_message == result.message_id
        assert faults.names().count("SendPhoto") == 2

    async def test_waits_between_edits_but_the_result_does_not(
        self,
        make_delivery: MakeDelivery,
        store: JobStore,
        job: Job,
        alice: Person,
        tmp_path: Path,
        faults: Faults,
    ) -> None:
        delivery = make_delivery(edit_seconds=3600)
        stored = await announced(delivery, store, job)
        delivery.progress(stored, progress(job, 1))
        await alice.wait_for(says("painting 1"))  # the first edit has none before it
        delivery.progress(stored, progress(job, 2))
        delivery.finished(await painted(store, job, tmp_path))
        await until_state(store.journal, job.id, JobState.DELIVERED)
        assert faults.names().count("EditMessageCaption") == 1


class TestLanguage:
    async def test_another_one_counts_at_once(
        self, make_delivery: MakeDelivery, store: JobStore, photo: TelegramPicture, alice: Person
    ) -> None:
        delivery = make_delivery(presenter=Polyglot())
        running, waiting = await written(store, photo), await written(store, photo)
        for job in (running, waiting):
            await delivery.accepted(job)
        await store.claim()
        delivery.progress(running, progress(running, 1))
        await alice.wait_for(says("en painting"))
        for job in (running, waiting):
            delivery.reworded(await store.note(job.id, language="ru"))
        await alice.wait_until(lambda: captions(alice) == ["ru painting", "ru waiting"])


class Polyglot(PlainPresenter):
    """Says in which language it speaks."""

    def waiting(self, job: Job, ahead: int, seconds: float | None) -> Say:
        return Say(f"{job.language} waiting")

    def painting(self, job: Job, progress: Progress) -> Say:
        return Say(f"{job.language} painting")


class TestTimeLeft:
    async def test_the_first_progress_has_it_from_what_is_known(
        self, make_delivery: MakeDelivery, store: JobStore, job: Job, alice: Person
    ) -> None:
        delivery = make_delivery(presenter=Clock())
        pace = Measured(pixels=500_000, steps=50, seconds=40.0)
        delivery._estimates.painter_ready(Ready(pid=1, device="cpu"), pace)
        await delivery.accepted(job)
        first = progress(job, 1).model_copy(update={"seconds_left": None})
        delivery.progress(job, first)
        await alice.wait_for(lambda m: (m.caption or "").startswith("left "))
        assert "None" not in (alice.from_bot()[-1].caption or "")


class Clock(PlainPresenter):
    def painting(self, job: Job, progress: Progress) -> Say:
        return Say(f"left {progress.seconds_left}")


class TestResult:
    async def test_takes_the_place_of_the_status_and_a_text_notifies(
        self, delivery: Delivery, store: JobStore, job: Job, alice: Person, tmp_path: Path
    ) -> None:
        stored = await announced(delivery, store, job)
        delivery.finished(await painted(store, job, tmp_path))
        done = await until_state(store.journal, job.id, JobState.DELIVERED)
        ready = await alice.wait_for(says("ready"))
        result = await alice.wait_for(says("painted"))
        assert result.message_id == stored.status_message == done.status_message
        assert result.photo
        assert color_of(await alice.download(result.photo[-1].file_id)) == "red"
        assert done.photo_id == result.photo[-1].file_id
        assert ready.reply_to_message is not None
        assert ready.reply_to_message.message_id == result.message_id

    async def test_a_machine_that_cannot_read_it_now_reads_it_later(
        self,
        delivery: Delivery,
        store: JobStore,
        job: Job,
        alice: Person,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        tries: list[Path] = []

        def photo_of_busy_machine(result: Path) -> bytes:
            tries.append(result)
            if len(tries) == 1:
                raise OSError(errno.EMFILE, "Too many open files", str(result))
            return photo_of(result)

        monkeypatch.setattr("impasto.telegram.status.conversation.photo_of", photo_of_busy_machine)
        await announced(delivery, store, job)
        delivery.finished(await painted(store, job, tmp_path))
        await until_state(store.journal, job.id, JobState.DELIVERED)
        assert (await alice.wait_for(says("painted"))).photo
        assert len(tries) == 2

    async def test_a_file_that_the_machine_cannot_open_now_is_sent_later(
        self, delivery: Delivery, store: JobStore, job: Job, tmp_path: Path, faults: Faults
    ) -> None:
        def busy(method: TelegramMethod[Any]) -> OSError:
            return OSError(errno.EMFILE, "Too many open files")

        faults.on("SendDocument", busy)
        await painted(store, job, tmp_path)
        delivery.file_wanted(await store.note(job.id, file_caption="Wave"))
        await until_job(store.journal, job.id, lambda now: now.file_id is not None)
        assert faults.names().count("SendDocument") == 2

    async def test_told_again_after_a_crash_it_is_one_picture(
        self,
        make_delivery: MakeDelivery,
        store: JobStore,
        job: Job,
        alice: Person,
        tmp_path: Path,
        faults: Faults,
    ) -> None:
        first = make_delivery()
        await first.accepted(job)
        gate = faults.hold("SendMessage")  # the process ends between the picture and the text
        first.finished(await painted(store, job, tmp_path))
        await faults.until_called("SendMessage")
        end_at_once(first)
        gate.set()
        again = await store.journal.get(job.id)
        assert again is not None
        assert again.state is JobState.PAINTED
        make_delivery().finished(again)
        await until_state(store.journal, job.id, JobState.DELIVERED)
        await alice.wait_for(says("ready"))
        assert len([message for message in alice.from_bot() if message.photo]) == 1

    async def test_is_tried_until_telegram_takes_it(
        self,
        delivery: Delivery,
        store: JobStore,
        job: Job,
        alice: Person,
        tmp_path: Path,
        faults: Faults,
    ) -> None:
        await delivery.accepted(job)
        faults.on("EditMessageMedia", unreachable, out_of_order, unreachable)
        faults.on("SendMessage", out_of_order)
        delivery.finished(await painted(store, job, tmp_path))
        await until_state(store.journal, job.id, JobState.DELIVERED)
        assert faults.names().count("EditMessageMedia") == 4
        assert [m.text for m in alice.versions() if m.text == "ready"] == ["ready"]

    async def test_waits_as_long_as_telegram_asks(
        self,
        delivery: Delivery,
        store: JobStore,
        job: Job,
        tmp_path: Path,
        faults: Faults,
    ) -> None:
        await delivery.accepted(job)
        faults.on("EditMessageMedia", flood(1))
        delivery.finished(await painted(store, job, tmp_path))
        await faults.until_called("EditMessageMedia", 2)
        assert faults.seconds_between("EditMessageMedia", "EditMessageMedia") > 0.9
        await until_state(store.journal, job.id, JobState.DELIVERED)

    async def test_a_flooded_chat_is_left_alone_by_progress_too(
        self, delivery: Delivery, store: JobStore, job: Job, tmp_path: Path, faults: Faults
    ) -> None:
        stored = await announced(delivery, store, job)
        faults.on("EditMessageCaption", flood(2))
        delivery.progress(stored, progress(job, 1))
        await faults.until_called("EditMessageCaption")
        delivery.progress(stored, progress(job, 2))
        delivery.finished(await painted(store, job, tmp_path))
        await faults.until_called("EditMessageMedia")
        assert faults.seconds_between("EditMessageCaption", "EditMessageMedia") > 1.9
        assert faults.names().count("EditMessageCaption") == 1

    async def test_that_cannot_be_read_is_a_failure_that_is_told(
        self, delivery: Delivery, store: JobStore, job: Job, alice: Person, tmp_path: Path
    ) -> None:
        await delivery.accepted(job)
        done = await painted(store, job, tmp_path)
        assert done.result is not None
        done.result.unlink()
        delivery.finished(done)
        await alice.wait_for(says("failed painting_failed"))
        await until_state(store.journal, job.id, JobState.EXPLAINED)

    async def test_that_telegram_refuses_is_a_failure_that_is_told(
        self, delivery: Delivery, store: JobStore, job: Job, alice: Person, tmp_path: Path
    ) -> None:
        await delivery.accepted(job)
        delivery.finished(await painted(store, job, tmp_path, b"not a picture"))
        await alice.wait_for(says("failed painting_failed"))
        await until_state(store.journal, job.id, JobState.EXPLAINED)

    async def test_that_a_group_forbids_is_explained_by_that(
        self, delivery: Delivery, store: JobStore, job: Job, faults: Faults, tmp_path: Path
    ) -> None:
        why = "Bad Request: not enough rights to send photos to the chat"
        for method in ("SendPhoto", "EditMessageMedia", "EditMessageMedia"):
            faults.on(method, lambda method: TelegramBadRequest(method, why))
        await delivery.accepted(job)
        delivery.finished(await painted(store, job, tmp_path))
        told = await until_state(store.journal, job.id, JobState.EXPLAINED)
        assert told.failure == PHOTOS_FORBIDDEN

    async def test_nobody_is_left_to_take_it(
        self, delivery: Delivery, store: JobStore, job: Job, alice: Person, tmp_path: Path
    ) -> None:
        await delivery.accepted(job)
        done = await painted(store, job, tmp_path)
        await alice.block()
        delivery.finished(done)
        await until_state(store.journal, job.id, JobState.ABANDONED)

    async def test_on_its_way_when_the_bot_ends_still_arrives(
        self, delivery: Delivery, store: JobStore, job: Job, tmp_path: Path
    ) -> None:
        await delivery.accepted(job)
        delivery.finished(await painted(store, job, tmp_path))
        await delivery.close()
        await until_state(store.journal, job.id, JobState.DELIVERED)

    async def test_an_unexpected_error_does_not_end_it(
        self,
        delivery: Delivery,
        store: JobStore,
        job: Job,
        alice: Person,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        await delivery.accepted(job)
        done = await painted(store, job, tmp_path)
        move, failures = store.journal.move, [OSError("no space left on device")]

        async def full_once(*arguments: Any, **facts: Any) -> Job:
            if failures:
                raise failures.pop()
            return await move(*arguments, **facts)

        monkeypatch.setattr(store.journal, "move", full_once)
        delivery.finished(done)
        await until_state(store.journal, job.id, JobState.DELIVERED)
        assert [m.text for m in alice.versions() if m.text == "ready"] == ["ready"]


async def test_a_job_that_its_store_has_lost_is_explained_once(
    delivery: Delivery, store: JobStore, job: Job, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await announced(delivery, store, job)
    await lose(monkeypatch, store, job)
    await store.look_for_vanished()
    await alice.wait_for(says("failed job_vanished"))
    await eventually(lambda: nothing_at_hand(delivery))
    await store.look_for_vanished()
    assert [m.text for m in alice.from_bot()] == ["failed job_vanished"]


async def test_a_job_that_is_lost_when_its_picture_is_ready_is_explained(
    delivery: Delivery,
    store: JobStore,
    job: Job,
    alice: Person,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await delivery.accepted(job)
    done = await painted(store, job, tmp_path)
    await lose(monkeypatch, store, job)
    delivery.finished(done)
    await alice.wait_for(says("failed job_vanished"))
    await eventually(lambda: nothing_at_hand(delivery))


async def lose(monkeypatch: pytest.MonkeyPatch, store: JobStore, job: Job) -> None:
    """As an emptied Redis does; SQLite loses nothing by itself."""

    async def get(job_id: str) -> Job | None:
        return None

    async def write(*_: Any, **__: Any) -> Job:
        raise InvalidTransition(f"there is no job {job.id}")

    monkeypatch.setattr(store.journal, "get", get)
    for name in ("move", "note"):
        monkeypatch.setattr(store.journal, name, write)


async def nothing_at_hand(delivery: Delivery) -> bool:
    return not [*delivery.jobs_at_hand()]


class TestOutOfView:
    """Other messages came after the one that shows the job."""

    @pytest.fixture
    async def buried(
        self, delivery: Delivery, store: JobStore, job: Job, bot: Bot, alice: Person
    ) -> Job:
        """As the journal has it when a message came after its own."""
        await delivery.accepted(job)
        sent = await bot.send_message(1, "something else")
        return await until_job(
            store.journal, job.id, lambda now: now.later_message == sent.message_id
        )

    async def test_the_picture_comes_below_and_the_old_message_says_so(
        self, delivery: Delivery, store: JobStore, buried: Job, alice: Person, tmp_path: Path
    ) -> None:
        delivery.finished(await painted(store, buried, tmp_path))
        done = await until_state(store.journal, buried.id, JobState.DELIVERED)
        await alice.wait_for(lambda m: m.message_id == done.status_message and m.photo)
        await alice.wait_until(lambda: "moved" in captions(alice))
        status, other, result = alice.from_bot()
        assert status.message_id == buried.status_message
        assert (status.caption, status.reply_markup) == ("moved", None)
        assert other.text == "something else"
        assert (result.message_id, result.caption) == (done.status_message, "painted")
        assert color_of(await alice.download(result.photo[-1].file_id)) == "red"
        replied = result.reply_to_message
        assert replied is not None
        assert (replied.message_id, replied.caption) == (status.message_id, "moved")
        said = [m.text for m in alice.versions() if m.message_id == result.message_id]
        assert said == ["ready", None], "that is what notifies"

    async def test_what_the_person_sends_counts_too(
        self, delivery: Delivery, store: JobStore, job: Job, alice: Person
    ) -> None:
        await delivery.accepted(job)
        sent = await alice.send_text("Are you there?")

        async def handler(*_: Any) -> None:
            return None

        await delivery.see_received(handler, sent, {})
        await until_job(store.journal, job.id, lambda now: now.is_out_of_view)

    async def test_its_own_edits_do_not_count(
        self, delivery: Delivery, store: JobStore, job: Job, alice: Person, tmp_path: Path
    ) -> None:
        stored = await announced(delivery, store, job)
        delivery.progress(stored, progress(job, 1))
        await alice.wait_for(says("painting 1"))
        delivery.finished(await painted(store, job, tmp_path))
        done = await until_state(store.journal, job.id, JobState.DELIVERED)
        assert done.status_message == stored.status_message

    @pytest.mark.parametrize("call", ["SendMessage", "EditMessageMedia", "EditMessageCaption"])
    @pytest.mark.parametrize("took_effect", [False, True])
    async def test_told_again_after_a_crash_it_is_one_picture(
        self,
        make_delivery: MakeDelivery,
        delivery: Delivery,
        store: JobStore,
        buried: Job,
        alice: Person,
        tmp_path: Path,
        faults: Faults,
        call: str,
        took_effect: bool,
    ) -> None:
        """The process ends before a call, or after it and before the journal knows."""
        before = len(faults.calls)
        gate = faults.hold(call, after=took_effect)
        delivery.finished(await painted(store, buried, tmp_path))
        await faults.until_held(call)
        end_at_once(delivery)
        gate.set()
        again = await store.journal.get(buried.id)
        assert again is not None
        make_delivery().finished(again)
        await until_state(store.journal, buried.id, JobState.DELIVERED)
        await alice.wait_until(lambda: "moved" in captions(alice))
        assert captions(alice).count("painted") == 1
        assert faults.names()[before:].count("SendPhoto") == 0

    async def test_a_picture_that_was_shown_stays_where_it_is(
        self,
        make_delivery: MakeDelivery,
        store: JobStore,
        job: Job,
        bot: Bot,
        alice: Person,
        tmp_path: Path,
        faults: Faults,
    ) -> None:
        """Though the process ended before it could say "ready", and messages came meanwhile."""
        first = make_delivery()
        await first.accepted(job)
        gate = faults.hold("SendMessage")
        first.finished(await painted(store, job, tmp_path))
        await faults.until_called("SendMessage")
        end_at_once(first)
        gate.set()
        again = await store.note(job.id, later_message=10**6)
        make_delivery().finished(again)
        await until_state(store.journal, job.id, JobState.DELIVERED)
        await alice.wait_for(says("ready"))
        assert captions(alice).count("painted") == 1


def test_a_presenter_is_introduced_to_its_bot_again_and_again() -> None:
    class Curious(PlainPresenter):
        def introduce(self, bot: User) -> None:
            met.append(bot.id)

    class Shy(PlainPresenter):
        def introduce(self, bot: User) -> None:
            raise RuntimeError("a plugin's bug")

    met: list[int] = []
    presenter = SafePresenter(Curious(), User(id=5, is_bot=True, first_name="x"))
    presenter.renew(Curious())
    presenter.renew(Shy())
    presenter.renew(PlainPresenter())
    assert met == [5, 5]


class TestOtherEnds:
    async def test_a_failure_takes_the_place_of_the_status_and_notifies(
        self, delivery: Delivery, store: JobStore, job: Job, alice: Person
    ) -> None:
        await delivery.accepted(job)
        failure = Failure(code="broken_picture", sentence="It is broken.")
        delivery.finished(await store.move(job.id, JobState.FAILED, failure=failure))
        told = await alice.wait_for(says("failed broken_picture"))
        done = await until_state(store.journal, job.id, JobState.EXPLAINED)
        assert done.status_message == told.message_id
        assert [message.message_id for message in alice.from_bot()] == [told.message_id]

    async def test_a_failure_before_anything_was_said(
        self, delivery: Delivery, store: JobStore, job: Job, alice: Person
    ) -> None:
        failure = Failure(code="broken_picture", sentence="It is broken.")
        delivery.finished(await store.move(job.id, JobState.FAILED, failure=failure))
        await alice.wait_for(says("failed broken_picture"))
        assert len(alice.from_bot()) == 1

    async def test_cancelling_is_confirmed_in_the_status(
        self, delivery: Delivery, store: JobStore, job: Job, alice: Person
    ) -> None:
        stored = await announced(delivery, store, job)
        delivery.finished(await store.move(job.id, JobState.CANCELLED))
        told = await alice.wait_for(says("cancelled"))
        assert told.message_id == stored.status_message
        assert told.reply_markup is None

    async def test_cancelling_is_confirmed_after_a_crash(
        self,
        make_delivery: MakeDelivery,
        store: JobStore,
        storage: SqliteStorage,
        job: Job,
        alice: Person,
        faults: Faults,
    ) -> None:
        first = make_delivery()
        stored = await announced(first, store, job)
        gate = faults.hold("EditMessageCaption")  # the process ends before the message is edited
        first.finished(await store.move(job.id, JobState.CANCELLED, is_untold=True))
        await faults.until_called("EditMessageCaption")
        end_at_once(first)
        gate.set()
        assert alice.from_bot()[-1].reply_markup is not None
        await storage.close()
        await storage.open()
        await Recovery(store, LocalQueue(), make_delivery()).recover()
        told = await alice.wait_for(says("cancelled"))
        assert told.message_id == stored.status_message
        await until_job(store.journal, job.id, lambda now: not now.is_untold)
        await storage.close()
        await storage.open()
        assert await store.journal.adopt_jobs() == []

    async def test_cancelling_is_confirmed_once_where_there_was_no_message(
        self, delivery: Delivery, store: JobStore, job: Job, alice: Person
    ) -> None:
        delivery.finished(await store.move(job.id, JobState.CANCELLED, is_untold=True))
        told = await alice.wait_for(says("cancelled"))
        done = await until_job(store.journal, job.id, lambda now: not now.is_untold)
        assert done.status_message == told.message_id

    async def test_who_blocked_the_bot_need_not_hear_of_a_cancelled_job(
        self, delivery: Delivery, store: JobStore, job: Job, alice: Person
    ) -> None:
        await delivery.accepted(job)
        await alice.block()
        delivery.finished(await store.move(job.id, JobState.CANCELLED, is_untold=True))
        done = await until_job(store.journal, job.id, lambda now: not now.is_untold)
        assert done.state is JobState.CANCELLED

    async def test_bad_words_do_not_hide_that_it_was_cancelled(
        self, make_delivery: MakeDelivery, store: JobStore, job: Job, alice: Person
    ) -> None:
        delivery = make_delivery(presenter=BadPresenter(cancelled=Say("<b>not closed")))
        stored = await announced(delivery, store, job)
        delivery.finished(await store.move(job.id, JobState.CANCELLED, is_untold=True))
        told = await alice.wait_for(lambda m: m.reply_markup is None)
        assert told.message_id == stored.status_message


class BadPresenter(PlainPresenter):
    """Raises where it should speak, or speaks what Telegram does not take."""

    def __init__(self, **said: Say | Exception) -> None:
        self._said = said

    def painted(self, job: Job) -> Say:
        return self._say("painted")

    def cancelled(self, job: Job) -> Say:
        return self._say("cancelled")

    def _say(self, kind: str) -> Say:
        say = self._said[kind]
        if isinstance(say, Exception):
            raise say
        return say


@pytest.mark.parametrize(
    "words",
    [RuntimeError("a plugin's bug"), Say("<b>not closed"), Say("x" * 1025), Say("")],
    ids=["raises", "broken html", "too long", "empty"],
)
async def test_bad_words_do_not_cost_the_result(
    make_delivery: MakeDelivery,
    store: JobStore,
    job: Job,
    alice: Person,
    tmp_path: Path,
    words: Say | Exception,
) -> None:
    delivery = make_delivery(BadPresenter(painted=words))
    await delivery.accepted(job)
    delivery.finished(await painted(store, job, tmp_path))
    await until_state(store.journal, job.id, JobState.DELIVERED)
    assert len([message for message in alice.from_bot() if message.photo]) == 1


async def test_a_file_that_is_wanted_twice_is_sent_once(
    make_delivery: MakeDelivery,
    store: JobStore,
    job: Job,
    tmp_path: Path,
    faults: Faults,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = await painted(store, job, tmp_path)
    wanted = await store.note(done.id, file_caption="Wave")

    async def listen(hear: Callable[[News], None]) -> None:
        hear(News(wanted, is_ours=True))
        hear(News(wanted, is_ours=True))

    async def is_noted() -> bool:
        now = await store.journal.get(job.id)
        return now is not None and now.file_id is not None and now.file_caption is None

    monkeypatch.setattr(store.journal, "listen", listen)
    make_delivery()
    await store.listen()
    await eventually(is_noted)
    assert faults.names().count("SendDocument") == 1
