"""Everything that people send by mistake: a clear sentence each time, and the bot goes on."""

from __future__ import annotations

import importlib.util
import io
import itertools
import struct
import zlib
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio
from aiogram.types import Message
from PIL import Image

from impasto_playground import Person, Playground

from .bot_process import PATIENCE, BotProcess, chosen, delivered, gallery_after, photo

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("bad input"),
]

NUMBERS = itertools.count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Playground]:
    """One for all that people do wrong here; its playground."""
    async with (
        Playground(port=0) as playground,
        BotProcess(playground, tmp_path_factory.mktemp("bot"), steps=4).running() as process,
    ):
        yield playground
        assert process.returncode is None, "the bot is alive after all this"


@pytest_asyncio.fixture(loop_scope="module")
async def alice(bot: Playground) -> AsyncIterator[Person]:
    """Somebody new in each test."""
    async with Person(bot.url, user_id=next(NUMBERS)) as alice:
        yield alice


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def bomb() -> bytes:
    """A small PNG of 3,600 million pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + checksum

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 100_000)
    start = b"\x89PNG\r\n\x1a\n"
    return start + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


async def said_after(person: Person, sent: Message) -> str:
    reply = await person.wait_for(lambda m: m.text, PATIENCE, after=sent.message_id)
    return reply.text or ""


REFUSED = {
    "corrupt.jpg": (encoded(Image.open(io.BytesIO(photo())), "JPEG")[:700], "damaged|broken|whole"),
    "dot.png": (encoded(Image.new("RGB", (1, 1)), "PNG"), "small"),
    "ribbon.png": (encoded(Image.new("L", (20_000, 50)), "PNG"), "narrow|long"),
    "bomb.png": (bomb(), "many pixels"),
}


async def test_files_that_cannot_be_painted_are_explained(alice: Person) -> None:
    for name, (content, reason) in REFUSED.items():
        sent = await alice.send_document(content, name)
        gallery = await gallery_after(alice, sent)
        assert gallery.reply_markup
        await alice.tap(gallery.reply_markup.inline_keyboard[0][0].text, gallery.message_id)
        told = await alice.wait_for(
            lambda m, words=reason: m.text and any(w in m.text for w in words.split("|")),
            PATIENCE,
            after=gallery.message_id,
        )
        assert told.text


async def test_odd_pictures_are_painted(alice: Person) -> None:
    rng = np.random.default_rng(0)
    deep = Image.fromarray((rng.random((90, 120)) * 65535).astype(np.uint16))
    palette = Image.effect_mandelbrot((120, 90), (-2, -1.5, 1, 1.5), 40).convert("P")
    exif = Image.Exif()
    exif[0x0112] = 6
    pictures = {
        "cmyk.jpg": (encoded(Image.new("CMYK", (120, 90), (0, 99, 99, 0)), "JPEG"), 4 / 3),
        "deep.png": (encoded(deep, "PNG"), 4 / 3),
        "palette.png": (encoded(palette, "PNG", transparency=0), 4 / 3),
        "turned.jpg": (encoded(Image.open(io.BytesIO(photo())), "JPEG", exif=exif), 3 / 4),
        "turned.tif": (encoded(Image.open(io.BytesIO(photo())), "TIFF", exif=exif), 3 / 4),
        "no end.jpg": (encoded(Image.open(io.BytesIO(photo())), "JPEG")[:-2], 4 / 3),
    }
    for name, (content, ratio) in pictures.items():
        sent = await alice.send_document(content, name)
        result = await delivered(alice, await chosen(alice, await gallery_after(alice, sent)))
        assert result.photo, name
        size = result.photo[-1]
        assert size.width / size.height == pytest.approx(ratio, rel=0.05), name


async def test_what_is_no_photo_gets_a_hint(alice: Person) -> None:
    frames = [Image.effect_noise((80, 60), 90).convert("P") for _ in range(3)]
    gif = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 200
    huge = photo() + b"\0" * (25 << 20)
    sent = await alice.send_text("paint me something nice")
    assert "photo" in await said_after(alice, sent)
    sent = await alice.send_picture(gif, "dance.gif")
    assert "photo" in await said_after(alice, sent)
    if importlib.util.find_spec("pillow_heif") is None:
        sent = await alice.send_document(heic, "IMG_0001.HEIC")
        assert "photo" in await said_after(alice, sent)
    sent = await alice.send_document(huge, "huge.jpg")
    assert "20 MB" in await said_after(alice, sent)


async def test_taps_that_come_twice_or_late_lead_to_one_picture(alice: Person) -> None:
    gallery = await gallery_after(alice, await alice.send_photo(photo()))
    assert gallery.reply_markup
    title = gallery.reply_markup.inline_keyboard[0][0].text
    queries = [await alice.tap(title, gallery.message_id) for _ in range(2)]
    for query in queries:
        await alice.answer_to(query, PATIENCE)
    status = await alice.wait_for(lambda m: m.photo, PATIENCE, after=gallery.message_id)
    await delivered(alice, status)
    pictures = [m for m in alice.from_bot() if m.photo and m.message_id > gallery.message_id]
    assert len(pictures) == 1

    newer = await gallery_after(alice, await alice.send_photo(photo((300, 300))))
    with_old_button = [
        m for m in alice.from_bot() if m.message_id == gallery.message_id and m.reply_markup
    ]
    if with_old_button:
        answer = await alice.answer_to(await alice.tap(title, gallery.message_id), PATIENCE)
        assert answer.text, "a late tap is told that it is late"
    await delivered(alice, await chosen(alice, newer))


async def test_cancel_works_at_every_step(alice: Person) -> None:
    await said_after(alice, await alice.send_text("/cancel"))  # nothing to cancel

    await gallery_after(alice, await alice.send_photo(photo()))  # while choosing
    await said_after(alice, await alice.send_text("/cancel"))
    assert "photo" in await said_after(alice, await alice.send_text("hello?"))

    gallery = await gallery_after(alice, await alice.send_photo(photo()))  # own style awaited
    assert gallery.reply_markup
    own = next(
        button.text
        for row in gallery.reply_markup.inline_keyboard
        for button in row
        if "own" in button.text.lower()
    )
    await alice.answer_to(await alice.tap(own, gallery.message_id), PATIENCE)
    await said_after(alice, await alice.send_text("/cancel"))

    sent = await alice.send_photo(photo())  # and the next picture is a new beginning
    result = await delivered(alice, await chosen(alice, await gallery_after(alice, sent)))
    assert result.photo
