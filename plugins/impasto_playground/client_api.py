"""The person's side of a chat, over HTTP: what a Telegram app does, for the page and for tests.

Everything is under ``/api/chats/{user_id}``, the person's private chat with the bot, and again
under ``/api/chats/{user_id}/groups/{number}``, a group that the person and the bot are in. A
failure is answered with a status of 400 or above and ``{"error": "one sentence"}``.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiogram.types import InlineKeyboardMarkup, Message, User
from aiohttp import web

from . import pictures
from .entities import MAX_CAPTION, MAX_TEXT, find_entities
from .events import stream
from .files import Content
from .inline import MAX_WORDS
from .markup import utf16_length
from .refusals import Refusal
from .state import Conversation, World
from .wire import Call, Upload, received, to_json

MAX_ALBUM = 10
SEND_AS = ("auto", "photo", "document")

Handler = Callable[[Conversation, Call], Awaitable[Any]]


class Mistake(Refusal):
    """Something a Telegram app would not let its person do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(400, sentence)


class ClientApi:
    """Routes that act for a person."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add_routes(self, router: web.UrlDispatcher) -> None:
        private = "/api/chats/{user_id:[0-9]{1,15}}"
        for chat in (private, private + "/groups/{group:[1-9][0-9]{0,12}}"):
            self._add_chat(router, chat)

    def _add_chat(self, router: web.UrlDispatcher, chat: str) -> None:
        router.add_get(chat, self._handler(self._snapshot))
        router.add_put(chat, self._handler(self._introduce))
        router.add_get(f"{chat}/events", self._events)
        router.add_get(f"{chat}/files/{{file_id}}", self._file)
        router.add_post(f"{chat}/messages", self._handler(self._send_text))
        router.add_post(f"{chat}/files", self._handler(self._send_files))
        router.add_post(f"{chat}/taps", self._handler(self._tap))
        router.add_post(f"{chat}/inline", self._handler(self._ask_inline))
        router.add_post(f"{chat}/inline/chosen", self._handler(self._choose_inline))
        router.add_put(f"{chat}/blocked", self._handler(self._block))
        router.add_delete(f"{chat}/messages", self._handler(self._delete))

    def _handler(self, action: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            async with received(request, self._world.files.incoming) as call:
                result = await action(self._conversation(request), call)
            return web.json_response(to_json(result))

        return handle

    def _conversation(self, request: web.Request) -> Conversation:
        private = self._private_conversation(int(request.match_info["user_id"]))
        group = request.match_info.get("group")
        return private if group is None else self._world.group(int(group), private.person)

    def _private_conversation(self, user_id: int) -> Conversation:
        found = self._world.chats.get(user_id)
        if found is not None:
            return found
        if user_id == 0:
            raise Mistake("A person's id is a positive number.")
        guest = User(id=user_id, is_bot=False, first_name="Guest", language_code="en")
        return self._world.conversation(guest)

    async def _snapshot(self, conversation: Conversation, call: Call) -> Any:
        return self._world.snapshot(conversation)

    async def _introduce(self, conversation: Conversation, call: Call) -> Any:
        """Set the person's name and language: `first_name`, `last_name`, `username`,
        `language_code`; what is absent stays. A person may have no name."""
        known = ("first_name", "last_name", "username", "language_code")
        update = {name: _text(call, name)[:64] for name in known if name in call.fields}
        person = conversation.person.model_copy(
            update={
                name: value if name == "first_name" else value or None
                for name, value in update.items()
            }
        )
        private = self._world.conversation(person)
        self._world.hub.publish(person.id, "profile", **self._world.profile_for(private))
        return self._world.snapshot(
            private if conversation.group is None else replace(conversation, person=person)
        )

    async def _send_text(self, conversation: Conversation, call: Call) -> Message:
        """Send `text`, in answer to the message `reply_to` if given."""
        text = _text(call, "text").strip()
        if not text:
            raise Mistake("Write something first.")
        if utf16_length(text) > MAX_TEXT:
            raise Mistake(f"A message has at most {MAX_TEXT} characters.")
        self._check_not_blocked(conversation, unblock=text == "/start")
        replied = None
        if call.fields.get("reply_to"):
            replied = self._message(conversation, call, "reply_to")
            replied = replied.model_copy(update={"reply_to_message": None})
        return self._world.from_person(
            conversation,
            text=text,
            entities=list(find_entities(text)) or None,
            reply_to_message=replied,
        )

    async def _send_files(self, conversation: Conversation, call: Call) -> list[Message]:
        """Send the uploaded files with a `caption`.

        `as` is ``photo``, ``document`` or ``auto``: as an app does that was told to send
        photos, GIFs as animations and what is no photo as documents. Several become an album.
        """
        self._check_not_blocked(conversation)
        kind = _text(call, "as") or "auto"
        caption = _text(call, "caption").strip() or None
        uploads = list(call.uploads.values())
        if kind not in SEND_AS:
            raise Mistake(f"Files go as {', '.join(SEND_AS)}.")
        if not 1 <= len(uploads) <= MAX_ALBUM:
            raise Mistake(f"Choose one to {MAX_ALBUM} files.")
        if caption is not None and utf16_length(caption) > MAX_CAPTION:
            raise Mistake(f"A caption has at most {MAX_CAPTION} characters.")
        contents = [await self._take(upload, kind) for upload in uploads]
        return self._post_files(conversation, contents, caption)

    def _post_files(
        self, conversation: Conversation, contents: list[Content], caption: str | None
    ) -> list[Message]:
        groups = _groups(contents)
        messages = []
        for index, content in enumerate(contents):
            text = caption if index == 0 else None
            found = list(find_entities(text)) if text else []
            messages.append(
                self._world.from_person(
                    conversation,
                    **content,
                    caption=text,
                    caption_entities=found or None,
                    media_group_id=groups[index],
                )
            )
        return messages

    async def _take(self, upload: Upload, kind: str) -> Content:
        files = self._world.files
        if upload.size == 0:
            raise Mistake("This file is empty.")
        moving = await files.add_animation(upload.path, upload.name) if kind == "auto" else None
        if moving is not None:
            return moving
        if kind != "document":
            try:
                return await files.add_photo(upload.path, by_app=True)
            except Refusal as refusal:
                if kind == "photo":
                    raise Mistake(f"This is no photo: {refusal.description}") from refusal
        return await files.add_document(upload.path, upload.name, upload.content_type)

    async def _tap(self, conversation: Conversation, call: Call) -> Any:
        """Tap the inline button at `row` and `column` of the message `message_id`."""
        self._check_not_blocked(conversation)
        message = self._message(conversation, call, "message_id")
        row, column = _number(call, "row"), _number(call, "column")
        markup = message.reply_markup
        rows = markup.inline_keyboard if isinstance(markup, InlineKeyboardMarkup) else []
        if not (0 <= row < len(rows) and 0 <= column < len(rows[row])):
            raise Mistake("There is no such button.")
        button = rows[row][column]
        if button.callback_data is None:
            raise Mistake("This button does not call the bot.")
        return {"query_id": self._world.tap(conversation, message, button.callback_data)}

    async def _ask_inline(self, conversation: Conversation, call: Call) -> Any:
        """Write `words` behind the bot's name: what there is to choose from, the button above it,
        and the `query_id`. More of a long answer comes by `offset`."""
        words = _text(call, "words")
        if len(words) > MAX_WORDS:
            raise Mistake(f"A query has at most {MAX_WORDS} characters.")
        chat_type = "sender" if conversation.group is None else "group"
        offset = _text(call, "offset")
        return await self._world.inline.ask(conversation.person, chat_type, words, offset)

    async def _choose_inline(self, conversation: Conversation, call: Call) -> Message:
        """Send `result_id` of the answer to `query_id` into this chat."""
        self._check_not_blocked(conversation)
        person, query_id = conversation.person, _text(call, "query_id")
        content = self._world.inline.chosen(person, query_id, _text(call, "result_id"))
        return self._world.from_person(conversation, **content, via_bot=self._world.bot)

    async def _block(self, conversation: Conversation, call: Call) -> Any:
        """Block the bot, or unblock it, by `blocked`."""
        self._world.block(conversation, _text(call, "blocked") == "true")
        return {"blocked": conversation.blocked}

    async def _delete(self, conversation: Conversation, call: Call) -> Any:
        """Delete the message `message_id` for both sides."""
        message = self._message(conversation, call, "message_id")
        self._world.remove(conversation, message.message_id)
        return {"deleted": message.message_id}

    def _check_not_blocked(self, conversation: Conversation, unblock: bool = False) -> None:
        if conversation.blocked and not unblock:
            raise Mistake("Unblock the bot first.")
        self._world.block(conversation, False)

    def _message(self, conversation: Conversation, call: Call, name: str) -> Message:
        message = conversation.messages.get(_number(call, name))
        if message is None:
            raise Mistake("There is no such message.")
        return message

    async def _file(self, request: web.Request) -> web.StreamResponse:
        stored = self._world.files.by_id(request.match_info["file_id"])
        if stored is None:
            raise Refusal(404, "There is no such file.")
        content_type = pictures.image_mime_type(stored.path)
        headers = {
            "Content-Type": content_type or "application/octet-stream",
            "Cache-Control": "private, max-age=31536000, immutable",
        }
        if content_type is None or "download" in request.query:
            headers["Content-Disposition"] = _attachment(stored.name)
        return web.FileResponse(stored.path, headers=headers)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: first the whole chat, then every change of it."""
        conversation = self._conversation(request)
        watcher = self._world.hub.watch(conversation.id)
        try:
            snapshot = {"kind": "snapshot", **self._world.snapshot(conversation)}
            return await stream(request, watcher, first=snapshot)
        finally:
            self._world.hub.leave(conversation.id, watcher)


def _groups(contents: list[Content]) -> list[str | None]:
    """Media group ids: photos together and documents together, GIFs always alone."""
    kinds = [next(iter(content)) for content in contents]
    ids = {kind: str(secrets.randbits(60)) for kind in set(kinds)}
    return [ids[kind] if kind != "animation" and kinds.count(kind) > 1 else None for kind in kinds]


def _text(call: Call, name: str) -> str:
    value = call.fields.get(name, "")
    if not isinstance(value, str):
        raise Mistake(f"{name} must be a string.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Mistake(f"{name} must be valid Unicode.") from error
    return value


def _number(call: Call, name: str) -> int:
    text = _text(call, name)
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Mistake(f"{name} must be a number.")
    return int(text)


def _attachment(name: str) -> str:
    """A Content-Disposition header for any file name (RFC 6266)."""
    plain = "".join(c if (c.isascii() and c.isalnum()) or c in "._-" else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(Path(name).name)}"
