"""Methods that edit, delete and answer taps, and what they refuse."""

from __future__ import annotations

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import (
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaAnimation,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    Message,
)

from impasto_playground import Person
from impasto_playground.wire import to_json

from .conftest import gif, newest, picture

KEYBOARD = InlineKeyboardMarkup(
    inline_keyboard=[[InlineKeyboardButton(text="Tap me", callback_data="tapped")]]
)
SAME = "Bad Request: message is not modified: specified new message content and reply markup"


def photo(color: str = "red", caption: str | None = None) -> InputMediaPhoto:
    return InputMediaPhoto(media=BufferedInputFile(picture(color=color), "p.jpg"), caption=caption)


@pytest.fixture
async def text(bot: Bot, chat: Person) -> Message:
    return await bot.send_message(chat.user_id, "before", reply_markup=KEYBOARD)


@pytest.fixture
async def shown(bot: Bot, chat: Person) -> Message:
    upload = BufferedInputFile(picture(), "p.jpg")
    return await bot.send_photo(chat.user_id, upload, caption="before", reply_markup=KEYBOARD)


async def test_text(bot: Bot, chat: Person, text: Message) -> None:
    edited = await text.edit_text("<b>after</b>", parse_mode="HTML", reply_markup=KEYBOARD)
    assert (edited.text, edited.message_id) == ("after", text.message_id)
    assert edited.edit_date
    seen = await chat.wait_for(lambda message: message.text == "after")
    assert seen.message_id == text.message_id


async def test_an_edit_without_a_keyboard_takes_it_away(text: Message) -> None:
    assert (await text.edit_text("after")).reply_markup is None


async def test_edits_that_change_nothing(bot: Bot, text: Message, shown: Message) -> None:
    with pytest.raises(TelegramBadRequest, match=SAME):
        await text.edit_text("before", reply_markup=KEYBOARD)
    with pytest.raises(TelegramBadRequest, match=SAME):
        await text.edit_reply_markup(reply_markup=KEYBOARD)
    with pytest.raises(TelegramBadRequest, match=SAME):
        await shown.edit_caption(caption="before", reply_markup=KEYBOARD)
    same = InputMediaPhoto(media=shown.photo[-1].file_id, caption="before")
    with pytest.raises(TelegramBadRequest, match=SAME):
        await shown.edit_media(same, reply_markup=KEYBOARD)


async def test_caption(shown: Message) -> None:
    edited = await shown.edit_caption(caption="after", reply_markup=KEYBOARD)
    assert (edited.caption, edited.photo) == ("after", shown.photo)
    assert (await shown.edit_caption()).caption is None


async def test_keyboard(text: Message) -> None:
    edited = await text.edit_reply_markup()
    assert (edited.text, edited.reply_markup) == ("before", None)


async def test_media(bot: Bot, chat: Person, shown: Message) -> None:
    edited = await shown.edit_media(photo("blue", "after"))
    assert edited.photo[-1].file_id != shown.photo[-1].file_id
    assert (edited.caption, edited.reply_markup) == ("after", None)
    await chat.wait_for(lambda message: message.caption == "after")


async def test_media_of_another_kind(shown: Message) -> None:
    file = BufferedInputFile(picture(kind="PNG"), "p.png")
    edited = await shown.edit_media(InputMediaDocument(media=file))
    assert edited.document.file_name == "p.png"
    assert edited.photo is None
    moving = BufferedInputFile(gif(), "p.gif")
    assert (await shown.edit_media(InputMediaAnimation(media=moving))).animation


async def test_media_in_place_of_a_text(text: Message) -> None:
    edited = await text.edit_media(photo())
    assert edited.text is None
    assert edited.photo


async def test_every_edit_checks_what_it_is_given(text: Message, shown: Message) -> None:
    with pytest.raises(TelegramBadRequest, match="there is no text in the message to edit"):
        await shown.edit_text("text")
    with pytest.raises(TelegramBadRequest, match="there is no caption in the message to edit"):
        await text.edit_caption(caption="caption")
    with pytest.raises(TelegramBadRequest, match="message caption is too long"):
        await shown.edit_media(photo(caption="x" * 1025))
    with pytest.raises(TelegramBadRequest, match="message text is empty"):
        await text.edit_text("")
    broken = InputMediaPhoto(media=BufferedInputFile(b"broken", "p.jpg"))
    with pytest.raises(TelegramBadRequest, match="IMAGE_PROCESS_FAILED"):
        await shown.edit_media(broken)
    video = InputMediaVideo(media=BufferedInputFile(b"video", "v.mp4"))
    with pytest.raises(TelegramBadRequest, match="can't parse InputMedia"):
        await shown.edit_media(video)


async def test_unknown_messages(bot: Bot, chat: Person) -> None:
    with pytest.raises(TelegramBadRequest, match="Bad Request: message to edit not found"):
        await bot.edit_message_text("x", chat_id=chat.user_id, message_id=9999)
    with pytest.raises(TelegramBadRequest, match="message identifier is not specified"):
        await bot.edit_message_text("x", chat_id=chat.user_id)
    with pytest.raises(TelegramBadRequest, match="MESSAGE_ID_INVALID"):
        await bot.edit_message_text("x", inline_message_id="abc")
    with pytest.raises(TelegramBadRequest, match="Bad Request: message to delete not found"):
        await bot.delete_message(chat.user_id, 9999)


async def test_the_persons_messages_cannot_be_edited(bot: Bot, chat: Person) -> None:
    theirs = await chat.send_text("mine")
    with pytest.raises(TelegramBadRequest, match="message can't be edited"):
        await bot.edit_message_text("x", chat_id=chat.user_id, message_id=theirs.message_id)


async def test_deletion(bot: Bot, chat: Person, text: Message) -> None:
    assert await text.delete()
    await chat.wait_until(lambda: not chat.from_bot())
    with pytest.raises(TelegramBadRequest, match="message to edit not found"):
        await text.edit_text("too late")
    many = [(await bot.send_message(chat.user_id, word)).message_id for word in "abc"]
    assert await bot.delete_messages(chat.user_id, [*many, 9999])
    await chat.wait_until(lambda: not chat.from_bot())


async def test_a_tap_and_its_answer(bot: Bot, chat: Person, text: Message) -> None:
    query_id = await chat.tap("Tap me")
    query = (await newest(bot)).callback_query
    assert (query.id, query.data, query.from_user.id) == (query_id, "tapped", chat.user_id)
    assert query.message.message_id == text.message_id
    assert to_json(query.message.reply_markup) == to_json(KEYBOARD)
    assert await bot.answer_callback_query(query.id, text="Thanks", show_alert=True)
    answer = await chat.answer_to(query_id)
    assert (answer.text, answer.show_alert) == ("Thanks", True)


async def test_a_tap_is_answered_once(bot: Bot, chat: Person, text: Message) -> None:
    query_id = await chat.tap("Tap me")
    await bot.answer_callback_query(query_id)
    reason = "Bad Request: query is too old and response timeout expired or query ID is invalid"
    with pytest.raises(TelegramBadRequest, match=reason):
        await bot.answer_callback_query(query_id)
    with pytest.raises(TelegramBadRequest, match=reason):
        await bot.answer_callback_query("123")


async def test_an_answer_has_at_most_200_characters(bot: Bot, chat: Person, text: Message) -> None:
    query_id = await chat.tap("Tap me")
    with pytest.raises(TelegramBadRequest, match="MESSAGE_TOO_LONG"):
        await bot.answer_callback_query(query_id, text="x" * 201)
    assert await bot.answer_callback_query(query_id, text="x" * 200)


async def test_an_album_stays_an_album(bot: Bot, chat: Person) -> None:
    sent = await bot.send_media_group(chat.user_id, [photo("red"), photo("blue")])
    assert (await sent[0].edit_media(photo("green"))).media_group_id == sent[0].media_group_id
    file = InputMediaDocument(media=BufferedInputFile(b"text", "a.txt"))
    with pytest.raises(TelegramBadRequest, match="can't use the media of the specified type"):
        await sent[1].edit_media(file)
