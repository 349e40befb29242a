"""A conversation as it went, with the time that each reply took: for reading, not for judging."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiogram.types import Message

from impasto_playground import Person

from .bot_process import PATIENCE, photo

FOLDER = os.environ.get("TRANSCRIPT_FOLDER")
"""Where transcripts are written, if anywhere: `docs/transcripts` has those of the last change."""
LEGEND = (
    "After > stands what the bot says, `like this` its buttons and the time that a reply took; "
    "/ is a new line, and what is in parentheses pops up. Some replies are left out. "
    "The pictures are tiny ones for a test."
)
IN_RUSSIAN = {
    LEGEND: (
        "После > – слова бота, `так` показаны его кнопки и время ответа; / – новая строка, "
        "в скобках – всплывающий ответ. Некоторые ответы опущены. "
        "Картинки здесь крошечные, для проверки."
    ),
    "in reply to the photo": "в ответ на фото",
    "under the first picture": "под первой картиной",
    "A conversation, word for word": "Разговор дословно",
    "The slowest reply without a painting took": "Самый долгий ответ (не считая рисования) занял",
    "photo": "фото",
    "photo.jpg, as a file": "photo.jpg, файлом",
    "an album of two photos": "альбом из двух фото",
    "s": "с",
    "taps": "нажимает",
    "picture": "картинка",
    "file": "файл",
    "Option": "Настройка",
    "/start, then a photo first": "/start, потом сначала фото",
    "A style first": "Сначала стиль",
    "Both in one album": "Фото и стиль одним альбомом",
    "A caption that names the style": "Стиль назван в подписи",
    "A style picture of one's own": "Своя картинка как стиль",
    "An image sent as a file, and a style written by its number": (
        "Картинка файлом, а стиль – номером"
    ),
    "A link that names the style": "Ссылка, в которой назван стиль",
    "A mix of two styles": "Смесь двух стилей",
    "With a finished picture": "Когда картина готова",
    "Dead ends and their ways out": "Тупики и выходы из них",
    "Another language": "Другой язык",
    "In a group": "В группе",
}
"""What stands around the words of a conversation."""


class Transcript:
    """A person who writes down what was said."""

    def __init__(self, person: Person, language: str) -> None:
        self.person = person
        self._language = language
        self.lines: list[str] = []
        self.slowest = 0.0
        self._last = 0
        self._tapped = 1

    def title(self, words: str, option: str | None = None) -> None:
        named = f": {option}" if option else ""
        self.lines.append(f"\n## {self._said(words)}{named}\n")

    async def says(self, text: str, reply_to: int | None = None) -> Message:
        where = f" ({self._said('in reply to the photo')})" if reply_to else ""
        self.lines.append(f"**{text}**{where}  ")
        return self._sent(await self.person.send_text(text, reply_to))

    async def sends_photo(self, caption: str | None = None) -> Message:
        self.lines.append(f"**[{self._said('photo')}]** {caption or ''}  ")
        return self._sent(await self.person.send_photo(photo(), caption))

    async def sends_file(self) -> Message:
        self.lines.append(f"**[{self._said('photo.jpg, as a file')}]**  ")
        return self._sent(await self.person.send_document(photo(), "photo.jpg"))

    async def sends_album(self) -> Message:
        self.lines.append(f"**[{self._said('an album of two photos')}]**  ")
        sent = await self.person.send_album([photo(), photo((300, 300))])
        return self._sent(sent[-1])

    async def taps(
        self, button: str, message: Message | None = None, *, first: bool = False
    ) -> str | None:
        """The toast, if there is one.

        Args:
            first: tell that it is a button of the first of several pictures.
        """
        where = message.message_id if message is not None else None
        self._tapped = where or 1
        below = f" ({self._said('under the first picture')})" if first else ""
        self.lines.append(f"*{self._said('taps')}* `{button}`{below}  ")
        began = time.monotonic()
        self._last = max(m.message_id for m in self.person.messages())
        answer = await self.person.answer_to(await self.person.tap(button, where), PATIENCE)
        self._note(answer.text and f"({answer.text})", began)
        return answer.text

    async def hears(self, *words: str, new: bool = True, paints: bool = False) -> Message:
        """The bot's reply that says this: a new message, or one that it changed."""
        began = time.monotonic()
        reply = await self.person.wait_for(
            says(*words), PATIENCE, after=self._last if new else self._tapped - 1
        )
        self._note(self._described(reply), began, paints=paints)
        return reply

    async def gets_painting(self, ready: str, *words: str) -> Message:
        """Waits for the finished picture whose caption says this."""
        await self.hears(ready, paints=True)
        _, result = await self.person.finished_picture(PATIENCE, after=self._last)
        assert says(*words)(result), result.caption
        assert result.photo
        self.lines.append(f"> {self._described(result)}\n")
        self._last = max(m.message_id for m in self.person.messages())
        return result

    def write(self) -> None:
        title = self._said("A conversation, word for word")
        slowest = self._said("The slowest reply without a painting took")
        seconds = f"{self.slowest:.2f} {self._said('s')}"
        head = f"# {title}\n\n{self._said(LEGEND)}\n\n{slowest} {seconds}."
        text = "\n".join([head, *self.lines]) + "\n"
        print(text)
        if FOLDER:
            Path(FOLDER).mkdir(parents=True, exist_ok=True)
            (Path(FOLDER) / f"{self._language}.md").write_text(text, encoding="utf-8")

    def _said(self, words: str) -> str:
        return IN_RUSSIAN[words] if self._language == "ru" else words

    def _described(self, message: Message) -> str:
        """A message in one line: its kind, its words, its buttons."""
        kind = "picture" if message.photo else "file" if message.document else None
        words = (message.text or message.caption or "").replace("\n", " / ")
        rows = message.reply_markup.inline_keyboard if message.reply_markup else []
        buttons = " ".join(f"`{button.text}`" for row in rows for button in row)
        return f"{f'[{self._said(kind)}] ' if kind else ''}{words} {buttons}".strip()

    def _sent(self, message: Message) -> Message:
        self._last = message.message_id
        return message

    def _note(self, words: str | None, began: float, *, paints: bool = False) -> None:
        seconds = time.monotonic() - began
        if not paints:
            self.slowest = max(self.slowest, seconds)
        if words:
            self.lines.append(f"> {words}  `{seconds:.2f} {self._said('s')}`\n")


def says(*words: str) -> Callable[[Message], Any]:
    return lambda m: all(word in (m.text or m.caption or "") for word in words)
