"""A running bot takes other settings over: at once what it can, by name what it cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from impasto import StylePreset, hookimpl
from impasto.hookspecs import BOT_GROUP
from impasto.plugins import PluginHost
from impasto.settings import LogSettings, PluginsSettings, Settings, TelegramSettings, load_settings
from impasto.settings.description import merged, settings_in, value_of
from impasto.telegram.app import run_bot
from impasto.telegram.assembly import Reloading
from impasto_playground import Person, Playground

from .telegram_bench import jpeg
from .test_app import child_with, result_after

__all__ = ["child_with"]  # a fixture

OTHER_VALUES: dict[str, Any] = {"telegram.admins": [1], "telegram.allow": [1], "telegram.ban": [2]}
OTHER_VALUES["log.level"] = "debug"
OTHER_VALUES["painting.memory_mb"] = 300
OTHER_VALUES["painting.try_styles"] = "never"


def with_values(settings: Settings, **values: dict[str, Any]) -> Settings:
    sections = {
        name: getattr(settings, name).model_copy(update=update) for name, update in values.items()
    }
    return settings.model_copy(update=sections)


class TestMerged:
    def test_live_settings_are_taken_and_the_rest_is_named(self) -> None:
        wanted = with_values(
            Settings(), painting={"steps": 7, "threads": 3}, queue={"keep_hours": 1.0}
        )
        now, taken, left = merged(Settings(), wanted)
        assert (now.painting.steps, taken) == (7, ["painting.steps"])
        assert left == ["painting.threads", "queue.keep_hours"]
        assert now.painting.threads == Settings().painting.threads

    def test_nothing_changes_where_nothing_differs(self) -> None:
        assert merged(Settings(), Settings()) == (Settings(), [], [])

    def test_sections_of_plugins_stay_as_they_were_loaded(self) -> None:
        settings = load_settings(plugins={"mine": {"level": "debug"}})
        settings.validate_plugin_section("mine", LogSettings)
        now, _, _ = merged(settings, with_values(settings, painting={"steps": 7}))
        assert now.plugin("mine") is settings.plugin("mine")
        assert now.plugin("mine").level == "debug"

    @pytest.mark.parametrize("info", [k for k in settings_in(Settings) if k.is_live])
    def test_each_live_setting_can_be_merged(self, info: Any) -> None:
        section, _, name = info.name.rpartition(".")
        other = OTHER_VALUES.get(info.name) or info.default + 1
        now, taken, _ = merged(Settings(), with_values(Settings(), **{section: {name: other}}))
        assert taken == [info.name]
        assert value_of(now, info.name) == other


class Styles:
    """A plugin whose styles change."""

    def __init__(self, picture: Path) -> None:
        self.names = ["first"]
        self._picture = picture

    @hookimpl
    def impasto_styles(self, settings: Settings) -> list[StylePreset]:
        return [
            StylePreset(
                name=name,
                titles={"en": name},
                picture=self._picture,
                credit="Somebody",
                licence="CC0-1.0",
                order=0,
            )
            for name in self.names
        ]


async def test_whoever_fails_to_take_it_keeps_no_other_from_it(tmp_path: Path) -> None:
    settings = Settings(plugins=PluginsSettings(allow=["none that is installed"]))
    styles = Styles(tmp_path / "style.png")
    host = PluginHost(BOT_GROUP, settings, more={"mine": styles}).load()
    reloading = Reloading(settings, host)
    renewed: list[tuple[Settings, Sequence[StylePreset]]] = []

    def fail(now: Settings, presets: Sequence[StylePreset]) -> None:
        raise RuntimeError("no")

    reloading.on_change(fail)
    reloading.on_change(lambda *now: renewed.append(now))
    styles.names = ["second"]
    with structlog.testing.capture_logs() as logs:
        await reloading.take(with_values(settings, painting={"steps": 7, "threads": 3}))
    [(now, presets)] = renewed
    assert now.painting.steps == 7
    assert [preset.name for preset in presets] == ["second"]
    told = {entry["event"]: entry for entry in logs}
    assert told["settings_reloaded"]["changed"] == ["painting.steps"]
    assert told["settings_need_a_restart"]["settings"] == ["painting.threads"]


@pytest.mark.usefixtures("child_with")
async def test_a_running_bot_takes_over_styles(
    playground: Playground, alice: Person, tmp_path: Path, child_with: Callable[..., None]
) -> None:
    settings = Settings(
        state_dir=tmp_path / "state",
        telegram=TelegramSettings(
            token=SecretStr(playground.token), api_base=playground.url, edit_seconds=0
        ),
        plugins=PluginsSettings(deny=["styles"]),
    )
    (tmp_path / "style.png").write_bytes(jpeg("green", (300, 300)))
    styles = Styles(tmp_path / "style.png")
    host = PluginHost(BOT_GROUP, settings, more={"mine": styles}).load()
    stop, ready = asyncio.Event(), asyncio.Event()
    changes: asyncio.Queue[Settings] = asyncio.Queue()
    bot = asyncio.create_task(
        run_bot(settings, host, stop=stop, on_ready=ready.set, changes=changes)
    )
    await ready.wait()
    styles.names = ["second"]
    changes.put_nowait(settings)
    sent = await alice.send_photo(jpeg("green", (320, 240)))
    gallery = await alice.wait_for(lambda m: m.reply_markup is not None, after=sent.message_id)
    assert gallery.reply_markup is not None
    button = gallery.reply_markup.inline_keyboard[0][0]
    assert "second" in (button.callback_data or "")
    await alice.tap(button.text, gallery.message_id)
    await result_after(alice, gallery.message_id)
    stop.set()
    await bot
