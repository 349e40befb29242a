"""The person's side over HTTP, through `Person` and raw."""

from __future__ import annotations

import asyncio
import io

import aiohttp
import pytest
from aiogram import Bot
from PIL import Image

from impasto_playground import Person, Playground, events
from impasto_playground.events import MAX_WAITING, EventHub, Watcher
from impasto_playground.person import PersonError

from .conftest import encode, gif, newest, picture


async def test_a_text_becomes_an_update(bot: Bot, person: Person) -> None:
    await person.send_text("/start now https://example.org")
    message = (await newest(bot)).message
    assert message.chat.id == message.from_user.id == person.user_id
    assert (message.from_user.language_code, message.from_user.username) == ("en", "alice")
    assert [entity.type for entity in message.entities] == ["bot_command", "url"]


async def test_a_photo_arrives_as_telegram_would_store_it(bot: Bot, person: Person) -> None:
    image = Image.new("RGB", (3000, 1500), "white")
    image.paste("red", (0, 0, 1500, 1500))
    exif = image.getexif()
    exif[0x0112] = 6  # to be turned clockwise by 90 degrees
    exif[0x010F] = "Camera"
    await person.send_photo(encode(image, exif=exif), caption="My photo")
    message = (await newest(bot)).message
    assert message.caption == "My photo"
    assert [(size.width, size.height) for size in message.photo] == [
        (45, 90),
        (160, 320),
        (400, 800),
        (640, 1280),
    ]
    with Image.open(await bot.download(message.photo[-1])) as stored:
        assert not stored.getexif()
        top, bottom = stored.getpixel((320, 100)), stored.getpixel((320, 1200))
    assert top[1] < 60 < 200 < bottom[1]


@pytest.mark.parametrize("orientation", [3, 6])
async def test_a_tiff_is_turned_once(bot: Bot, person: Person, orientation: int) -> None:
    image = Image.new("RGB", (300, 200), "white")
    image.paste("red", (0, 0, 150, 200))
    exif = Image.Exif()
    exif[0x0112] = orientation
    tiff = encode(image, "TIFF", exif=exif)
    upright = (300, 200) if orientation == 3 else (200, 300)
    document = (await person.send_document(tiff, "scan.tif")).document
    assert (document.thumbnail.width, document.thumbnail.height) == upright
    photo = (await person.send_picture(tiff)).photo[-1]
    assert (photo.width, photo.height) == upright
    with Image.open(await bot.download(photo)) as stored:
        left_or_top = stored.getpixel((10, 10))
    assert (left_or_top[1] < 60) == (orientation == 6)


async def test_an_app_scales_large_photos_down(bot: Bot, person: Person) -> None:
    heavy = picture(8000, 6000) + b"\0" * 11 * 1024 * 1024
    sent = await person.send_picture(heavy)
    assert (sent.photo[-1].width, sent.photo[-1].height) == (1280, 960)


async def test_an_album_is_separate_updates_of_one_group(bot: Bot, person: Person) -> None:
    await person.send_album([picture(color=color) for color in ("red", "green", "blue")], "Three")
    messages = [update.message for update in await bot.get_updates()]
    assert len({message.media_group_id for message in messages}) == 1
    assert [message.caption for message in messages] == ["Three", None, None]
    assert [message.message_id for message in messages] == [1, 2, 3]


async def test_a_document_stays_as_it_is(bot: Bot, person: Person) -> None:
    content = picture(50, 40, kind="PNG")
    await person.send_document(content, "page.png")
    document = (await newest(bot)).message.document
    assert (document.file_name, document.mime_type) == ("page.png", "image/png")
    assert document.thumbnail is not None
    assert (await bot.download(document)).read() == content


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (picture(), "a.jpg", "photo"),
        (gif(), "a.gif", "animation"),
        (gif(frames=1), "still.gif", "photo"),
        (picture(20_000, 50), "long.jpg", "document"),
        (picture()[:200], "cut.jpg", "document"),
        (b"ftypheic", "a.heic", "document"),
    ],
)
async def test_what_an_app_makes_of_a_picked_file(
    bot: Bot, person: Person, content: bytes, name: str, kind: str
) -> None:
    await person.send_picture(content, name)
    assert (await newest(bot)).message.content_type == kind


async def test_a_gif_comes_as_animation_and_document(bot: Bot, person: Person) -> None:
    content = gif()
    await person.send_picture(content, "moving.gif")
    message = (await newest(bot)).message
    assert message.animation.file_id == message.document.file_id
    assert message.animation.mime_type == "image/gif"
    assert (await bot.download(message.animation)).read() == content


async def test_a_decompression_bomb_is_only_a_document(bot: Bot, person: Person) -> None:
    bomb = encode(Image.new("1", (20_000, 20_000)), "PNG")
    await person.send_picture(bomb, "bomb.png")
    document = (await newest(bot)).message.document
    assert (document.file_size, document.thumbnail) == (len(bomb), None)


@pytest.mark.parametrize("content", [b"", b"text", picture()[:500], picture(20_000, 50)])
async def test_what_cannot_be_a_photo(person: Person, content: bytes) -> None:
    with pytest.raises(PersonError):
        await person.send_photo(content)
    assert person.messages() == []


async def test_limits_of_an_app(person: Person) -> None:
    with pytest.raises(PersonError, match="Write something first"):
        await person.send_text(" ")
    with pytest.raises(PersonError, match="at most 4096 characters"):
        await person.send_text("x" * 4097)
    with pytest.raises(PersonError, match="at most 1024 characters"):
        await person.send_photo(picture(), "x" * 1025)
    with pytest.raises(PersonError, match="one to 10 files"):
        await person.send_album([picture(8, 8)] * 11)


async def test_a_blocked_bot_hears_nothing_until_start(bot: Bot, chat: Person) -> None:
    await chat.block()
    await chat.wait_until(lambda: chat.blocked)
    with pytest.raises(PersonError, match="Unblock the bot first"):
        await chat.send_text("hello?")
    await chat.send_text("/start")
    kinds = [update.event_type for update in await bot.get_updates()]
    assert kinds == ["my_chat_member", "my_chat_member", "message"]


async def test_deleting_and_replying(bot: Bot, chat: Person) -> None:
    sent = await bot.send_message(chat.user_id, "a message")
    await chat.send_text("an answer", reply_to=sent.message_id)
    assert (await newest(bot)).message.reply_to_message.text == "a message"
    await chat.delete(sent.message_id)
    await chat.wait_until(lambda: not chat.from_bot())
    with pytest.raises(PersonError, match="There is no such message"):
        await chat.delete(sent.message_id)


async def test_people_do_not_see_each_other(bot: Bot, playground: Playground, chat: Person) -> None:
    async with Person(playground.url, 8, "Bob", "ru") as bob:
        await bob.send_text("I am Bob")
        await bot.send_message(8, "Hello Bob")
        await bot.send_message(chat.user_id, "Hello Alice")
        await bob.wait_for(lambda message: message.text == "Hello Bob")
        await chat.wait_for(lambda message: message.text == "Hello Alice")
        assert len(bob.messages()) == 2
    assert len(chat.messages()) == 2


async def test_who_comes_back_finds_the_chat(
    playground: Playground, bot: Bot, chat: Person
) -> None:
    await bot.send_message(chat.user_id, "Still here")
    async with Person(playground.url, chat.user_id) as again:
        assert [message.text for message in again.messages()] == ["/start", "Still here"]


async def test_waiting_tells_what_was_said_instead(bot: Bot, chat: Person) -> None:
    await bot.send_message(chat.user_id, "Something else")
    with pytest.raises(TimeoutError, match="Something else"):
        await chat.wait_for(lambda message: message.photo, timeout=0.05)


async def test_tapping_what_is_not_there(bot: Bot, chat: Person) -> None:
    with pytest.raises(PersonError, match="there is no button 'Nothing'"):
        await chat.tap("Nothing")


async def test_the_end_of_the_playground_ends_waiting() -> None:
    async with Playground(port=0) as short_lived:
        person = await Person(short_lived.url).__aenter__()
    with pytest.raises(PersonError, match="ended the chat"):
        await person.wait_until(lambda: False)
    await person.close()


@pytest.mark.parametrize(
    ("content", "name", "content_type", "attached"),
    [
        (picture(kind="PNG"), "a.png", "image/png", False),
        (b"<script>alert(1)</script>", "a.html", "application/octet-stream", True),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg", "application/octet-stream", True),
        (picture(kind="PNG"), "a.html", "image/png", False),
        (b"\x89PNG\r\n\x1a\n<script>", "b.png", "application/octet-stream", True),
    ],
)
async def test_files_are_served_so_that_no_browser_runs_them(
    playground: Playground,
    chat: Person,
    http: aiohttp.ClientSession,
    content: bytes,
    name: str,
    content_type: str,
    attached: bool,
) -> None:
    file_id = (await chat.send_document(content, name)).document.file_id
    url = f"{playground.url}/api/chats/{chat.user_id}/files/{file_id}"
    async with http.get(url) as response:
        assert response.content_type == content_type
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert ("Content-Disposition" in response.headers) is attached
        assert await response.read() == content
    async with http.get(url, params={"download": "1"}) as response:
        assert response.headers["Content-Disposition"].startswith("attachment; filename=")


async def test_file_names_cannot_break_the_header(
    playground: Playground, chat: Person, http: aiohttp.ClientSession
) -> None:
    name = 'e"vil;\u202e\u0436.txt'
    file_id = (await chat.send_document(b"text", name)).document.file_id
    url = f"{playground.url}/api/chats/{chat.user_id}/files/{file_id}"
    async with http.get(url) as response:
        header = response.headers["Content-Disposition"]
    assert header.isascii()
    assert header.startswith('attachment; filename="e_vil___.txt"; filename*=UTF-8')


async def test_the_folder_goes_with_the_playground(tmp_path) -> None:
    async with Playground(port=0, folder=tmp_path) as running:
        async with Person(running.url) as someone:
            await someone.send_photo(picture())
        assert [path for path in tmp_path.rglob("*") if path.is_file()]
        assert list(running.world.files.incoming.iterdir()) == []
    assert list(tmp_path.iterdir()) == []


async def test_a_photo_is_read_back(person: Person) -> None:
    sent = await person.send_photo(picture(64, 48))
    with Image.open(io.BytesIO(await person.download(sent.photo[-1].file_id))) as image:
        assert image.size == (64, 48)


async def test_who_leaves_is_forgotten_though_nothing_happens(
    playground: Playground, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_S", 0.01)
    left = asyncio.Event()
    leave = playground.world.hub.leave

    def noticed(chat_id: int, watcher: Watcher) -> None:
        leave(chat_id, watcher)
        left.set()

    monkeypatch.setattr(playground.world.hub, "leave", noticed)
    async with http.get(f"{playground.url}/api/chats/1/events") as response:
        assert b"snapshot" in await response.content.readline()
    async with asyncio.timeout(20):
        await left.wait()


async def test_who_is_too_far_behind_starts_anew() -> None:
    hub = EventHub()
    watcher = hub.watch(1)
    for number in range(MAX_WAITING + 5):
        hub.publish(1, "message", number=number)
    seen = [await watcher.next() for _ in range(MAX_WAITING)]
    assert [event["number"] for event in seen] == list(range(MAX_WAITING))
    assert await watcher.next() is None
