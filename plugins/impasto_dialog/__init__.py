"""The conversation: from "send me a photo" to the finished picture, in English and Russian.

A person's photo and style become a job of the core's `Studio`; what is said about a job is the
presenter's. The plugin comes last in the order of plugins: its fallback answers whatever no other
plugin's router took.
"""

from __future__ import annotations

from collections.abc import Sequence

from aiogram import F, Router
from aiogram.enums import ChatType

from impasto import Presenter, StylePreset, hookimpl
from impasto.settings import Settings
from impasto_dialog import fallback, jobs, photo, start, style
from impasto_dialog.albums import Albums
from impasto_dialog.gallery import Gallery
from impasto_dialog.presenter import DialogPresenter
from impasto_dialog.talk import AnswerOnce, TalkMiddleware

impasto_order = 1000

ALBUM_WAIT_S = 1.0
"""How long the question for a style waits for a second picture of the same album."""


@hookimpl
def impasto_routers(settings: Settings) -> Sequence[Router]:
    return [build_router()]


@hookimpl
def impasto_presenters(settings: Settings, presets: Sequence[StylePreset]) -> Sequence[Presenter]:
    return [DialogPresenter(presets)]


def build_router(album_wait_s: float = ALBUM_WAIT_S) -> Router:
    """The whole conversation as one router; in groups it answers /start and /help only."""
    router = Router(name="dialog")
    albums = Albums(album_wait_s)
    talks = TalkMiddleware(Gallery(), albums)
    for observer in (router.message, router.callback_query):
        observer.middleware(talks)
    router.callback_query.middleware(AnswerOnce())
    router.shutdown.register(albums.close)
    router.include_router(start.build())
    for concern in (jobs.build(), photo.build(), style.build(), fallback.build()):
        concern.message.filter(F.chat.type == ChatType.PRIVATE)
        router.include_router(concern)
    return router
