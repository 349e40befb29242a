"""A bot on a playground server, run beside the test in a thread with an event loop of its own.

So a test of any kind can use it, with or without an event loop, whatever runs that; and a test that
blocks does not block the bot.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self, TypeVar

from impasto.hookspecs import BOT_GROUP, HOOKS, PAINTING_HOOKS
from impasto.plugins import PluginHost
from impasto.settings import Settings
from impasto.telegram.app import run_bot
from impasto.testing.chat import Chat
from impasto.testing.given import Sections, given
from impasto_playground import Person, Playground

T = TypeVar("T")


class App:
    """A running bot; use it as a context manager, or by the fixture `impasto_app`.

    Args:
        plugins: modules, objects with hooks or paths of one-file plugins, besides those installed.
            Objects are loaded in the bot; painting happens in another process, which needs files.
        settings: sections that differ from those of `impasto.testing.make_settings`.
        folder: where the bot keeps its state.

    Entering it raises PluginsFailed when a plugin cannot be loaded.
    """

    plugins: PluginHost
    """The bot's plugins, for a look at what became of them."""
    settings: Settings

    def __init__(self, plugins: Sequence[object], settings: Sections, folder: Path) -> None:
        self._given = given(plugins)
        misplaced = self._given.objects_with(PAINTING_HOOKS)
        if misplaced:
            raise TypeError(f"{', '.join(misplaced)}: painting plugins are given as files here")
        self._sections = settings
        self._folder = folder
        self._ready: Future[None] = Future()
        self._ended: Future[None] = Future()
        self._persons: list[Person] = []
        self._thread = threading.Thread(target=self._run, name="impasto app", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.result()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(RuntimeError):  # the bot has ended by itself
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._ended.result()

    def chat(self, name: str = "Alice", language: str = "en") -> Chat:
        """Another person's chat with the bot; `language` is that of their Telegram app."""
        person = Person(self._playground.url, len(self._persons) + 1, name, language)
        self._persons.append(person)
        self.run(person.__aenter__()).result()
        return Chat(self, person)

    def run(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Runs a coroutine in the bot's event loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    @property
    def ended(self) -> Future[None]:
        """Done when the bot has ended, with the error that ended it."""
        return self._ended

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:
            with contextlib.suppress(Exception):
                self._ready.set_exception(error)
            self._ended.set_exception(error)
        else:
            self._ended.set_result(None)

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        async with Playground(port=0) as self._playground:
            telegram = {
                **self._sections.get("telegram", {}),
                "token": self._playground.token,
                "api_base": self._playground.url,
            }
            sections = {**self._sections, "telegram": telegram}
            self.settings = self._given.settings(sections, self._folder)
            more = self._given.objects_with(HOOKS)
            self.plugins = PluginHost(BOT_GROUP, self.settings, strict=True, more=more).load()
            try:
                await run_bot(
                    self.settings,
                    self.plugins,
                    stop=self._stop,
                    on_ready=lambda: self._ready.set_result(None),
                )
            finally:
                for person in self._persons:
                    await person.close()
