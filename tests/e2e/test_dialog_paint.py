"""The whole way of a photo, as a person sees it: `impasto run` in a process of its own, spoken to
over HTTP only, with the real painting process and the real network, at a small size."""

from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiogram.types import Message
from PIL import Image

from impasto_playground import Person, Playground

from .bot_process import PATIENCE, BotProcess, chosen, delivered, gallery_after, ordered, photo

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("dialog and painting"),
]

_people = itertools.count(1)


class Bot:
    """A bot that several tests talk to, each as somebody else."""

    def __init__(self, playground: Playground, process: asyncio.subprocess.Process) -> None:
        self.playground, self.process = playground, process

    def person(self, name: str = "Alice", language: str = "en") -> Person:
        return Person(self.playground.url, next(_people), name, language)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bot]:
    """Paints small pictures; in the end it is told to stop, and does."""
    async with (
        Playground(port=0) as playground,
        BotProcess(playground, tmp_path_factory.mktemp("bot"), steps=12).running() as process,
    ):
        yield Bot(playground, process)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 60) == 0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def endless_bot(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bot]:
    """Paints until it is told to stop."""
    async with (
        Playground(port=0) as playground,
        BotProcess(playground, tmp_path_factory.mktemp("endless")).running() as process,
    ):
        yield Bot(playground, process)


async def being_painted(person: Person, status: Message) -> Message:
    """Waits until the status message shows a preview."""
    assert status.photo
    first = status.photo[-1].file_unique_id
    return await person.wait_for(
        lambda m: (
            m.message_id == status.message_id and m.photo and m.photo[-1].file_unique_id != first
        ),
        PATIENCE,
    )


async def test_a_photo_comes_back_painted(bot: Bot) -> None:
    async with bot.person() as alice:
        await alice.send_text("/start")
        await alice.wait_for(lambda m: m.text, PATIENCE)
        status = await ordered(alice)
        await being_painted(alice, status)
        result = await delivered(alice, status)

        assert result.photo
        content = await alice.download(result.photo[-1].file_id)
    picture = Image.open(io.BytesIO(content))
    assert picture.width * picture.height <= 12_000
    assert picture.width / picture.height == pytest.approx(4 / 3, rel=0.03)
    assert picture.convert("L").getextrema()[1] > 50, "and not black"
    # The bot shows nobody of its own user what it has mapped.
    with contextlib.suppress(FileNotFoundError, PermissionError):
        maps = Path(f"/proc/{bot.process.pid}/maps").read_text()
        assert "libtorch" not in maps, "the bot does without torch"


async def test_a_style_picture_of_ones_own(bot: Bot) -> None:
    async with bot.person() as alice:
        gallery = await gallery_after(alice, await alice.send_photo(photo()))
        await alice.tap("own style", gallery.message_id)
        question = await alice.wait_for(lambda m: m.text, PATIENCE, after=gallery.message_id)
        style = await alice.send_photo(photo((300, 300)))
        status = await alice.wait_for(lambda m: m.photo, PATIENCE, after=style.message_id)
        assert status.message_id > question.message_id
        result = await delivered(alice, status)
    assert result.photo
    assert result.photo[-1].width > result.photo[-1].height, "the photo's shape, not the style's"


async def test_a_picture_that_cannot_be_painted_is_explained(bot: Bot) -> None:
    async with bot.person() as alice:
        gallery = await gallery_after(alice, await alice.send_document(photo()[:700], "broken.jpg"))
        status = await chosen(alice, gallery)
        told = await alice.wait_for(lambda m: m.text, PATIENCE, after=status.message_id)
        assert told.text
        assert [m for m in alice.from_bot() if m.message_id == status.message_id] == []
    assert bot.process.returncode is None, "the bot is alive after it"


async def test_others_are_answered_while_the_bot_paints(endless_bot: Bot) -> None:
    async with endless_bot.person() as alice, endless_bot.person("Борис", "ru") as boris:
        status = await ordered(alice)
        await being_painted(alice, status)
        await boris.send_text("/start")
        hello = await boris.wait_for(lambda m: m.text, PATIENCE)
        assert hello.text
        assert "Здравствуйте" in hello.text
        await alice.tap("Cancel", status.message_id)
        await alice.wait_for(
            lambda m: m.message_id == status.message_id and "Cancel" not in str(m.reply_markup),
            PATIENCE,
        )


async def test_a_painting_can_be_stopped_and_kept(endless_bot: Bot) -> None:
    async with endless_bot.person() as alice:
        status = await ordered(alice)
        await being_painted(alice, status)
        answer = await alice.answer_to(await alice.tap("Stop and keep this", status.message_id))
        assert "as it is" in (answer.text or "")
        result = await delivered(alice, status)
        assert result.photo
        assert "Painted" in (result.caption or "")


async def test_a_picture_is_shared_into_another_chat_by_the_person_whose_it_is(bot: Bot) -> None:
    async with bot.person() as alice:
        result = await delivered(alice, await ordered(alice))
        message, row, column = alice.find_button("Share", result.message_id)
        assert message.reply_markup
        words = message.reply_markup.inline_keyboard[row][column].switch_inline_query
        assert words
        url, person = bot.playground.url, alice.user_id
        async with (
            Person(url, person, "Alice", group=9) as in_group,
            Person(url, next(_people), "Борис", group=9) as boris,
        ):
            await in_group.choose_inline(await in_group.ask_inline(words))
            await boris.wait_until(boris.messages, PATIENCE)
            [seen] = boris.messages()
            assert seen.photo
            assert result.photo
            assert seen.photo[-1].file_id == result.photo[-1].file_id
            assert seen.from_user
            assert seen.via_bot
            assert (seen.from_user.id, seen.via_bot.id) == (person, result.from_user.id)
            theirs = await boris.ask_inline(words)
    assert theirs["results"] == []
    assert theirs["button"]["start_parameter"] == "share"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
async def test_a_bot_that_ends_in_mid_painting_delivers_after_its_restart(
    tmp_path: Path, how: signal.Signals
) -> None:
    async with Playground(port=0) as playground, Person(playground.url) as alice:
        async with BotProcess(playground, tmp_path).running() as process:
            status = await ordered(alice)
            await being_painted(alice, status)
            process.send_signal(how)
            code = await asyncio.wait_for(process.wait(), 60)
            assert code == (0 if how is signal.SIGTERM else -signal.SIGKILL)
        async with BotProcess(playground, tmp_path, steps=6).running():
            await delivered(alice, status)
    pictures = [m for m in alice.from_bot() if m.photo and m.message_id >= status.message_id]
    assert [picture.message_id for picture in pictures] == [status.message_id]
