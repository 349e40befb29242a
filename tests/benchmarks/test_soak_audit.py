"""The auditor finds what it is there to find."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from benchmarks.soak.audit import Record, Verdict, judge
from benchmarks.soak.people import End, Wish

from impasto.jobs.job import ChosenStyle, Job, JobState, TelegramPicture
from impasto_dialog import keyboards
from impasto_dialog.texts import LANGUAGES

READY = LANGUAGES["ru"]("ready")


def a_job(state: JobState = JobState.DELIVERED) -> Job:
    return Job(
        person=1,
        chat=1,
        content=TelegramPicture(file_id="photo"),
        styles=(ChosenStyle(preset="wave"),),
        state=state,
    )


class Chat:
    """Calls of the bot about one job, as a watcher of the playground gives them."""

    def __init__(self, job: Job) -> None:
        self.record = Record()
        self._job = job

    def shows(self, method: str, message: int, button: type[keyboards.OfJob]) -> None:
        keyboard = [[{"text": "…", "callback_data": button(job=self._job.id).pack()}]]
        self._note(method, message, {"reply_markup": {"inline_keyboard": keyboard}})

    def says_ready(self, message: int, about: int | None) -> None:
        reply = {"reply_parameters": {"message_id": about}} if about is not None else {}
        self._note("sendMessage", message, reply, READY)

    def _note(self, method: str, message: int, fields: dict[str, Any], text: str = "") -> None:
        result = {"message_id": message, "chat": {"id": 1}}
        self.record.note(
            {"stage": "acted", "method": method, "text": text, "fields": fields, "result": result}
        )

    def verdict(self, *wishes: Wish, left: int = 0) -> Verdict:
        return judge([self._job], self.record, wishes, Counter({self._job.id: left}))


@pytest.fixture
def job() -> Job:
    return a_job()


@pytest.fixture
def chat(job: Job) -> Chat:
    chat = Chat(job)
    chat.shows("sendPhoto", 5, keyboards.StopJob)
    return chat


def delivered(chat: Chat, message: int = 5) -> None:
    chat.shows("editMessageMedia", message, keyboards.SendFile)
    chat.says_ready(20, message)


def test_a_picture_and_the_news_of_it_are_all_there_is_to_want(chat: Chat) -> None:
    delivered(chat)
    chat.shows("editMessageMedia", 5, keyboards.SendFile)
    verdict = chat.verdict(Wish(1, "preset", end=End.PICTURE))
    assert verdict.is_good
    assert verdict.repeated_fresh_sends == verdict.ready_twice == 0


def test_a_job_that_has_no_end_is_lost() -> None:
    to_be_told = (JobState.DELIVERED, JobState.CANCELLED)
    for state in JobState:
        lost = Chat(a_job(state)).verdict().lost
        assert bool(lost) is (not state.is_final or state in to_be_told)


def test_a_cancelled_job_whose_message_never_said_so_is_lost() -> None:
    chat = Chat(a_job(JobState.CANCELLED))
    chat.shows("sendPhoto", 5, keyboards.StopJob)
    assert chat.verdict().lost
    chat.shows("editMessageCaption", 5, keyboards.AnotherStyle)
    assert chat.verdict().is_good


def test_a_job_that_the_journal_does_not_know_to_be_told_is_lost() -> None:
    chat = Chat(a_job(JobState.CANCELLED).model_copy(update={"is_untold": True}))
    chat.shows("editMessageCaption", 5, keyboards.AnotherStyle)
    assert chat.verdict().lost


def test_a_delivered_job_without_its_picture_or_its_news_is_lost(chat: Chat) -> None:
    assert len(chat.verdict().lost) == 2
    chat.shows("editMessageMedia", 5, keyboards.SendFile)
    assert len(chat.verdict().lost) == 1


def test_the_news_of_a_job_that_cannot_be_read_any_more_reply_to_nothing(chat: Chat) -> None:
    chat.says_ready(6, None)
    chat.shows("editMessageMedia", 5, keyboards.SendFile)
    assert len(chat.verdict().lost) == 1
    chat.says_ready(7, None)
    assert chat.verdict().is_good


def test_a_wish_without_an_end_is_lost(chat: Chat) -> None:
    delivered(chat)
    assert chat.verdict(Wish(1, "preset")).lost


def test_a_job_that_was_shown_must_be_in_the_journal(chat: Chat) -> None:
    delivered(chat)
    assert chat.verdict(Wish(1, "preset", job="forgotten", end=End.PICTURE)).lost


def test_a_second_picture_after_an_edit_is_found(chat: Chat) -> None:
    delivered(chat)
    chat.shows("sendPhoto", 9, keyboards.SendFile)
    assert chat.verdict().second_pictures
    assert not chat.verdict().is_good


def test_fresh_sends_that_are_repeated_are_counted_apart(chat: Chat) -> None:
    chat.shows("sendPhoto", 6, keyboards.StopJob)
    chat.shows("sendPhoto", 7, keyboards.SendFile)
    chat.shows("sendPhoto", 8, keyboards.SendFile)
    chat.says_ready(20, 8)
    chat.says_ready(21, 8)
    verdict = chat.verdict(left=1)
    assert verdict.is_good
    assert verdict.repeated_fresh_sends == 2, "of the first message and of the picture"
    assert verdict.ready_twice == 1
    assert verdict.left_behind == {"delivered": 1}


def test_a_job_that_vanished_is_counted_apart_and_whether_it_was_told() -> None:
    job = a_job(JobState.ACCEPTED)
    for end, kind in ((End.VANISHED, "untold"), (End.EXPLAINED, "told")):
        wish = Wish(1, "preset", job=job.id, end=end)
        verdict = judge([job], Record(), [wish], Counter(), {job.id})
        assert verdict.is_good
        assert verdict.vanished == {kind: 1}
