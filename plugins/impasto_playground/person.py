"""A person in the playground, for tests and scripts: sends, taps and waits over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import aiohttp
from aiogram.types import InlineKeyboardButton, Message

T = TypeVar("T")

DEFAULT_TIMEOUT_S = 30.0
MAX_EVENT_BYTES = 64 * 1024 * 1024


class PersonError(Exception):
    """What a Telegram app would not have let the person do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How the bot answered a tapped button."""

    query_id: str
    text: str | None
    show_alert: bool
    url: str | None


class Person:
    """One person's chat with the bot of the playground at `url`; with `group`, the group of that
    number, in which other persons may be, too.

    Use it as an async context manager: it follows the chat's events while it is open, and every
    wait ends by one of them.
    """

    def __init__(
        self,
        url: str,
        user_id: int = 1,
        first_name: str = "Alice",
        language_code: str = "en",
        username: str | None = None,
        *,
        group: int | None = None,
    ) -> None:
        self.user_id = user_id
        self.language_code = language_code
        self._introduction = {
            "first_name": first_name,
            "language_code": language_code,
            "username": username,
        }
        self._base = f"{url.rstrip('/')}/api/chats/{user_id}"
        if group is not None:
            self._base += f"/groups/{group}"
        self._session: aiohttp.ClientSession | None = None
        self._follower: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()
        self._connected = False
        self._ended: BaseException | None = None
        self._messages: dict[int, Message] = {}
        self._answers: dict[str, Answer] = {}
        self._versions: list[Message] = []
        self.keyboard: dict[str, Any] | None = None
        self.actions: list[str] = []
        self.blocked = False
        self.profile: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=DEFAULT_TIMEOUT_S)
        self._session = aiohttp.ClientSession(timeout=timeout)
        try:
            await self._request("PUT", "", json=self._introduction)
            self._follower = asyncio.create_task(self._follow(), name="playground person")
            await self.wait_until(lambda: self._connected)
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Leave the chat as it is and stop following it."""
        if self._follower is not None:
            self._follower.cancel()
            await asyncio.gather(self._follower, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    @property
    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise PersonError("open the person first: async with Person(...)")
        return self._session

    def messages(self) -> list[Message]:
        """All messages of the chat as they are now, oldest first."""
        return [self._messages[key] for key in sorted(self._messages)]

    def from_bot(self) -> list[Message]:
        """The bot's messages as they are now, oldest first."""
        return [message for message in self.messages() if is_from_bot(message)]

    def versions(self) -> list[Message]:
        """Every message and every edit in the order in which they came."""
        return list(self._versions)

    async def send_text(self, text: str, reply_to: int | None = None) -> Message:
        """Send a text, a command for example."""
        body = {"text": text, "reply_to": reply_to}
        return _message(await self._request("POST", "/messages", json=body))

    async def send_photo(
        self, photo: bytes, caption: str | None = None, name: str = "photo.jpg"
    ) -> Message:
        """Send a picture as a photo. Raises `PersonError` for what an app cannot send so."""
        return (await self._send([(name, photo)], "photo", caption))[0]

    async def send_document(
        self, content: bytes, name: str = "picture.png", caption: str | None = None
    ) -> Message:
        """Send a file as it is."""
        return (await self._send([(name, content)], "document", caption))[0]

    async def send_picture(
        self, content: bytes, name: str = "picture.jpg", caption: str | None = None
    ) -> Message:
        """Send what was picked from the gallery, as an app does: a photo where that is possible,
        a GIF as animation, anything else as a document."""
        return (await self._send([(name, content)], "auto", caption))[0]

    async def send_album(
        self, photos: Iterable[bytes], caption: str | None = None
    ) -> list[Message]:
        """Send two to ten photos at once; they share a `media_group_id`."""
        files = [(f"photo{index}.jpg", photo) for index, photo in enumerate(photos, 1)]
        return await self._send(files, "photo", caption)

    async def tap(self, button_text: str, message_id: int | None = None) -> str:
        """Tap the newest inline button that says `button_text` (or contains it).

        Returns the id of the callback query, for `answer_to`. A button of the reply keyboard is
        sent as a text: use `send_text`.
        """
        message, row, column = self.find_button(button_text, message_id)
        where = {"message_id": message.message_id, "row": row, "column": column}
        return str((await self._request("POST", "/taps", json=where))["query_id"])

    def find_button(
        self, button_text: str, message_id: int | None = None
    ) -> tuple[Message, int, int]:
        """The newest message with such an inline button, and the button's row and column."""
        for exact in (True, False):
            for message, row, column, button in self._buttons(message_id):
                if button.text == button_text or (not exact and button_text in button.text):
                    return message, row, column
        seen = [button.text for *_, button in self._buttons(message_id)]
        raise PersonError(f"there is no button {button_text!r} among {seen}")

    async def answer_to(
        self,
        query_id: str,
        timeout: float = DEFAULT_TIMEOUT_S,  # noqa: ASYNC109 - the error tells what was said
    ) -> Answer:
        """Wait until the bot answers the tap."""
        return await self.wait_until(lambda: self._answers.get(query_id), timeout)

    async def ask_inline(self, words: str) -> dict[str, Any]:
        """Write the bot's name and these words here: `results` to choose from, the `button` above
        them, and the `query_id`."""
        return dict(await self._request("POST", "/inline", json={"words": words}))

    async def choose_inline(self, answer: dict[str, Any], index: int = 0) -> Message:
        """Send one of the results of `ask_inline` into this chat."""
        chosen = {"query_id": answer["query_id"], "result_id": answer["results"][index]["id"]}
        return _message(await self._request("POST", "/inline/chosen", json=chosen))

    async def block(self, blocked: bool = True) -> None:
        """Block the bot, or unblock it."""
        await self._request("PUT", "/blocked", json={"blocked": blocked})

    async def delete(self, message_id: int) -> None:
        """Delete a message for both sides."""
        await self._request("DELETE", "/messages", json={"message_id": message_id})

    async def download(self, file_id: str) -> bytes:
        """The bytes of a file in the chat."""
        async with self._http.get(f"{self._base}/files/{file_id}") as response:
            if not response.ok:
                raise PersonError(await response.text())
            return await response.read()

    async def wait_for(
        self,
        predicate: Callable[[Message], Any],
        timeout: float = DEFAULT_TIMEOUT_S,  # noqa: ASYNC109
        after: int = 0,
    ) -> Message:
        """The first message of the bot with an id above `after` for which `predicate` holds.

        Waits for new messages and edits. Raises `TimeoutError` that tells what the bot said.
        """

        def first() -> Message | None:
            fitting = (m for m in self.from_bot() if m.message_id > after and predicate(m))
            return next(fitting, None)

        return await self.wait_until(first, timeout)

    async def finished_picture(
        self,
        timeout: float = DEFAULT_TIMEOUT_S,  # noqa: ASYNC109
        after: int = 0,
    ) -> tuple[Message, Message]:
        """The message, with an id above `after`, that tells of a finished picture, and the one with
        the picture: that which it replies to or, where others came in between, itself."""
        told = await self.wait_for(_replies_to_bot, timeout, after)
        shown = told.reply_to_message.message_id if told.reply_to_message else 0
        if any(shown < message.message_id < told.message_id for message in self._versions):
            shown = told.message_id
        picture = await self.wait_for(
            lambda m: m.message_id == shown and m.photo, timeout, after=shown - 1
        )
        return told, picture

    async def wait_until(
        self,
        condition: Callable[[], T | None],
        timeout: float = DEFAULT_TIMEOUT_S,  # noqa: ASYNC109
    ) -> T:
        """Wait until `condition` holds, which is looked at after every event of the chat; returns
        what it gave then."""
        try:
            async with asyncio.timeout(timeout), self._changed:
                found = await self._changed.wait_for(lambda: condition() or self._ended)
        except TimeoutError:
            said = [message.text or message.caption or "…" for message in self.from_bot()]
            raise TimeoutError(f"nothing of the kind in {timeout} s; the bot said {said}") from None
        if found is None or isinstance(found, BaseException):
            raise PersonError("the playground ended the chat") from found
        return found

    def _buttons(
        self, message_id: int | None
    ) -> Iterable[tuple[Message, int, int, InlineKeyboardButton]]:
        for message in reversed(self.from_bot()):
            markup = message.reply_markup
            if markup is None or message_id not in (None, message.message_id):
                continue
            for row, buttons in enumerate(markup.inline_keyboard):
                for column, button in enumerate(buttons):
                    yield message, row, column, button

    async def _send(
        self, files: list[tuple[str, bytes]], kind: str, caption: str | None
    ) -> list[Message]:
        form = aiohttp.FormData({"as": kind, "caption": caption or ""}, quote_fields=False)
        for index, (name, content) in enumerate(files):
            form.add_field(f"file{index}", content, filename=name)
        return [_message(item) for item in await self._request("POST", "/files", data=form)]

    async def _request(self, verb: str, path: str, **content: Any) -> Any:
        async with self._http.request(verb, self._base + path, **content) as response:
            body = await response.json()
        if not response.ok:
            raise PersonError(body["error"])
        return body

    async def _follow(self) -> None:
        try:
            async with self._http.get(
                f"{self._base}/events", read_bufsize=MAX_EVENT_BYTES
            ) as response:
                async for line in response.content:
                    if line.startswith(b"data: "):
                        await self._apply(json.loads(line[6:]))
            raise ConnectionResetError("the stream of events ended")
        except Exception as error:
            async with self._changed:
                self._ended = error
                self._changed.notify_all()

    async def _apply(self, event: dict[str, Any]) -> None:
        async with self._changed:
            handler = getattr(self, f"_on_{event.pop('kind')}", None)
            if handler is not None:
                handler(event)
            self._changed.notify_all()

    def _on_snapshot(self, event: dict[str, Any]) -> None:
        self._messages = {item["message_id"]: _message(item) for item in event["messages"]}
        self._versions = self.messages()
        self.keyboard = event["keyboard"]
        self.blocked = event["blocked"]
        self._on_profile(event)
        self._connected = True

    def _on_message(self, event: dict[str, Any]) -> None:
        message = _message(event["message"])
        self._messages[message.message_id] = message
        self._versions.append(message)

    _on_edit = _on_message

    def _on_delete(self, event: dict[str, Any]) -> None:
        self._messages.pop(event["message_id"], None)

    def _on_keyboard(self, event: dict[str, Any]) -> None:
        self.keyboard = event["keyboard"]

    def _on_blocked(self, event: dict[str, Any]) -> None:
        self.blocked = event["blocked"]

    def _on_action(self, event: dict[str, Any]) -> None:
        self.actions.append(event["action"])

    def _on_answer(self, event: dict[str, Any]) -> None:
        query_id = event["query_id"]
        self._answers[query_id] = Answer(query_id, event["text"], event["show_alert"], event["url"])

    def _on_profile(self, event: dict[str, Any]) -> None:
        for name in ("bot", "commands", "menu_button", "description"):
            self.profile[name] = event[name]


def is_from_bot(message: Message) -> bool:
    """Whether the bot has written it."""
    return message.from_user is not None and message.from_user.is_bot


def _replies_to_bot(message: Message) -> bool:
    return message.reply_to_message is not None and is_from_bot(message.reply_to_message)


def _message(value: Any) -> Message:
    return Message.model_validate(value)
