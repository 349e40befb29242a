"""A conversation of few words, in the place of the built-in one: no gallery, no questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiogram import F, Router
from aiogram.types import Message

from impasto import Presenter, Say, Settings, StylePreset, hookimpl
from impasto.jobs.job import ChosenStyle, Job, TelegramPicture
from impasto.jobs.service import JobService
from impasto.messages import Progress


async def paint(message: Message, job_service: JobService) -> None:
    assert message.photo
    assert message.from_user
    await job_service.accept(
        person=message.from_user.id,
        chat=message.chat.id,
        language="en",
        content=TelegramPicture(file_id=message.photo[-1].file_id),
        styles=[ChosenStyle(preset=job_service.presets[0].name)],
    )


async def ask(message: Message) -> None:
    await message.answer("A photo, please.")


class Terse:
    """Says as little as can be."""

    name = "terse"
    order = 1

    def waiting(self, job: Job, ahead: int, seconds: float | None) -> Say:
        return Say("Wait.")

    def painting(self, job: Job, progress: Progress) -> Say:
        return Say(f"{progress.share:.0%}")

    def painted(self, job: Job) -> Say:
        return Say("Here.")

    def ready(self, job: Job) -> Say:
        return Say("Done.")

    def failed(self, job: Job) -> Say:
        return Say("No.")

    def cancelled(self, job: Job) -> Say:
        return Say("Gone.")

    def notice(self, code: str, language: str, facts: Mapping[str, str | int]) -> Say:
        return Say("No, sorry.")


@hookimpl
def impasto_routers(settings: Settings) -> list[Router]:
    router = Router(name="terse")
    router.message.register(paint, F.photo)
    router.message.register(ask)
    return [router]


@hookimpl
def impasto_presenters(settings: Settings, presets: Sequence[StylePreset]) -> list[Presenter]:
    return [Terse()]
