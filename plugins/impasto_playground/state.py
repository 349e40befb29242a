"""What the playground knows: one bot, the persons it talks to, and what was said.

Messages are aiogram's own `Message` objects. Every change of a chat goes through `World`, which
tells the watchers and, where a person acted, queues the update for the bot.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiogram.types import (
    BotCommand,
    CallbackQuery,
    Chat,
    ChatMemberBanned,
    ChatMemberMember,
    ChatMemberUpdated,
    ForceReply,
    MenuButtonCommands,
    Message,
    ReplyKeyboardMarkup,
    User,
)

from .events import EventHub
from .files import FileStore
from .inline import InlineMode
from .refusals import Refusal
from .updates import UpdateQueue
from .wire import to_json

MAX_MESSAGES = 2000
"""Messages kept per chat; the bot cannot edit older ones any more."""

MAX_CHATS = 10_000
MAX_QUERIES = 1000

DEFAULT_BOT_ID = 123456
BOT_NAME = "Impasto"
BOT_USERNAME = "impasto_playground_bot"
GROUP_TITLE = "Friends"


@dataclass
class Conversation:
    """The private chat of one person with the bot, or a group as one member sees it."""

    person: User
    messages: OrderedDict[int, Message] = field(default_factory=OrderedDict)
    started: bool = False
    blocked: bool = False
    keyboard: ReplyKeyboardMarkup | ForceReply | None = None
    group: Chat | None = None

    @property
    def id(self) -> int:
        """The chat's id; a group's is negative."""
        return self.person.id if self.group is None else self.group.id

    @property
    def chat(self) -> Chat:
        """The chat as messages carry it."""
        return self.group or Chat(
            id=self.person.id,
            type="private",
            first_name=self.person.first_name,
            last_name=self.person.last_name,
            username=self.person.username,
        )


@dataclass
class Query:
    """A tap on an inline button that the bot has yet to answer."""

    chat_id: int
    message_id: int


@dataclass
class Profile:
    """What the bot tells of itself."""

    commands: dict[tuple[str, str], list[BotCommand]] = field(default_factory=dict)
    """By scope and language code; "" stands for all languages."""
    texts: defaultdict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    """``name``, ``description`` and ``short_description``, each by language code."""
    menu_buttons: dict[int | None, Any] = field(default_factory=dict)

    def text(self, name: str, language: str | None) -> str:
        """A text in this language, else in the default one."""
        texts = self.texts[name]
        default = BOT_NAME if name == "name" else ""
        return texts.get(language or "") or texts.get("") or default


class World:
    """One bot and its chats."""

    def __init__(self, folder: Path | None = None) -> None:
        self.bot = _bot_user(DEFAULT_BOT_ID)
        self.profile = Profile()
        self.files = FileStore(folder)
        self.updates = UpdateQueue()
        self.inline = InlineMode(self.updates)
        self.hub = EventHub()
        self.chats: dict[int, Conversation] = {}
        self.queries: OrderedDict[str, Query] = OrderedDict()
        self._last_message_id = 0

    def recognize_bot(self, bot_id: int) -> None:
        """Give the bot the id that its token says."""
        if self.bot.id != bot_id:
            self.bot = _bot_user(bot_id)

    def conversation(self, person: User) -> Conversation:
        """The chat with this person, whose name and language may have changed since. Raises
        `Refusal` when there are too many."""
        found = self.chats.get(person.id)
        if found is None:
            if len(self.chats) >= MAX_CHATS:
                raise Refusal(400, "There are too many chats in this playground.")
            found = self.chats[person.id] = Conversation(person)
        elif found.person != person:
            found.person = person
            self.hub.publish(person.id, "person", person=to_json(person))
        return found

    def group(self, number: int, person: User) -> Conversation:
        """A group as this member sees it; its messages are those of all."""
        found = self.chats.get(-number)
        if found is None:
            group = Chat(id=-number, type="group", title=GROUP_TITLE)
            found = self.chats[-number] = Conversation(person, started=True, group=group)
        return replace(found, person=person)

    def next_message_id(self) -> int:
        """Ids run through all chats of the bot, as they do in an account's private chats."""
        self._last_message_id += 1
        return self._last_message_id

    def from_person(self, conversation: Conversation, **content: Any) -> Message:
        """Add a message of the person and queue its update, unless it is none of the bot's
        business: in groups a bot sees commands, answers to its own messages and what was sent by
        its inline mode (https://core.telegram.org/bots/features#privacy-mode)."""
        conversation.started = True
        message = self._new_message(conversation, conversation.person, content)
        self._add(conversation, message)
        replied = message.reply_to_message
        answers_bot = replied is not None and replied.from_user == self.bot
        is_command = (message.text or message.caption or "").startswith("/")
        is_by_bot = message.via_bot is not None
        if conversation.group is None or is_command or answers_bot or is_by_bot:
            self.updates.put("message", to_json(message))
        return message

    def from_bot(self, conversation: Conversation, **content: Any) -> Message:
        """Add a message of the bot."""
        message = self._new_message(conversation, self.bot, content)
        self._add(conversation, message)
        return message

    def edit(self, conversation: Conversation, message: Message) -> None:
        """Put an edited message in the place of the one with its id."""
        conversation.messages[message.message_id] = message
        self.hub.publish(conversation.id, "edit", message=to_json(message))

    def remove(self, conversation: Conversation, message_id: int) -> bool:
        """Delete a message for both sides; False when there is none."""
        if conversation.messages.pop(message_id, None) is None:
            return False
        self.hub.publish(conversation.id, "delete", message_id=message_id)
        return True

    def show_keyboard(
        self, conversation: Conversation, keyboard: ReplyKeyboardMarkup | ForceReply | None
    ) -> None:
        """Show or, with None, take away the keyboard under the input field."""
        conversation.keyboard = keyboard
        self.hub.publish(conversation.id, "keyboard", keyboard=to_json(keyboard))

    def block(self, conversation: Conversation, blocked: bool) -> None:
        """The person blocks or unblocks the bot, which is told by `my_chat_member`."""
        if conversation.blocked == blocked:
            return
        conversation.blocked = blocked
        member = ChatMemberMember(user=self.bot)
        kicked = ChatMemberBanned(user=self.bot, until_date=datetime.fromtimestamp(0, UTC))
        change = ChatMemberUpdated(
            chat=conversation.chat,
            from_user=conversation.person,
            date=now(),
            old_chat_member=member if blocked else kicked,
            new_chat_member=kicked if blocked else member,
        )
        self.updates.put("my_chat_member", to_json(change))
        self.hub.publish(conversation.id, "blocked", blocked=blocked)

    def tap(self, conversation: Conversation, message: Message, data: str) -> str:
        """The person taps an inline button; the id of the callback query."""
        query_id = str(secrets.randbits(62))
        self.queries[query_id] = Query(conversation.id, message.message_id)
        while len(self.queries) > MAX_QUERIES:
            self.queries.popitem(last=False)
        query = CallbackQuery(
            id=query_id,
            from_user=conversation.person,
            chat_instance=str(conversation.id * 7919),
            message=message,
            data=data,
        )
        self.updates.put("callback_query", to_json(query))
        return query_id

    def menu_button(self, chat_id: int) -> Any:
        """The menu button of this chat, its own or the default one."""
        buttons = self.profile.menu_buttons
        return buttons.get(chat_id) or buttons.get(None) or MenuButtonCommands()

    def commands_for(self, conversation: Conversation) -> list[BotCommand]:
        """The commands this person sees, chosen as Telegram does: scope first, then language."""
        kind = "all_private_chats" if conversation.group is None else "all_group_chats"
        for scope in (f"chat:{conversation.id}", kind, "default"):
            for language in (conversation.person.language_code or "", ""):
                commands = self.profile.commands.get((scope, language))
                if commands:
                    return commands
        return []

    def profile_for(self, conversation: Conversation) -> dict[str, Any]:
        """What a chat shows of the bot besides messages, as JSON values."""
        person = conversation.person
        return {
            "bot": to_json(self.bot),
            "commands": to_json(self.commands_for(conversation)),
            "menu_button": to_json(self.menu_button(person.id)),
            "description": self.profile.text("description", person.language_code),
        }

    def snapshot(self, conversation: Conversation) -> dict[str, Any]:
        """Everything a chat shows, as JSON values."""
        return {
            **self.profile_for(conversation),
            "person": to_json(conversation.person),
            "chat": to_json(conversation.chat),
            "started": conversation.started,
            "blocked": conversation.blocked,
            "keyboard": to_json(conversation.keyboard),
            "messages": [to_json(message) for message in conversation.messages.values()],
        }

    def _new_message(
        self, conversation: Conversation, sender: User, content: dict[str, Any]
    ) -> Message:
        return Message(
            message_id=self.next_message_id(),
            date=now(),
            chat=conversation.chat,
            from_user=sender,
            **content,
        )

    def _add(self, conversation: Conversation, message: Message) -> None:
        conversation.messages[message.message_id] = message
        while len(conversation.messages) > MAX_MESSAGES:
            conversation.messages.popitem(last=False)
        self.hub.publish(conversation.id, "message", message=to_json(message))


def now() -> datetime:
    """The time in whole seconds, as the Bot API has it."""
    return datetime.now(UTC).replace(microsecond=0)


def _bot_user(bot_id: int) -> User:
    return User(
        id=bot_id,
        is_bot=True,
        first_name=BOT_NAME,
        username=BOT_USERNAME,
        can_join_groups=True,
        can_read_all_group_messages=False,
        supports_inline_queries=True,
    )
