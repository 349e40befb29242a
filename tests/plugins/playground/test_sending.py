"""Methods that send, and what they refuse."""

from __future__ import annotations

import io

import pytest
from aiogram import Bot
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
)
from aiogram.types import (
    BufferedInputFile,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
)
from PIL import Image

from impasto_playground import Person
from impasto_playground.wire import to_json

from .conftest import encode, gif, newest, picture


def upload(content: bytes, name: str = "picture.jpg") -> BufferedInputFile:
    return BufferedInputFile(content, name)


def buttons(*data: str) -> InlineKeyboardMarkup:
    row = [InlineKeyboardButton(text=item[:20] or "x", callback_data=item) for item in data]
    return InlineKeyboardMarkup(inline_keyboard=[row])


async def test_text_reaches_the_person(bot: Bot, chat: Person) -> None:
    sent = await bot.send_message(chat.user_id, "Hello <b>you</b>", parse_mode="HTML")
    assert sent.text == "Hello you"
    assert to_json(sent.entities) == [{"type": "bold", "offset": 6, "length": 3}]
    assert sent.from_user.id == bot.id
    assert sent.chat.id == chat.user_id
    seen = await chat.wait_for(lambda message: message.text == "Hello you")
    assert to_json(seen.entities) == to_json(sent.entities)


async def test_message_ids_grow_through_all_chats(bot: Bot, chat: Person) -> None:
    first = await bot.send_message(chat.user_id, "one")
    second = await bot.send_message(str(chat.user_id), "two")
    third = await bot.send_message("@Alice", "three")
    assert first.message_id < second.message_id < third.message_id


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Bad Request: message text is empty"),
        (" \n ", "Bad Request: message text is empty"),
        ("<b></b>", "Bad Request: message text is empty"),
        ("x" * 4097, "Bad Request: message is too long"),
        ("😀" * 2049, "Bad Request: message is too long"),
        ("<b>x", "Bad Request: can't parse entities: Can't find end tag"),
    ],
)
async def test_bad_texts(bot: Bot, chat: Person, text: str, reason: str) -> None:
    with pytest.raises(TelegramBadRequest) as refused:
        await bot.send_message(chat.user_id, text, parse_mode="HTML")
    assert refused.value.message.startswith(reason)


async def test_the_limit_counts_what_is_left_after_parsing(bot: Bot, chat: Person) -> None:
    text = "<b>" + "x" * 4096 + "</b>"
    assert len((await bot.send_message(chat.user_id, text, parse_mode="HTML")).text) == 4096


async def test_unknown_parse_mode(bot: Bot, chat: Person) -> None:
    with pytest.raises(TelegramBadRequest, match="unsupported parse_mode"):
        await bot.send_message(chat.user_id, "x", parse_mode="BBCode")


@pytest.mark.parametrize("chat_id", [8, -100, "@nobody", "", "12345678901234567890123"])
async def test_chat_not_found(bot: Bot, chat: Person, chat_id: int | str) -> None:
    with pytest.raises(TelegramBadRequest, match=r"chat not found|chat_id is empty"):
        await bot.send_message(chat_id, "hello?")


async def test_a_person_who_never_wrote_is_not_found(bot: Bot, person: Person) -> None:
    with pytest.raises(TelegramBadRequest, match="Bad Request: chat not found"):
        await bot.send_message(person.user_id, "hello?")


async def test_a_person_who_blocked_the_bot(bot: Bot, chat: Person) -> None:
    await chat.block()
    change = (await newest(bot)).my_chat_member
    assert (change.old_chat_member.status, change.new_chat_member.status) == ("member", "kicked")
    with pytest.raises(TelegramForbiddenError) as refused:
        await bot.send_message(chat.user_id, "hello?")
    assert refused.value.message == "Forbidden: bot was blocked by the user"
    await chat.block(False)
    await bot.send_message(chat.user_id, "hello again")


async def test_photo_is_kept_in_telegrams_sizes(bot: Bot, chat: Person) -> None:
    sent = await bot.send_photo(chat.user_id, upload(picture(2000, 1000)), caption="Wide")
    assert [(size.width, size.height) for size in sent.photo] == [
        (90, 45),
        (320, 160),
        (800, 400),
        (1280, 640),
    ]
    content = await chat.download(sent.photo[-1].file_id)
    assert len(content) == sent.photo[-1].file_size
    with Image.open(io.BytesIO(content)) as image:
        assert (image.format, image.size) == ("JPEG", (1280, 640))


async def test_photo_by_file_id_has_the_same_sizes(bot: Bot, chat: Person) -> None:
    sent = await bot.send_photo(chat.user_id, upload(picture()))
    again = await bot.send_photo(chat.user_id, sent.photo[0].file_id)
    assert again.photo == sent.photo


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Bad Request: file must be non-empty"),
        (b"no picture at all", "Bad Request: IMAGE_PROCESS_FAILED"),
        (picture()[:300], "Bad Request: IMAGE_PROCESS_FAILED"),
        (picture(20_000, 50), "Bad Request: PHOTO_INVALID_DIMENSIONS"),
        (picture(6_000, 4_001), "Bad Request: PHOTO_INVALID_DIMENSIONS"),
        (picture(210, 10), "Bad Request: PHOTO_INVALID_DIMENSIONS"),
        (
            picture() + b"\0" * 10 * 1024 * 1024,
            "Bad Request: file of size",
        ),
    ],
    ids=["empty", "text", "cut", "long", "large", "narrow", "heavy"],
)
async def test_photos_that_are_none(bot: Bot, chat: Person, content: bytes, reason: str) -> None:
    with pytest.raises(TelegramBadRequest) as refused:
        await bot.send_photo(chat.user_id, upload(content))
    assert refused.value.message.startswith(reason)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (200, 10), (9_000, 1_000)])
async def test_photos_at_the_limits(bot: Bot, chat: Person, width: int, height: int) -> None:
    sent = await bot.send_photo(chat.user_id, upload(picture(width, height)))
    assert max(sent.photo[-1].width, sent.photo[-1].height) <= 1280


async def test_captions(bot: Bot, chat: Person) -> None:
    caption = "<i>" + "x" * 1024 + "</i>"
    sent = await bot.send_photo(chat.user_id, upload(picture()), caption=caption, parse_mode="HTML")
    assert len(sent.caption) == 1024
    with pytest.raises(TelegramBadRequest, match="Bad Request: message caption is too long"):
        await bot.send_photo(chat.user_id, upload(picture()), caption="x" * 1025)


@pytest.mark.parametrize(
    ("file_id", "reason"),
    [
        ("AgACUnknown", "wrong remote file identifier specified"),
        ("./picture.jpg", "wrong file identifier/HTTP URL specified"),
        ("attach://nothing", "wrong file identifier/HTTP URL specified"),
        ("https://example.org/picture.jpg", "failed to get HTTP URL content"),
    ],
)
async def test_wrong_file_ids(bot: Bot, chat: Person, file_id: str, reason: str) -> None:
    with pytest.raises(TelegramBadRequest, match=reason):
        await bot.send_photo(chat.user_id, file_id)


async def test_a_document_is_no_photo(bot: Bot, chat: Person) -> None:
    document = (await bot.send_document(chat.user_id, upload(picture()))).document
    with pytest.raises(TelegramBadRequest, match="can't use file of type Document as Photo"):
        await bot.send_photo(chat.user_id, document.file_id)


async def test_documents_stay_byte_for_byte(bot: Bot, chat: Person) -> None:
    content = picture(100, 80, kind="PNG")
    sent = await bot.send_document(chat.user_id, upload(content, "Ünï code.png"))
    document = sent.document
    assert (document.file_name, document.mime_type) == ("Ünï code.png", "image/png")
    assert (document.thumbnail.width, document.thumbnail.height) == (100, 80)
    assert (await bot.download(document)).read() == content


async def test_animated_gifs_become_animations(bot: Bot, chat: Person) -> None:
    for sent in (
        await bot.send_document(chat.user_id, upload(gif(), "moving.gif")),
        await bot.send_animation(chat.user_id, upload(gif(), "moving.gif")),
    ):
        assert (sent.animation.width, sent.animation.height) == (60, 40)
        assert sent.animation.duration == 2
        assert sent.document.file_id == sent.animation.file_id


async def test_uploads_end_at_50_megabytes(bot: Bot, chat: Person) -> None:
    with pytest.raises(TelegramEntityTooLarge):
        await bot.send_document(chat.user_id, upload(b"\0" * (50 * 1024 * 1024 + 1), "large.bin"))
    await bot.send_message(chat.user_id, "The server goes on.")


async def test_albums(bot: Bot, chat: Person) -> None:
    media = [
        InputMediaPhoto(
            media=upload(picture(color="red")), caption="<b>Two</b>", parse_mode="HTML"
        ),
        InputMediaPhoto(media=upload(picture(color="blue"))),
    ]
    sent = await bot.send_media_group(chat.user_id, media)
    assert len({message.media_group_id for message in sent}) == 1
    assert [message.caption for message in sent] == ["Two", None]
    await chat.wait_until(lambda: len(chat.from_bot()) == 2)


@pytest.mark.parametrize(
    ("count", "reason"), [(0, "there are no messages to send"), (1, "too few"), (11, "too many")]
)
async def test_album_sizes(bot: Bot, chat: Person, count: int, reason: str) -> None:
    photo = (await bot.send_photo(chat.user_id, upload(picture()))).photo[-1].file_id
    with pytest.raises(TelegramBadRequest, match=reason):
        await bot.send_media_group(chat.user_id, [InputMediaPhoto(media=photo)] * count)


async def test_albums_do_not_mix(bot: Bot, chat: Person) -> None:
    media = [
        InputMediaPhoto(media=upload(picture())),
        InputMediaDocument(media=upload(picture(), "a.jpg")),
    ]
    with pytest.raises(TelegramBadRequest, match="can't be mixed"):
        await bot.send_media_group(chat.user_id, media)
    videos = [InputMediaVideo(media=upload(b"video", "v.mp4"))] * 2
    with pytest.raises(TelegramBadRequest, match="can't be used in sendMediaGroup"):
        await bot.send_media_group(chat.user_id, videos)


@pytest.mark.parametrize("data", ["x" * 65, "ж" * 33, "", "😀" * 17])
async def test_callback_data_is_1_to_64_bytes(bot: Bot, chat: Person, data: str) -> None:
    with pytest.raises(TelegramBadRequest, match="Bad Request: BUTTON_DATA_INVALID"):
        await bot.send_message(chat.user_id, "x", reply_markup=buttons(data))


async def test_callback_data_of_64_bytes_is_fine(bot: Bot, chat: Person) -> None:
    sent = await bot.send_message(chat.user_id, "x", reply_markup=buttons("ж" * 32, "x" * 64))
    assert to_json(sent.reply_markup) == to_json(buttons("ж" * 32, "x" * 64))


@pytest.mark.parametrize(
    ("button", "reason"),
    [
        (InlineKeyboardButton(text="x"), "Text buttons are unallowed in the inline keyboard"),
        (InlineKeyboardButton(text="", callback_data="x"), "BUTTON_TEXT_INVALID"),
        (InlineKeyboardButton(text="x", url="javascript:alert(1)"), "Unsupported URL protocol"),
        (
            InlineKeyboardButton(text="x", url="https://a.example", callback_data="y"),
            "exactly one of the optional fields",
        ),
    ],
)
async def test_bad_buttons(
    bot: Bot, chat: Person, button: InlineKeyboardButton, reason: str
) -> None:
    markup = InlineKeyboardMarkup(inline_keyboard=[[button]])
    with pytest.raises(TelegramBadRequest, match=reason):
        await bot.send_message(chat.user_id, "x", reply_markup=markup)


async def test_too_many_buttons(bot: Bot, chat: Person) -> None:
    with pytest.raises(TelegramBadRequest, match="reply markup is too long"):
        await bot.send_message(chat.user_id, "x", reply_markup=buttons(*map(str, range(9))))


async def test_reply_keyboards_come_and_go(bot: Bot, chat: Person) -> None:
    rows = [[KeyboardButton(text="Yes"), KeyboardButton(text="No")]]
    await bot.send_message(chat.user_id, "?", reply_markup=ReplyKeyboardMarkup(keyboard=rows))
    await chat.wait_until(lambda: chat.keyboard)
    assert [button["text"] for button in chat.keyboard["keyboard"][0]] == ["Yes", "No"]
    await bot.send_message(chat.user_id, "!", reply_markup=ForceReply(force_reply=True))
    await chat.wait_until(lambda: "force_reply" in (chat.keyboard or {}))
    await bot.send_message(chat.user_id, ".", reply_markup=ReplyKeyboardRemove())
    await chat.wait_until(lambda: chat.keyboard is None)


async def test_replies(bot: Bot, chat: Person) -> None:
    asked = await chat.send_text("A question")
    sent = await bot.send_message(
        chat.user_id, "An answer", reply_parameters=ReplyParameters(message_id=asked.message_id)
    )
    assert sent.reply_to_message.text == "A question"
    gone = ReplyParameters(message_id=9999)
    with pytest.raises(TelegramBadRequest, match="message to be replied not found"):
        await bot.send_message(chat.user_id, "x", reply_parameters=gone)
    allowed = ReplyParameters(message_id=9999, allow_sending_without_reply=True)
    await bot.send_message(chat.user_id, "x", reply_parameters=allowed)


async def test_chat_actions(bot: Bot, chat: Person) -> None:
    await bot.send_chat_action(chat.user_id, "upload_photo")
    await chat.wait_until(lambda: chat.actions == ["upload_photo"])
    with pytest.raises(TelegramBadRequest, match="wrong parameter action in request"):
        await bot.send_chat_action(chat.user_id, "dancing")


@pytest.mark.parametrize("mode", ["CMYK", "L", "P", "LA", "RGBA", "I;16", "1"])
async def test_pictures_of_every_kind_are_photos(bot: Bot, chat: Person, mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    content = encode(Image.new(mode, (40, 30)), kind)
    sent = await bot.send_photo(chat.user_id, upload(content))
    with Image.open(io.BytesIO(await chat.download(sent.photo[-1].file_id))) as image:
        assert (image.mode, image.size) == ("RGB", (40, 30))
