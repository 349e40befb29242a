"""The conversation: from "send me a photo" to the finished picture, in English and Russian.

A person's photo and styles become a job of the core's `JobService`; what is said about a job is the
presenter's. The plugin comes last in the order of plugins: its fallback answers whatever no other
plugin's router took.
"""

from __future__ import annotations

from collections.abc import Sequence

from aiogram import F, Router
from aiogram.enums import ChatType

from impasto import Presenter, StylePreset, hookimpl
from impasto.settings import Settings
from impasto_dialog import (
    again,
    fallback,
    forget,
    jobs,
    language,
    options,
    photo,
    reply,
    start,
    stats,
    style,
)
from impasto_dialog.albums import Albums
from impasto_dialog.gallery import Sheets
from impasto_dialog.presenter import DialogPresenter
from impasto_dialog.talk import AnswerOnce, Shared, TalkMiddleware

impasto_order = 1000

ALBUM_WAIT_S = 1.0
"""How long the question for a style waits for a second picture of the same album."""


@hookimpl
def impasto_routers(settings: Settings) -> Sequence[Router]:
    return [build_router()]


@hookimpl
def impasto_presenters(settings: Settings, presets: Sequence[StylePreset]) -> Sequence[Presenter]:
    return [DialogPresenter(presets)]


def build_router(*, album_wait_s: float = ALBUM_WAIT_S) -> Router:
    """The whole conversation as one router. In groups it speaks only when somebody answers a photo
    with /style, and by the buttons that follow from that."""
    router = Router(name="dialog")
    albums = Albums(album_wait_s)
    talks = TalkMiddleware(Shared(sheets=Sheets(), albums=albums))
    for observer in (router.message, router.callback_query):
        observer.middleware(talks)
    router.callback_query.middleware(AnswerOnce())
    router.shutdown.register(albums.close)
    router.include_routers(reply.build(), jobs.build(), again.build(), style.build())
    for concern in (
        start.build(),
        options.build(),
        language.build(),
        forget.build(),
        stats.build(),
        jobs.build_private(),
        photo.build(),
        style.build_private(),
        fallback.build(),
    ):
        concern.message.filter(F.chat.type == ChatType.PRIVATE)
        router.include_router(concern)
    return router
