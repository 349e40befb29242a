"""The words and buttons of the messages about a job."""

from __future__ import annotations

import html
import re
from html import unescape
from typing import Any

import pytest
from aiogram.types import User
from hypothesis import given
from hypothesis import strategies as st

from impasto import Presenter, Say, StylePreset
from impasto.jobs.job import ChosenStyle, Effort, Job, TelegramPicture
from impasto.messages import Failure, Progress
from impasto.testing.conformance.bot import NOTICES
from impasto_dialog.keyboards import (
    AnotherStyle,
    FinishJob,
    RepeatJob,
    SendFile,
    StopJob,
    UseAsStyle,
)
from impasto_dialog.looks import Variation
from impasto_dialog.presenter import BAR_LENGTH, FOR_OWNERS, DialogPresenter, progress_bar
from impasto_dialog.texts import LANGUAGES

from .test_texts import documented_codes

PICTURE = TelegramPicture(file_id="photo")
PHOTO = TelegramPicture(file_id="photo", pixels=480_000)
PAINTED = Effort(pixels=300_000, steps=50, seconds=9.0, device="cpu")
OWN = ChosenStyle(picture=TelegramPicture(file_id="style"))
NIGHT = ChosenStyle(preset="night")


def job(*styles: ChosenStyle, language: str = "en", failure: str | None = None) -> Job:
    return Job(
        person=1,
        chat=1,
        language=language,
        content=PICTURE,
        styles=styles or (NIGHT,),
        failure=Failure(code=failure, sentence="A <plain> sentence.") if failure else None,
    )


def progress(step: int, steps: int = 100) -> Progress:
    return Progress(
        job_id="job",
        step=step,
        steps=steps,
        level=2,
        levels=4,
        share=min(1.0, step / steps) if steps else 0.0,
        pixels=120_000,
        seconds=1.0,
        seconds_left=1.0,
    )


def buttons(say: Say) -> list[str]:
    rows = say.keyboard.inline_keyboard if say.keyboard else []
    return [button.callback_data or "" for row in rows for button in row]


@pytest.fixture
def presenter(presets: list[StylePreset]) -> DialogPresenter:
    return DialogPresenter(presets)


def test_it_keeps_the_contract(presenter: DialogPresenter) -> None:
    assert isinstance(presenter, Presenter)


def test_waiting_names_the_style_and_how_many_are_before(presenter: DialogPresenter) -> None:
    waiting = job(language="ru")
    assert "🎨 Звёздная ночь" in presenter.waiting(waiting, 0, None).text
    assert "Перед вашей – 2 картины" in presenter.waiting(waiting, 2, None).text
    assert buttons(presenter.waiting(waiting, 0, None)) == [StopJob(job=waiting.id).pack()]


def test_painting_shows_how_far_it_is(presenter: DialogPresenter) -> None:
    text = presenter.painting(job(), progress(50)).text
    assert "50%" in text
    assert "a few seconds left" in text
    assert text != presenter.painting(job(), progress(51)).text, "every percent is news"
    at_first = progress(1).model_copy(update={"seconds_left": None})
    assert "left" not in presenter.painting(job(), at_first).text


def test_the_result_names_its_styles(presenter: DialogPresenter) -> None:
    painted = job(NIGHT, OWN, ChosenStyle(preset="gone_style"))
    say = presenter.painted(painted)
    assert "🎨 Starry night + 🖼 your own style + Gone style" in say.text
    assert presenter.ready(painted).keyboard is None


def test_a_result_can_be_varied_without_an_upload(presenter: DialogPresenter) -> None:
    painted = job()
    assert buttons(presenter.painted(painted)) == [
        AnotherStyle(job=painted.id).pack(),
        UseAsStyle(job=painted.id).pack(),
        RepeatJob(job=painted.id, how=Variation.WEAKER).pack(),
        RepeatJob(job=painted.id, how=Variation.STRONGER).pack(),
        RepeatJob(job=painted.id, how=Variation.LARGE).pack(),
        RepeatJob(job=painted.id, how=Variation.OWN_COLORS).pack(),
        SendFile(job=painted.id).pack(),
    ]
    keyboard = presenter.painted(painted).keyboard
    assert keyboard is not None
    assert max(map(len, keyboard.inline_keyboard)) <= 3
    unusual = painted.model_copy(update={"wishes": {"strength": "strong", "colors": "own"}})
    say = presenter.painted(unusual)
    assert "strong style · my colors" in say.text
    assert RepeatJob(job=painted.id, how=Variation.STRONGER).pack() not in buttons(say)
    assert RepeatJob(job=painted.id, how=Variation.STYLE_COLORS).pack() in buttons(say)
    in_group = painted.model_copy(update={"chat": -5})
    assert UseAsStyle(job=painted.id).pack() not in buttons(presenter.painted(in_group))


@pytest.mark.parametrize(("language", "words"), [("en", "Larger"), ("ru", "Увеличить")])
def test_what_was_kept_small_to_be_ready_soon_is_offered_larger(
    presenter: DialogPresenter, language: str, words: str
) -> None:
    usual = job(language=language)
    say = presenter.painted(usual.model_copy(update={"reduced_for_time": True}))
    assert words in say.text
    assert say.keyboard is not None
    larger = say.keyboard.inline_keyboard[1][-1]
    assert larger.text == f"🔍 {words}"
    assert larger.callback_data == RepeatJob(job=usual.id, how=Variation.LARGER).pack()
    assert words not in presenter.painted(usual).text


@pytest.mark.parametrize(
    ("facts", "is_offered"),
    [
        ({}, True),
        ({"wishes": {"quality": "large"}}, False),
        ({"reduced": True}, False),
        ({"content": PHOTO, "effort": PAINTED}, True),
        ({"content": PHOTO, "effort": PAINTED.model_copy(update={"pixels": 450_000})}, False),
        (
            {
                "content": PHOTO,
                "effort": PAINTED.model_copy(update={"pixels": 450_000}),
                "wishes": {"quality": "quick"},
            },
            True,
        ),
    ],
)
def test_larger_is_offered_where_it_would_be(
    presenter: DialogPresenter, facts: dict[str, Any], is_offered: bool
) -> None:
    painted = job().model_copy(update=facts)
    larger = RepeatJob(job=painted.id, how=Variation.LARGE).pack()
    assert (larger in buttons(presenter.painted(painted))) is is_offered


@pytest.mark.parametrize("has_inline_mode", [True, False, None])
def test_sharing_is_offered_where_inline_mode_is_on(
    presenter: DialogPresenter, has_inline_mode: bool | None
) -> None:
    bot = User(id=1, is_bot=True, first_name="x", supports_inline_queries=has_inline_mode)
    presenter.introduce(bot)
    painted = job()
    say = presenter.painted(painted)
    assert say.keyboard is not None
    shared = [b.switch_inline_query for row in say.keyboard.inline_keyboard for b in row]
    assert (painted.id in shared) is bool(has_inline_mode)
    in_group = presenter.painted(painted.model_copy(update={"chat": -5}))
    assert in_group.keyboard is not None
    assert not any(b.switch_inline_query for row in in_group.keyboard.inline_keyboard for b in row)


def test_what_is_being_painted_can_be_stopped_and_kept(presenter: DialogPresenter) -> None:
    painting = job()
    assert buttons(presenter.painting(painting, progress(5))) == [
        FinishJob(job=painting.id).pack(),
        StopJob(job=painting.id).pack(),
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "as soon as I start"),
        (3, "in a few seconds"),
        (41, "in about 50 seconds"),
        (90, "in about 2 minutes"),
        (60 * 59.5, "in about 60 minutes"),
        (7200, "in about 2 hours"),
    ],
)
def test_the_time_is_said_in_round_figures_and_not_made_up(
    presenter: DialogPresenter, seconds: float | None, words: str
) -> None:
    assert words in presenter.waiting(job(), 0, seconds).text


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("code", sorted(documented_codes()))
def test_every_failure_is_said_in_every_language(
    presenter: DialogPresenter, language: str, code: str
) -> None:
    say = presenter.failed(job(language=language, failure=code))
    assert LANGUAGES[language].plain(f"failure-{code}") in unescape(say.text)


def test_a_failure_offers_what_helps(presenter: DialogPresenter) -> None:
    broke, unlucky = job(failure="broken_picture"), job(failure="painting_failed")
    own = job(OWN, failure="broken_picture")
    assert buttons(presenter.failed(broke)) == []
    assert buttons(presenter.failed(own)) == [AnotherStyle(job=own.id).pack()]
    assert buttons(presenter.failed(unlucky)) == [
        RepeatJob(job=unlucky.id).pack(),
        AnotherStyle(job=unlucky.id).pack(),
    ]


def test_a_broken_style_picture_is_said_to_be_the_style(presenter: DialogPresenter) -> None:
    failure = Failure(code="broken_picture", sentence="", facts={"role": "style"})
    told = presenter.failed(job(OWN).model_copy(update={"failure": failure})).text
    assert "style picture" in told
    assert "style picture" not in presenter.failed(job(OWN, failure="broken_picture")).text


def test_an_unknown_failure_is_said_in_its_own_words(presenter: DialogPresenter) -> None:
    assert "A &lt;plain&gt; sentence." in presenter.failed(job(failure="of_a_plugin")).text


def test_cancelled_keeps_the_photo(presenter: DialogPresenter) -> None:
    cancelled = job()
    assert buttons(presenter.cancelled(cancelled)) == [AnotherStyle(job=cancelled.id).pack()]


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_the_bar_never_leaves_its_length(step: int, steps: int) -> None:
    share = progress(step, steps).share
    assert len(progress_bar(share)) == BAR_LENGTH
    assert progress_bar(share).count("▰") == int(share * BAR_LENGTH)
    assert (progress_bar(share) == "▰" * BAR_LENGTH) == (share == 1)


@given(st.integers(0, 10**6), st.sampled_from(sorted(LANGUAGES)))
def test_captions_stay_within_the_limit(ahead: int, language: str) -> None:
    presenter = DialogPresenter([])
    many = job(*(ChosenStyle(preset="a" * 20) for _ in range(5)), language=language)
    for say in (presenter.waiting(many, ahead, ahead), presenter.painting(many, progress(1))):
        assert 0 < len(say.text) <= 1024
        assert all(1 <= len(data.encode()) <= 64 for data in buttons(say))


def test_only_who_asked_for_a_large_picture_is_told_that_it_is_the_largest(
    presenter: DialogPresenter,
) -> None:
    says = "This is the largest I can paint here."
    usual = job()
    large = usual.model_copy(update={"wishes": {"quality": "large"}})
    assert says not in presenter.painted(large).text
    for asked, is_told in ((usual, False), (large, True)):
        reduced = asked.model_copy(update={"reduced": True})
        assert (says in presenter.painted(reduced).text) == is_told


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_people_are_told_what_they_can_do_and_not_of_memory(
    presenter: DialogPresenter, language: str
) -> None:
    told = presenter.failed(job(failure="out_of_memory", language=language))
    assert not re.search("memory|памят", told.text)
    assert any(data.startswith("repeat") for data in buttons(told)), "later there may be enough"


class TestNotices:
    def test_are_said_in_the_language_of_the_app(self, presenter: DialogPresenter) -> None:
        english, russian = (presenter.notice("not_allowed", code, {}) for code in ("pt-br", "ru"))
        assert english is not None
        assert russian is not None
        assert "ask its owner" in english.text
        assert "Попросите владельца" in russian.text

    @pytest.mark.parametrize("code", sorted(FOR_OWNERS))
    def test_owners_are_told_everything_in_both_languages(
        self, presenter: DialogPresenter, code: str
    ) -> None:
        facts = {**NOTICES[code], "why": "<27 bytes>"}
        say = presenter.notice(code, "en", facts)
        assert say is not None
        for said in say.text.split("\n\n"):
            assert all(html.escape(str(fact)) in said for fact in facts.values())
        assert re.search("[а-я]", say.text.split("\n\n")[1])

    def test_errors_for_the_chat_say_what_they_say_elsewhere(
        self, presenter: DialogPresenter
    ) -> None:
        say = presenter.notice("too_many_this_hour", "en", {"limit": 2, "seconds": 300})
        assert say is not None
        assert "in an hour" in say.text
        assert "5 minutes" in say.text

    def test_what_the_catalogue_lacks_is_left_to_the_core(self, presenter: DialogPresenter) -> None:
        assert presenter.notice("a code of tomorrow", "en", {}) is None
