"""The timer that waits for the rest of an album."""

from __future__ import annotations

import asyncio

from structlog.testing import capture_logs

from impasto_dialog.photo import Albums


async def test_the_question_is_asked_when_nothing_more_came() -> None:
    albums, asked = Albums(0), asyncio.Event()

    async def ask() -> None:
        asked.set()

    albums.ask_later(1, ask)
    assert not asked.is_set(), "later, not now"
    async with asyncio.timeout(10):
        await asked.wait()
    await albums.close()


async def test_a_stopped_question_is_not_asked_and_others_are() -> None:
    albums, asked = Albums(0), asyncio.Queue[int]()
    for chat in (1, 2, 3):
        albums.ask_later(chat, lambda chat=chat: asked.put(chat))
    albums.stop(2)
    albums.stop(99)
    async with asyncio.timeout(10):
        assert [await asked.get(), await asked.get()] == [1, 3]
    await albums.close()
    assert asked.empty()


async def test_a_later_question_replaces_the_first() -> None:
    albums, asked = Albums(0), asyncio.Queue[str]()
    albums.ask_later(1, lambda: asked.put("first"))
    albums.ask_later(1, lambda: asked.put("second"))
    async with asyncio.timeout(10):
        assert await asked.get() == "second"
    await albums.close()
    assert asked.empty()


async def test_closing_drops_what_waits_and_awaits_what_runs() -> None:
    albums, running, may_end, ended = Albums(0), asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def ask() -> None:
        running.set()
        await may_end.wait()
        ended.set()

    albums.ask_later(1, ask)
    async with asyncio.timeout(10):
        await running.wait()
    albums.ask_later(2, ask)
    may_end.set()
    running.clear()
    await albums.close()
    assert ended.is_set()
    assert not running.is_set(), "the second never began"


async def test_a_question_that_fails_is_logged() -> None:
    albums, failed = Albums(0), asyncio.Event()

    async def ask() -> None:
        failed.set()
        raise RuntimeError("no chat")

    with capture_logs() as logs:
        albums.ask_later(7, ask)
        async with asyncio.timeout(10):
            await failed.wait()
        await albums.close()
    assert [(line["event"], line["chat"]) for line in logs] == [("album_question_failed", 7)]
