"""What delivery relies on in a presenter: words for everything that happens to a job."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from impasto.contracts import Presenter, Say
from impasto.jobs.job import ChosenStyle, Failure, Job, JobState, TelegramPicture
from impasto.messages import Progress
from impasto.testing.conformance.observers import make_job

LONGEST_CAPTION = 1024
"""Characters after parsing that Telegram takes below a picture."""


class PresenterConformance:
    """Inherit it and override the fixture `presenter`."""

    @pytest.fixture
    def presenter(self) -> Presenter:
        raise NotImplementedError("override the fixture `presenter`")

    @pytest.fixture(params=["en", "ru", "xx"])
    def language(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def test_keeps_the_contract(self, presenter: Presenter) -> None:
        assert isinstance(presenter, Presenter)
        assert isinstance(presenter.order, int)

    def test_has_words_for_everything(self, presenter: Presenter, language: str) -> None:
        for say in self.everything(presenter, language):
            assert isinstance(say, Say)
            assert say.text.strip()
            assert len(re.sub(r"<[^>]+>", "", say.text)) <= LONGEST_CAPTION

    def test_buttons_carry_what_telegram_takes(self, presenter: Presenter, language: str) -> None:
        for say in self.everything(presenter, language):
            for row in say.keyboard.inline_keyboard if say.keyboard else []:
                for button in row:
                    assert button.text
                    if button.callback_data is not None:
                        assert 1 <= len(button.callback_data.encode()) <= 64

    def everything(self, presenter: Presenter, language: str) -> Iterator[Say]:
        """What it says about jobs of all kinds in all states."""
        styles = ChosenStyle(preset="gone"), ChosenStyle(picture=TelegramPicture(file_id="x"))
        for style in styles:
            facts: dict[str, Any] = {"language": language, "styles": (style,)}
            job = make_job(**facts)
            for ahead in (0, 1, 25):
                yield presenter.waiting(job, ahead, None)
                yield presenter.waiting(job, ahead, 40.0)
            for share in (0.0, 0.5, 1.0):
                yield presenter.painting(job, _progress(job, share))
            yield presenter.painted(make_job(JobState.PAINTED, **facts))
            yield presenter.ready(make_job(JobState.DELIVERED, **facts))
            yield presenter.cancelled(make_job(JobState.CANCELLED, **facts))
            for code in ("painting_failed", "picture_too_small", "a code of tomorrow"):
                failure = Failure(code=code, sentence="It <failed>.", facts={"role": "style"})
                yield presenter.failed(make_job(JobState.FAILED, failure=failure, **facts))


def _progress(job: Job, share: float) -> Progress:
    return Progress(
        job_id=job.id,
        step=int(share * 100),
        steps=100,
        level=1,
        levels=3,
        share=share,
        seconds=share * 20,
        seconds_left=(1 - share) * 20 if share else None,
    )
