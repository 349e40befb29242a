"""The kit does what its documentation says, and costs nothing to those who do not use it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiogram import Router
from aiogram.filters import Command
from aiogram.types import (
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    Update,
)
from PIL import Image, ImageChops
from structlog.testing import capture_logs

from impasto import JobState, hookimpl
from impasto.errors import PluginsFailed
from impasto.settings import Settings
from impasto.testing import (
    App,
    Chat,
    NoReply,
    jpeg,
    make_job,
    make_photo,
    make_settings,
    make_style,
)
from impasto_playground.testing import Activity

pytestmark = pytest.mark.slow

NEGATIVE = """
from PIL import ImageOps
from impasto import JobState, hookimpl

class Negative:
    name = "negative"
    order = 90
    def __call__(self, picture, context):
        return ImageOps.invert(picture)

@hookimpl
def impasto_postprocessors(settings):
    return [Negative()]
"""


class Greeter:
    """A plugin made in the test: it greets, and fails when it is asked to."""

    @hookimpl
    def impasto_routers(self, settings: Settings) -> list[Router]:
        router = Router(name="greeter")
        router.message.register(self.greet, Command("hello"))
        router.message.register(self.fail, Command("fail"))
        router.callback_query.register(self.wave, lambda query: query.data == "wave")
        router.callback_query.register(self.count, lambda query: query.data == "count")
        router.message.register(self.begin, Command("count"))
        return [router]

    async def greet(self, message: Message) -> None:
        wave = InlineKeyboardButton(text="Wave back", callback_data="wave")
        await message.answer(
            "Hello <b>there</b>",
            parse_mode="HTML",
            reply_markup=InlineKeyboardMarkup(inline_keyboard=[[wave]]),
        )

    async def wave(self, query: CallbackQuery) -> None:
        await query.answer("o/")

    async def begin(self, message: Message) -> None:
        more = InlineKeyboardButton(text="More", callback_data="count")
        await message.answer("1", reply_markup=InlineKeyboardMarkup(inline_keyboard=[[more]]))

    async def count(self, query: CallbackQuery) -> None:
        await query.answer()
        assert isinstance(query.message, Message)
        number = int(query.message.text or "0")
        for following in (number + 1, number + 2):
            await query.message.edit_text(str(following), reply_markup=query.message.reply_markup)

    async def fail(self, message: Message) -> None:
        raise LookupError("on purpose")


@pytest.fixture
def negative(tmp_path: Path) -> Path:
    path = tmp_path / "negative.py"
    path.write_text(NEGATIVE)
    return path


class TestPaintSmall:
    @pytest.fixture
    def impasto_plugins(self, negative: Path) -> list[object]:
        return [negative]

    def test_it_paints_with_the_plugins_of_the_test(self, paint_small: Callable[..., Any]) -> None:
        with_it, without = paint_small(), paint_small(plugins=[])
        assert with_it.picture.size == without.picture.size == (64, 48)
        assert with_it.network == "tiny"
        inverted = ImageChops.invert(without.picture)
        assert ImageChops.difference(with_it.picture, inverted).getextrema() == ((0, 0),) * 3

    def test_options_and_settings_are_those_of_a_request(
        self, paint_small: Callable[..., Any]
    ) -> None:
        painting = paint_small(make_photo(32, 32), make_style(), optimizer="adam", steps=3)
        assert painting.steps == 3
        assert painting.picture.size == (32, 32)

    def test_a_plugin_that_cannot_be_loaded_fails_the_test(
        self, paint_small: Callable[..., Any], tmp_path: Path
    ) -> None:
        (tmp_path / "broken.py").write_text(NEGATIVE.replace("return [Negative()]", "return 7"))
        with pytest.raises(PluginsFailed, match="must return a list of Postprocessors, not 7"):
            paint_small(plugins=[tmp_path / "broken.py"])

    def test_what_has_no_hook_is_no_plugin(self, paint_small: Callable[..., Any]) -> None:
        with pytest.raises(TypeError, match="is no plugin: it has no hook"):
            paint_small(plugins=[object()])


class TestChat:
    @pytest.fixture
    def impasto_plugins(self, negative: Path) -> list[object]:
        return [Greeter(), negative]

    async def test_a_conversation_and_its_picture(self, chat: Chat) -> None:
        await chat.send_text("/hello")
        reply = await chat.reply()
        assert "Hello there" in reply
        assert reply.buttons == ["Wave back"]
        assert not reply.has_picture
        assert await chat.tap("Wave") == "o/"

        await chat.send_photo(make_photo(96, 64))
        gallery = await chat.reply()
        assert gallery.has_picture
        await chat.tap(gallery.buttons[0])
        painting = await chat.painting()
        assert painting.size == (96, 64) or max(painting.size) <= 96
        assert isinstance(painting, Image.Image)

    async def test_edits_are_waited_for_one_by_one_and_are_no_replies(self, chat: Chat) -> None:
        await chat.send_text("/count")
        counted = await chat.reply()
        assert await chat.tap("More") == ""
        edits = [await chat.edited(), await chat.edited()]
        assert [edit.text for edit in edits] == ["2", "3"]
        assert {edit.message_id for edit in edits} == {counted.message_id}
        await chat.tap("More")
        assert (await chat.edited("5")).buttons == ["More"]
        await chat.send_text("/hello")
        assert "Hello there" in await chat.reply()
        assert [reply.text for reply in chat.replies()] == ["5", "Hello there"]

    async def test_an_error_is_answered_with_a_sentence_and_its_plugin_is_named(
        self, impasto_app: App
    ) -> None:
        chat = impasto_app.chat(language="ru")
        with capture_logs() as logged:
            await chat.send_text("/fail")
            assert "Извините" in await chat.reply()
        [failed] = [event for event in logged if event["event"] == "handler_failed"]
        assert failed["plugin"] == "greeter"
        assert repr(failed["exc_info"]) == "LookupError('on purpose')"
        await chat.send_text("/hello")
        assert "Hello there" in await chat.reply(), "the plugin goes on"

    async def test_waiting_in_vain_tells_what_the_bot_said(
        self, chat: Chat, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await chat.send_text("/hello")
        await chat.reply()
        monkeypatch.setattr("impasto_playground.testing.PATIENCE", 0.1)
        with pytest.raises(NoReply, match=r"the bot said .*Hello there"):
            await chat.reply(containing="Good bye")

    async def test_a_bot_at_rest_is_not_waited_for(
        self, chat: Chat, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without a limit of time: this test ends because the bot has nothing more to do."""
        monkeypatch.setattr("impasto_playground.testing.PATIENCE", float("inf"))
        await chat.send_text("/hello")
        await chat.reply()
        monkeypatch.setattr("impasto_playground.testing.REST", 0.5)
        for wait in (chat.reply("Good bye"), chat.tap("Good bye"), chat.edited(), chat.painting()):
            with pytest.raises(NoReply, match=r"come to rest.*Hello there.*Wave back"):
                await wait

    async def test_a_bot_is_at_work_while_it_handles_and_while_a_job_is_not_settled(self) -> None:
        activity = Activity()
        may_end = asyncio.Event()

        async def handle(event: object, data: object) -> None:
            await may_end.wait()

        handling = asyncio.create_task(activity._counted(handle, Update(update_id=1), {}))
        await asyncio.sleep(0)
        assert not activity.is_at_rest
        may_end.set()
        await handling
        assert activity.is_at_rest
        for state in (JobState.ACCEPTED, JobState.RUNNING, JobState.PAINTED, JobState.DELIVERED):
            activity.impasto_job_changed(make_job(state, id="one"))
            assert activity.is_at_rest is state.is_final

    def test_painting_plugins_are_given_as_files(self, tmp_path: Path) -> None:
        class Painter:
            @hookimpl
            def impasto_optimizers(self, settings: Settings) -> list[object]:
                return []

        with pytest.raises(TypeError, match="painter: painting plugins are given as files"):
            App([Painter()], {}, tmp_path)


def test_pictures_are_the_same_each_time_and_not_of_one_color() -> None:
    for make in (make_photo, make_style):
        assert make().tobytes() == make().tobytes()
        assert len(make().getcolors(64 * 64) or []) > 2
    assert jpeg(make_photo()).startswith(b"\xff\xd8")


def test_settings_are_small_and_take_sections(tmp_path: Path) -> None:
    settings = make_settings(state_dir=tmp_path, painting={"steps": 3})
    assert settings.painting.steps == 3
    assert settings.painting.device == "cpu"
    assert settings.state_dir == tmp_path


def test_loading_the_plugin_loads_nothing_else() -> None:
    program = (
        "import pytest, sys; before = set(sys.modules); import impasto.testing.plugin; "
        "print(*sorted(m for m in set(sys.modules) - before if not m.startswith('impasto')))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == []
