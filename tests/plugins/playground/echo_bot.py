"""A small bot made with aiogram that uses everything the chat page shows."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiogram import Bot, Dispatcher, F, Router
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import Command, CommandStart
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQuery,
    InlineQueryResultCachedPhoto,
    InlineQueryResultsButton,
    InputMediaPhoto,
    KeyboardButton,
    Message,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)
from PIL import Image, ImageOps

STYLES = ("Starry night", "Wave", "Sunflowers", "Kandinsky")


def connect(url: str, token: str) -> Bot:
    """A bot that talks to the Bot API server at `url`."""
    return Bot(token, session=AiohttpSession(api=TelegramAPIServer.from_base(url)))


def repainted(picture: bytes, step: int) -> bytes:
    """The picture in fewer and fewer colors: a stand-in for painting that is quick."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    buffer = io.BytesIO()
    ImageOps.posterize(image, max(1, 6 - step)).save(buffer, "JPEG")
    return buffer.getvalue()


def style_keyboard() -> InlineKeyboardMarkup:
    rows = [
        [InlineKeyboardButton(text=name, callback_data=f"style:{name}") for name in pair]
        for pair in (STYLES[:2], STYLES[2:])
    ]
    rows.append([InlineKeyboardButton(text="Read about it", url="https://example.org/styles")])
    return InlineKeyboardMarkup(inline_keyboard=rows)


class EchoBot:
    """Handlers that send photos, albums, documents, keyboards, answers and edits."""

    def __init__(self, bot: Bot) -> None:
        self.bot = bot
        self.next_step = asyncio.Event()
        self.router = Router()
        self.router.message.register(self.start, CommandStart())
        self.router.message.register(self.album, Command("album"))
        self.router.message.register(self.file, Command("file"))
        self.router.message.register(self.keyboard, Command("keyboard"))
        self.router.message.register(self.work, Command("work"))
        self.router.message.register(self.share, Command("share"))
        self.router.message.register(self.photo, F.photo)
        self.router.message.register(self.other)
        self.router.callback_query.register(self.tapped, F.data.startswith("style:"))
        self.router.callback_query.register(self.alerted, F.data == "alert")
        self.router.inline_query.register(self.inline)

    async def start(self, message: Message) -> None:
        await message.answer(
            "<b>Hello!</b> Send me a photo and I will <i>repaint</i> it.\n\n"
            "Tap /album for examples, or read "
            '<a href="https://example.org/">how it works</a>: <code>photo + style</code>.\n'
            "<blockquote>Every artist was first an amateur.</blockquote>"
            "<tg-spoiler>Ralph Waldo Emerson</tg-spoiler> &lt;script&gt;alert(1)&lt;/script&gt;",
            parse_mode="HTML",
        )

    async def photo(self, message: Message) -> None:
        assert message.photo
        await message.reply_photo(
            message.photo[-1].file_id,
            caption="Which style would you like?",
            reply_markup=style_keyboard(),
        )

    async def tapped(self, query: CallbackQuery) -> None:
        message = query.message
        assert isinstance(message, Message)
        assert message.photo
        await query.answer(f"{(query.data or '').removeprefix('style:')}: a fine choice!")
        picture = await self.bot.download(message.photo[-1])
        assert picture is not None
        original = picture.read()
        for step in (1, 2, 3):
            await self.bot.send_chat_action(message.chat.id, "upload_photo")
            painted = BufferedInputFile(repainted(original, step + 1), "painted.jpg")
            caption = f"Painting: {step * 33} %" if step < 3 else "Here it is!"
            await message.edit_media(InputMediaPhoto(media=painted, caption=caption))
        await message.answer("<b>Done.</b> Send another one?", parse_mode="HTML")

    async def alerted(self, query: CallbackQuery) -> None:
        await query.answer("This is an alert.\nIt stays until you close it.", show_alert=True)

    async def album(self, message: Message) -> None:
        media = [
            InputMediaPhoto(media=BufferedInputFile(_gradient(hue), f"{hue}.png"), caption=caption)
            for hue, caption in ((10, "Four examples"), (60, None), (130, None), (200, None))
        ]
        await message.answer_media_group(media)

    async def file(self, message: Message) -> None:
        document = BufferedInputFile(_gradient(90), "painted, full size.png")
        keyboard = InlineKeyboardMarkup(
            inline_keyboard=[[InlineKeyboardButton(text="What is this?", callback_data="alert")]]
        )
        await message.answer_document(document, caption="Every pixel", reply_markup=keyboard)

    async def keyboard(self, message: Message) -> None:
        rows = [[KeyboardButton(text="Portrait"), KeyboardButton(text="Landscape")]]
        rows.append([KeyboardButton(text="Never mind")])
        markup = ReplyKeyboardMarkup(keyboard=rows, input_field_placeholder="What is it?")
        await message.answer("What is on the photo?", reply_markup=markup)

    async def share(self, message: Message) -> None:
        share = InlineKeyboardButton(text="Share", switch_inline_query="shared")
        keyboard = InlineKeyboardMarkup(inline_keyboard=[[share]])
        photo = BufferedInputFile(_gradient(40), "shared.png")
        sent = await message.answer_photo(photo, reply_markup=keyboard)
        assert sent.photo
        self.shared = sent.photo[-1].file_id

    async def inline(self, query: InlineQuery) -> None:
        """One picture for the word "shared", else the way to the bot."""
        begin = InlineQueryResultsButton(text="Make a picture", start_parameter="share")
        picture = InlineQueryResultCachedPhoto(id="1", photo_file_id=self.shared, caption="Shared")
        found = query.query == "shared"
        button = None if found else begin
        await query.answer([picture] if found else [], cache_time=0, button=button)

    async def work(self, message: Message) -> None:
        """Show the chat action until `next_step` is set."""
        await self.bot.send_chat_action(message.chat.id, "upload_photo")
        await self.next_step.wait()
        await message.answer("Worked.")

    async def other(self, message: Message) -> None:
        await message.answer(f"You said: {message.text}", reply_markup=ReplyKeyboardRemove())


def _gradient(hue: int) -> bytes:
    ramp = Image.linear_gradient("L").resize((640, 480))
    image = Image.merge("HSV", (Image.new("L", ramp.size, hue), ImageOps.invert(ramp), ramp))
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


@asynccontextmanager
async def running(url: str, token: str) -> AsyncIterator[EchoBot]:
    """The bot, polling until the block ends."""
    bot = connect(url, token)
    echo = EchoBot(bot)
    dispatcher = Dispatcher()
    dispatcher.include_router(echo.router)
    await bot.set_my_commands(
        [
            BotCommand(command="start", description="Begin anew"),
            BotCommand(command="album", description="Show examples"),
            BotCommand(command="file", description="Get a file"),
        ]
    )
    await bot.set_my_commands(
        [BotCommand(command="start", description="Начать заново")], language_code="ru"
    )
    await bot.set_my_description("I repaint your photos in the style of great painters.")
    polling = asyncio.create_task(dispatcher.start_polling(bot, handle_signals=False))
    try:
        yield echo
    finally:
        await dispatcher.stop_polling()
        await polling
        await bot.session.close()
