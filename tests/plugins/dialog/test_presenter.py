"""The words and buttons of the messages about a job."""

from __future__ import annotations

from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto import Presenter, Say, StylePreset
from impasto.jobs.job import ChosenStyle, Failure, Job, TelegramPicture
from impasto.messages import Progress
from impasto_dialog.callbacks import AnotherStyle, RepeatJob, StopJob
from impasto_dialog.presenter import BAR_LENGTH, DialogPresenter, progress_bar
from impasto_dialog.texts import LANGUAGES

PICTURE = TelegramPicture(file_id="photo")
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
    return Progress(job_id="job", step=step, steps=steps, level=2, levels=4, seconds=1.0)


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
    assert "🎨 Звёздная ночь" in presenter.waiting(waiting, 0).text
    assert "Перед вашей – 2 картины" in presenter.waiting(waiting, 2).text
    assert buttons(presenter.waiting(waiting, 0)) == [StopJob(job=waiting.id).pack()]


def test_painting_shows_how_far_it_is(presenter: DialogPresenter) -> None:
    text = presenter.painting(job(), progress(50)).text
    assert "50%" in text
    assert "Layer 2 of 4" in text
    assert text != presenter.painting(job(), progress(51)).text, "every percent is news"


def test_the_result_names_its_styles(presenter: DialogPresenter) -> None:
    painted = job(NIGHT, OWN, ChosenStyle(preset="gone_style"))
    say = presenter.painted(painted)
    assert "🎨 Starry night + 🖼 your own style + Gone style" in say.text
    assert buttons(say) == [AnotherStyle(job=painted.id).pack()]
    assert presenter.ready(painted).keyboard is None


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("code", sorted(LANGUAGES["en"].failures))
def test_every_failure_is_said_in_every_language(
    presenter: DialogPresenter, language: str, code: str
) -> None:
    say = presenter.failed(job(language=language, failure=code))
    assert LANGUAGES[language].failures[code] in unescape(say.text)


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
    for say in (presenter.waiting(many, ahead), presenter.painting(many, progress(1))):
        assert 0 < len(say.text) <= 1024
        assert all(1 <= len(data.encode()) <= 64 for data in buttons(say))
