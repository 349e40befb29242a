"""The part of the test kit that needs a bot to talk to: `impasto.testing` and its fixtures offer
what is here.

async def test_greeting(chat):
    await chat.send_text("/start")
    reply = await chat.reply()
    assert "photo" in reply
    assert reply.buttons == ["Styles"]

The bot runs beside the test in a thread with an event loop of its own. So a test of any kind can
use it, with or without an event loop, whatever runs that; and a test that blocks does not block
the bot.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from aiogram import Dispatcher, Router
from aiogram.types import Message, TelegramObject
from PIL import Image

from impasto import Job, hookimpl
from impasto.hookspecs import BOT_GROUP, HOOKS, PAINTING_HOOKS
from impasto.plugins import PluginHost
from impasto.settings import Settings
from impasto.telegram.app import run_bot
from impasto.testing.factories import Sections, check_tested, given, jpeg, make_photo
from impasto_playground.person import Person, is_from_bot
from impasto_playground.server import Playground

T = TypeVar("T")

PATIENCE: Final = 300.0
"""Seconds until a wait gives up while the bot is at work; far more than anything takes on a slow
and busy machine."""
REST: Final = 3.0
"""A wait gives up, too, when the bot has been at rest for this long: nothing more will come."""


class Activity:
    """A plugin of the test's own that knows whether the bot is at rest: no update is being handled
    and no job remains to be painted or told."""

    impasto_order = -(10**6)

    def __init__(self) -> None:
        self._handling = 0
        self._unsettled: set[str] = set()

    @property
    def is_at_rest(self) -> bool:
        return not self._handling and not self._unsettled

    @hookimpl
    def impasto_routers(self, settings: Settings) -> list[Router]:
        router = Router(name="activity")
        router.startup.register(self._watch)
        return [router]

    @hookimpl
    def impasto_job_changed(self, job: Job) -> None:
        if job.state.is_final:
            self._unsettled.discard(job.id)
        else:
            self._unsettled.add(job.id)

    async def _watch(self, dispatcher: Dispatcher) -> None:
        dispatcher.update.outer_middleware(self._counted)

    async def _counted(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        self._handling += 1
        try:
            return await handler(event, data)
        finally:
            self._handling -= 1


class App:
    """A running bot; use it as a context manager, or by the fixture `impasto_app`.

    Args:
        plugins: modules, objects with hooks or paths of one-file plugins, besides those installed.
            Objects are loaded in the bot; painting happens in another process, which needs files.
        settings: sections that differ from those of `impasto.testing.make_settings`.
        folder: where the bot keeps its state.

    Entering it raises PluginsFailed when a plugin that the test is about does not work; of others
    that are installed it warns.
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
        self.ended: Future[None] = Future()
        """Done when the bot has ended, with the error that ended it."""
        self._persons: list[Person] = []
        self._activity = Activity()
        self._thread = threading.Thread(target=self._run, name="impasto app", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.result()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(RuntimeError):  # the bot has ended by itself
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self.ended.result()

    def chat(self, name: str = "Alice", language: str = "en") -> Chat:
        """Another person's chat with the bot; `language` is that of their Telegram app."""
        person = Person(self._playground.url, len(self._persons) + 1, name, language)
        self._persons.append(person)
        self.run(person.__aenter__()).result()
        return Chat(self, person)

    def run(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Runs a coroutine in the bot's event loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def rest(self, seconds: float) -> None:
        """Returns when the bot has been at rest for so long, without a word in any chat."""
        seen: object = None
        since = time.monotonic()
        while time.monotonic() - since < seconds:
            await asyncio.sleep(seconds / 20)
            said = [len(person.versions()) for person in self._persons]
            is_at_rest = self._activity.is_at_rest and not len(self._playground.world.updates)
            if not is_at_rest or said != seen:
                seen, since = said, time.monotonic()

    def _is_ready(self) -> None:
        """What plugins offer was collected by now."""
        check_tested(self.plugins)
        self._ready.set_result(None)

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:
            with contextlib.suppress(Exception):
                self._ready.set_exception(error)
            self.ended.set_exception(error)
        else:
            self.ended.set_result(None)

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
            more = {"activity": self._activity, **self._given.objects_with(HOOKS)}
            self.plugins = PluginHost(BOT_GROUP, self.settings, more=more).load()
            try:
                await run_bot(
                    self.settings,
                    self.plugins,
                    stop=self._stop,
                    on_ready=self._is_ready,
                )
            finally:
                for person in self._persons:
                    await person.close()


class NoReply(AssertionError):
    """The bot did not do what was waited for; says what it said instead."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A message of the bot as it was when it was looked at."""

    text: str
    """Text or caption, without formatting."""
    buttons: list[str]
    """What is on its inline buttons, row by row."""
    has_picture: bool
    message_id: int

    def __contains__(self, words: str) -> bool:
        """Whether it says these words."""
        return words in self.text


class Chat:
    """One person's chat with the bot; made by `App.chat` and the fixture `chat`.

    Raises:
        NoReply: by everything that waits, when the bot does nothing of the kind and comes to rest,
            or has ended.
    """

    def __init__(self, app: App, person: Person) -> None:
        self._app = app
        self._person = person
        self._seen = 0
        self._versions_seen = 0

    async def send_text(self, text: str) -> None:
        """Sends a text, a command for example."""
        await self._do(self._person.send_text(text))

    async def send_photo(
        self, photo: Image.Image | bytes | None = None, caption: str | None = None
    ) -> None:
        """Sends a photo: a picture, the bytes of a file, or by default one that the kit makes."""
        picture = photo if photo is not None else make_photo(128, 96)
        content = picture if isinstance(picture, bytes) else jpeg(picture)
        await self._do(self._person.send_photo(content, caption))

    async def send_file(self, content: bytes, name: str = "picture.png") -> None:
        """Sends a file as it is."""
        await self._do(self._person.send_document(content, name))

    async def tap(self, button: str) -> str:
        """Waits for an inline button that says this (or contains it) and taps the newest such;
        returns the bot's answer to it, a toast or an alert, empty if it has no text. What the bot
        does besides, such as an edit, may come later."""
        __tracebackhide__ = True
        return await self._wait(self._tapped(button))

    async def reply(self, containing: str = "") -> Reply:
        """The next message of the bot that was not returned yet; with `containing`, the next one
        that says this. Never an older one that was edited: `edited` waits for that."""
        __tracebackhide__ = True
        message = await self._wait(
            self._person.wait_for(
                lambda m: containing in (m.text or m.caption or ""), PATIENCE, after=self._seen
            )
        )
        self._seen = message.message_id
        return _reply(message)

    async def edited(self, containing: str = "") -> Reply:
        """The next edit of a message of the bot that was not returned yet, as the message was then;
        with `containing`, the next one after which it says this."""
        __tracebackhide__ = True
        return _reply(await self._wait(self._edit(containing)))

    async def painting(self) -> Image.Image:
        """Waits until the bot says that a picture is ready, and returns it."""
        __tracebackhide__ = True
        told, shown = await self._wait(self._person.finished_picture(PATIENCE, self._seen))
        self._seen = told.message_id
        photo = shown.photo or []
        content = await self._do(self._person.download(photo[-1].file_id))
        return Image.open(io.BytesIO(content)).convert("RGB")

    def replies(self) -> list[Reply]:
        """All messages of the bot as they are now, oldest first."""
        return [_reply(message) for message in self._person.from_bot()]

    async def _tapped(self, button: str) -> str:
        def is_there() -> bool:
            return any(button in label for reply in self.replies() for label in reply.buttons)

        await self._person.wait_until(is_there, PATIENCE)
        answer = await self._person.answer_to(await self._person.tap(button), PATIENCE)
        return answer.text or ""

    async def _edit(self, containing: str) -> Message:
        number = await self._person.wait_until(lambda: self._next_edit(containing), PATIENCE)
        self._versions_seen = number + 1
        return self._person.versions()[number]

    def _next_edit(self, containing: str) -> int | None:
        """Where in `versions` it is: the place of a message that is there before, too."""
        sent: set[int] = set()
        for number, version in enumerate(self._person.versions()):
            is_edit = version.message_id in sent and number >= self._versions_seen
            said = version.text or version.caption or ""
            if is_edit and is_from_bot(version) and containing in said:
                return number
            sent.add(version.message_id)
        return None

    async def _do(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs `work` in the bot's event loop, whatever loop the test runs in."""
        return await asyncio.wrap_future(self._app.run(work))

    async def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        """As `_do`, until the bot has ended, or rests."""
        __tracebackhide__ = True  # of the test that fails, its own line is what matters
        waiting, rest = self._app.run(work), self._app.run(self._app.rest(REST))
        ways: list[asyncio.Future[Any]] = [
            asyncio.wrap_future(waiting),
            asyncio.wrap_future(self._app.ended),
            asyncio.wrap_future(rest),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        rest.cancel()
        if waiting.done():
            try:
                return waiting.result()
            except TimeoutError as error:
                raise NoReply(str(error)) from None
        waiting.cancel()
        if self._app.ended.done():
            raise NoReply(f"the bot has ended: {self._app.ended.exception()!r}")
        said = [reply.text or "a picture" for reply in self.replies()]
        buttons = [button for reply in self.replies() for button in reply.buttons]
        raise NoReply(
            f"nothing of the kind, and the bot has come to rest; it said {said}, with the buttons "
            f"{buttons}"
        )


def _reply(message: Message) -> Reply:
    markup = message.reply_markup
    rows = markup.inline_keyboard if markup is not None else []
    return Reply(
        text=message.text or message.caption or "",
        buttons=[button.text for row in rows for button in row],
        has_picture=bool(message.photo),
        message_id=message.message_id,
    )
