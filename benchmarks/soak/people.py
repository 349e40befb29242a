"""Simulated people: each does what people do with the bot, one thing after the other."""

from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum

from aiogram.types import Message
from PIL import Image

from impasto_playground import Person, Playground
from impasto_playground.person import PersonError

from .chat_facts import (
    CHOICE,
    FAILED,
    FINISH,
    LOOK,
    OPTIONS,
    OWN_STYLE,
    STOP,
    STYLE,
    About,
    buttons_of,
    is_ready,
    news_of,
)

PATIENCE_S = 25.0
"""Nobody waits longer than this for a reply before asking again."""

MOST_TAPS = 4
"""So often somebody taps a button that does not seem to work."""

BROKEN = "broken file"
KINDS = {
    "preset": 5,
    "own style": 2,
    "named style": 2,
    "options": 1,
    "cancelled": 2,
    "finished early": 1,
    "message deleted": 1,
    BROKEN: 1,
}
"""How people ask for pictures, and how often beside each other."""
GONE_FOR_S = 60.0
"""After so long nobody expects to hear of a job that has vanished."""

NAMES = ("Alice", "Борис", "Chiara", "Дарья", "Emil", "Фёдор", "Grace", "Женя")


class End(StrEnum):
    """How a person's wish ended, as the person saw it."""

    OPEN = "open"
    PICTURE = "picture"
    EXPLAINED = "explained"
    CANCELLED = "cancelled"
    VANISHED = "vanished"
    """With everything else in the store, and nobody was told."""


@dataclass
class Wish:
    """One picture that somebody asked for."""

    person: int
    kind: str
    sent: int = 0
    """The message with the photo."""
    job: str | None = None
    """None also where a failure was told before anything else was."""
    end: End = End.OPEN
    asked_again: int = 0


@dataclass
class Wishes:
    """All of them."""

    all: list[Wish] = field(default_factory=list)
    wanted: str | None = None
    """What the next person who asks for a picture is to wish."""
    vanished: set[str] = field(default_factory=set)
    """Jobs of stores that were emptied."""

    @property
    def open(self) -> list[Wish]:
        return [wish for wish in self.all if wish.end is End.OPEN]

    def new(self, person: int, kind: str) -> Wish:
        wish = Wish(person, kind)
        self.all.append(wish)
        return wish


class Customer:
    """Somebody in a private chat with the bot."""

    def __init__(
        self,
        number: int,
        playground: Playground,
        wishes: Wishes,
        seed: int,
        *,
        longest_pause: float = 0.0,
        photo: tuple[int, int] = (120, 90),
    ) -> None:
        self._random = random.Random(f"{seed} {number}")
        name = NAMES[number % len(NAMES)]
        self.person = Person(
            playground.url, number, name, "en" if name.isascii() else "ru", username=f"user{number}"
        )
        self._wishes = wishes
        self._longest_pause = longest_pause
        """Seconds that this person may think before the next wish."""
        self._photo = photo
        self._known_jobs: set[str] = set()

    async def live(self, closing: asyncio.Event) -> None:
        """Asks for pictures until `closing` is set and the last wish is fulfilled."""
        await self.person.send_text("/start")
        while not closing.is_set():
            pause = self._random.uniform(0, self._longest_pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(closing.wait(), pause)
                return
            [kind] = self._random.choices(list(KINDS), list(KINDS.values()))
            if self._wishes.wanted is not None:
                kind, self._wishes.wanted = self._wishes.wanted, None
            await self.ask_for(kind)
            if self._random.random() < 0.2:
                await self.person.send_text(self._random.choice(["/help", "/status", "привет!"]))

    async def ask_for(self, kind: str) -> Wish:
        """Asks for a picture in a way of KINDS, and waits for what becomes of it."""
        ways = {
            "preset": self._preset,
            "own style": self._own_style,
            "named style": self._named_style,
            "options": self._options,
            "cancelled": self._cancelled,
            "finished early": self._finished_early,
            "message deleted": self._message_deleted,
            BROKEN: self._broken_file,
        }
        wish = self._wishes.new(self.person.user_id, kind)
        await ways[kind](wish)
        return wish

    async def _preset(self, wish: Wish) -> None:
        await self._ordered(wish)
        await self._until_over(wish)

    async def _own_style(self, wish: Wish) -> None:
        async def choose(gallery: Message) -> None:
            newest = self.person.messages()[-1].message_id
            await self._tap(gallery, OWN_STYLE)
            asked = await self._reply_after(newest, lambda m: bool(m.text))
            if asked is not None:
                await self.person.send_photo(self._picture((90, 90)))

        await self._ordered(wish, choose)
        await self._until_over(wish)

    async def _named_style(self, wish: Wish) -> None:
        async def send() -> Message:
            return await self.person.send_photo(self._picture(), caption="/style mosaic")

        await self._ordered(wish, send=send)
        await self._until_over(wish)

    async def _options(self, wish: Wish) -> None:
        async def choose(gallery: Message) -> None:
            way = (OPTIONS, CHOICE, LOOK, OPTIONS, STYLE)  # the options, one of them, and back
            for button, next_button in itertools.pairwise(way):
                await self._tap(gallery, button)
                if not await self._change_of(gallery, next_button):
                    return
            await self._tap(gallery, STYLE)

        await self._ordered(wish, choose)
        await self._until_over(wish)

    async def _cancelled(self, wish: Wish) -> None:
        await self._ordered(wish)
        await self._after_a_moment(wish, STOP)

    async def _finished_early(self, wish: Wish) -> None:
        await self._ordered(wish)
        await self._after_a_moment(wish, FINISH)

    async def _message_deleted(self, wish: Wish) -> None:
        await self._ordered(wish)
        status = self._message_about(wish, About.WAITING, About.PAINTING)
        if status is not None:
            await self._unless_gone(self.person.delete(status.message_id))
        await self._until_over(wish)

    async def _broken_file(self, wish: Wish) -> None:
        async def send() -> Message:
            return await self.person.send_document(self._picture()[:400], "broken.jpg")

        await self._ordered(wish, send=send)
        await self._until_over(wish)

    async def _ordered(
        self,
        wish: Wish,
        choose: Callable[[Message], Awaitable[None]] | None = None,
        send: Callable[[], Awaitable[Message]] | None = None,
    ) -> None:
        """Sends a photo and chooses a style until there is a job; gives up never."""
        wish.sent = (await (send or self._send_photo)()).message_id
        while True:
            await self._reply_after(wish.sent, _is_about_pictures)
            galleries = [
                message
                for message in self.person.from_bot()
                if _is_gallery(message) and message.message_id > wish.sent
            ]
            if galleries:
                await (choose or self._choose_any)(galleries[-1])
            if await self._is_taken(wish):
                return
            wish.asked_again += 1
            # After the store was emptied, the bot knows of no photo.
            if not galleries or wish.asked_again > 1:
                wish.sent = (await (send or self._send_photo)()).message_id

    async def _send_photo(self) -> Message:
        return await self.person.send_photo(self._picture())

    async def _choose_any(self, gallery: Message) -> None:
        await self._tap(gallery, STYLE)

    async def _is_taken(self, wish: Wish) -> bool:
        """Waits for a job that is new, or for the news that there will be none; whether it came."""

        def answered() -> bool:
            self._find_job(wish)
            return wish.job is not None or self._is_refused(wish)

        try:
            await self.person.wait_until(answered, PATIENCE_S)
        except TimeoutError:
            return False
        return True

    def _find_job(self, wish: Wish) -> None:
        """The job that is shown and belongs to no wish before. It may turn out to be another one:
        a message about a job that had its end is sent late, and taken away at once."""
        shown = self._shown_jobs() - self._known_jobs
        if wish.job not in shown:
            wish.job = min(shown, default=wish.job)

    def _shown_jobs(self) -> set[str]:
        news = map(news_of, self.person.from_bot())
        return {one.job for one in news if one is not None}

    async def _until_over(self, wish: Wish) -> None:
        """Waits for the end of the wish, however long that takes."""

        def end() -> bool:
            self._find_job(wish)
            wish.end = self._end_of(wish)
            return wish.end is not End.OPEN

        while True:
            try:
                await self.person.wait_until(end, timeout=GONE_FOR_S)
                break
            except TimeoutError:
                if wish.job in self._wishes.vanished:
                    wish.end = End.VANISHED
                    break
        self._known_jobs |= self._shown_jobs()
        if wish.job is not None:
            self._known_jobs.add(wish.job)

    def _end_of(self, wish: Wish) -> End:
        messages = self.person.from_bot()
        for message in messages:
            news = news_of(message)
            if news is None or news.job != wish.job:
                continue
            if news.about is About.RESULT and is_ready(message, messages):
                return End.PICTURE
            if news.about is About.END:
                return End.EXPLAINED if _is_failure(message) else End.CANCELLED
        return End.EXPLAINED if self._is_refused(wish) else End.OPEN

    def _is_refused(self, wish: Wish) -> bool:
        """Whether the bot said why there will be no picture without a button, so of no job: of a
        file that cannot be painted, or that Telegram has no more. Nobody has two wishes at once."""
        return any(
            _is_failure(message) and news_of(message) is None and message.message_id > wish.sent
            for message in self.person.from_bot()
        )

    async def _after_a_moment(self, wish: Wish, button: str) -> None:
        """Taps a button of the wish's message at a random moment, if it is there in time."""
        moment = self._random.uniform(0, 3)
        until = asyncio.create_task(self._until_over(wish))
        await asyncio.wait({until}, timeout=moment)
        for _ in range(MOST_TAPS):
            if until.done():
                break
            status = self._message_about(wish, About.WAITING, About.PAINTING)
            if status is not None:
                await self._tap(status, button)
            await asyncio.wait({until}, timeout=PATIENCE_S)
        await until

    def _message_about(self, wish: Wish, *about: About) -> Message | None:
        for message in reversed(self.person.from_bot()):
            news = news_of(message)
            if news is not None and news.job == wish.job and news.about in about:
                return message
        return None

    async def _tap(self, message: Message, button: str) -> None:
        """Taps a random one of the buttons whose data begin so, if the message still has one."""
        now = [m for m in self.person.from_bot() if m.message_id == message.message_id]
        markup = now[0].reply_markup if now else None
        if markup is None:
            return
        found = [
            one.text
            for row in markup.inline_keyboard
            for one in row
            if (one.callback_data or "").startswith(button)
        ]
        if found:
            chosen = self._random.choice(found)
            await self._unless_gone(self.person.tap(chosen, message.message_id))

    async def _change_of(self, message: Message, button: str) -> bool:
        """Waits until the message has such a button; whether it got one."""

        def has_it() -> bool:
            return any(
                m.message_id == message.message_id
                and any(data.startswith(button) for data in buttons_of(m))
                for m in self.person.from_bot()
            )

        try:
            await self.person.wait_until(has_it, PATIENCE_S)
        except TimeoutError:
            return False
        return True

    async def _reply_after(
        self, message_id: int, fits: Callable[[Message], bool]
    ) -> Message | None:
        try:
            return await self.person.wait_for(fits, PATIENCE_S, after=message_id)
        except TimeoutError:
            return None

    @staticmethod
    async def _unless_gone(action: Awaitable[object]) -> None:
        """An app shows for a moment what is not there any more."""
        try:
            await action
        except PersonError:
            return

    def _picture(self, size: tuple[int, int] | None = None) -> bytes:
        """A picture that no other one is like."""
        size = size or self._photo
        buffer = io.BytesIO()
        color = tuple(self._random.randrange(256) for _ in range(3))
        picture = Image.blend(
            Image.radial_gradient("L").resize(size).convert("RGB"),
            Image.new("RGB", size, color),
            0.5,
        )
        picture.save(buffer, "JPEG")
        return buffer.getvalue()


def _is_gallery(message: Message) -> bool:
    return any(data.startswith(STYLE) for data in buttons_of(message))


def _is_failure(message: Message) -> bool:
    return (message.text or "").startswith(FAILED)


def _is_about_pictures(message: Message) -> bool:
    return _is_gallery(message) or _is_failure(message) or news_of(message) is not None
