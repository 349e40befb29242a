"""Broken plugins, each a file in `broken_plugins`: none ends or mutes its host, each is named.

Where they break is in their names: at import, in a hook of the start, in their settings, in the
running bot, while painting.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from impasto import StylePreset
from impasto.cli import main
from impasto.contracts import Finding, JobQueue, PaintOptions, Presenter, Storage
from impasto.errors import PluginError
from impasto.hookspecs import BOT_GROUP, PAINTING_GROUP
from impasto.jobs.painter_process import ChildKeeper, ChildLost
from impasto.messages import Paint, StyleFile
from impasto.plugins import PluginHost
from impasto.plugins.containment import contained_program, outside, running
from impasto.settings import Settings
from impasto.telegram.web import serving
from impasto.testing import App, make_photo, make_style, paint_small
from impasto.testing.tiny_network import save_tiny_network

from .plugin_bench import Plugin, host_with

FOLDER = Path(__file__).with_name("broken_plugins")
ALL = {path.stem: path for path in FOLDER.glob("*.py")}

START = {
    "import_unusual": "import: Unusual: at import",
    "import_interrupt": "import: KeyboardInterrupt",
    "import_exit": "ended itself in its import (SystemExit: 3)",
    "import_os_exit": "ended itself in its import (SystemExit: os._exit(3))",
    "import_hangs": "import took longer than 0.2 s (plugins.start_seconds)",
    "import_stubborn": "import took longer than 0.2 s (plugins.start_seconds)",
    "import_speechless": "Speechless",
    "hook_unusual": "impasto_styles: Unusual: in a hook",
    "hook_interrupt": "impasto_styles: KeyboardInterrupt",
    "hook_exit": "ended itself in impasto_styles (SystemExit: 3)",
    "hook_os_exit": "ended itself in impasto_styles (SystemExit: os._exit(3))",
    "hook_hangs": "impasto_styles took longer than 0.2 s (plugins.start_seconds)",
    "hook_late": "impasto_styles: KeyboardInterrupt",
    "hook_property": "ended itself in impasto_storages (SystemExit: 3)",
    "check_exit": "ended itself in impasto_checks (SystemExit: 3)",
    "settings_required": "plugins.settings_required.key: Field required",
    "settings_wrong": "plugins.settings_wrong.hue = -1: Input should be greater than or equal to 0",
    "settings_exit": "ended itself in impasto_settings (SystemExit: 3)",
}
"""What is told of those that fail in the bot's start, with the hanging ones' time cut short."""
PAINTING_START = {
    "paint_import_interrupt": "import: KeyboardInterrupt",
    "paint_import_os_exit": "ended itself in its import (SystemExit: os._exit(3))",
    "paint_import_hangs": "import took longer than 0.2 s (plugins.start_seconds)",
}
STEPS: dict[str, tuple[str, dict[str, Any]]] = {
    "step_unusual": ("step_unusual: Unusual: in a step", {}),
    "step_interrupt": ("step_interrupt: KeyboardInterrupt", {}),
    "step_exit": (r"ended itself in its part 'step_exit' \(SystemExit: 3\)", {}),
    "step_os_exit": (r"ended itself in its part 'step_os_exit' \(SystemExit: os._exit\(3\)\)", {}),
    "finish_exit": (r"ended itself in its part 'finish_exit' \(SystemExit: 3\)", {}),
    "optimizer_exit": (
        r"ended itself in its part 'optimizer_exit' \(SystemExit: 3\)",
        {"optimizer": "optimizer_exit"},
    ),
    "device_fails": ("device_fails: KeyError: 'memory'", {"device": "device_fails"}),
    "network_exit": (
        r"ended itself in its part 'network_exit' \(SystemExit: 3\)",
        {"network": "network_exit"},
    ),
}
"""What is told of those that break while painting, and the options that make them paint."""


@pytest.fixture(autouse=True)
def program() -> Iterator[None]:
    """This process is the program itself, started in the foreground of a terminal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with contained_program():
        yield
    signal.signal(signal.SIGINT, before)


def host_of(*names: str, group: str = BOT_GROUP, **plugins: Any) -> PluginHost:
    """These alone, loaded."""
    sections = {"files": [ALL[name] for name in names], "allow": list(names), **plugins}
    return PluginHost(group, Settings.model_validate({"plugins": sections})).load()


def start(host: PluginHost) -> None:
    """Calls every hook of the start."""
    settings = host.settings
    presets = host.collect("impasto_styles", StylePreset, settings=settings)
    host.collect("impasto_storages", Storage, settings=settings)
    host.collect("impasto_queues", JobQueue, settings=settings)
    host.collect("impasto_presenters", Presenter, settings=settings, presets=presets)
    host.collect("impasto_checks", Finding, settings=settings)


class TestStart:
    @pytest.mark.parametrize("name", START)
    def test_who_fails_is_left_out_and_named(self, name: str) -> None:
        limit = 0.2 if START[name].endswith("(plugins.start_seconds)") else 60
        section = {"hue": -1} if name == "settings_wrong" else {}
        host = host_of(name, start_seconds=limit, **{name: section})
        start(host)
        assert START[name] in host.failed[name]

    @pytest.mark.parametrize("name", PAINTING_START)
    def test_so_is_who_fails_where_it_paints(self, name: str) -> None:
        limit = 0.2 if name.endswith("hangs") else 60
        host = host_of(name, group=PAINTING_GROUP, start_seconds=limit)
        assert PAINTING_START[name] in host.failed[name]

    def test_who_is_waited_for_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("impasto.plugins.containment.SECONDS_UNTIL_TOLD", 0.1)
        with capture_logs() as logged:
            host_of("import_hangs", start_seconds=0.3)
        [told] = [event for event in logged if event["event"] == "waiting_for_plugin"]
        assert (told["plugin"], told["what"]) == ("import_hangs", "import")

    def test_no_built_in_plugin_is_left_out_where_the_machine_is_slow(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        limits: dict[str, set[float]] = defaultdict(set)

        def watched(plugin: str, what: str, seconds: float) -> Any:
            limits[plugin].add(seconds)
            return running(plugin, what, seconds)

        monkeypatch.setattr("impasto.plugins.host.running", watched)
        start(host_of("style_night", allow=["style_night", "styles", "dialog"], start_seconds=7))
        assert limits == {"style_night": {7}, "styles": {0}, "dialog": {0}}

    def test_a_timer_of_somebody_else_goes_on(self) -> None:
        before = signal.setitimer(signal.ITIMER_REAL, 600)
        try:
            host_of("hook_exit")
            left, _ = signal.getitimer(signal.ITIMER_REAL)
            assert 500 < left < 600
        finally:
            signal.setitimer(signal.ITIMER_REAL, *before)

    @pytest.mark.parametrize("caught", [(), BaseException], ids=["", "caught by the plugin"])
    def test_a_real_ctrl_c_ends_the_program_where_a_raised_one_does_not(self, caught: Any) -> None:
        def press(settings: Settings) -> list[StylePreset]:
            with contextlib.suppress(caught):
                signal.raise_signal(signal.SIGINT)
                for _ in range(100):  # somewhere here Python looks for signals
                    pass
            return []

        raised = host_of("hook_interrupt")
        start(raised)
        assert "hook_interrupt" in raised.failed
        pressed = host_with(innocent=Plugin(impasto_styles=press))
        with pytest.raises(KeyboardInterrupt):
            start(pressed)
        assert pressed.failed == {}

    def test_built_in_styles_keep_their_names_and_the_other_one_its_other_style(self) -> None:
        host = host_of("style_night", allow=["style_night", "styles"])
        styles = host.collect("impasto_styles", StylePreset, settings=host.settings)
        assert host.failed == {}
        owners = {style.name: host.owner_of(style) for style in styles}
        assert (owners["night"], owners["noon"]) == ("styles", "style_night")
        [record] = [record for record in host.records if record.name == "style_night"]
        told = "its StylePreset 'night' is left out, as that of the plugin 'styles' has this name"
        assert record.remarks == [f"{told}; rename it"]

    def test_of_two_plugins_of_one_name_is_said_who_wins(self) -> None:
        host = host_of("sqlite")
        assert (
            host.failed["sqlite"]
            == "there is another plugin of this name (built-in), which is used"
        )
        assert [record.origin for record in host.active] == ["built-in"]

    def test_who_loads_torch_in_the_bot_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """This process has torch: what loads it anew is a stand-in."""
        monkeypatch.delitem(sys.modules, "torch")
        monkeypatch.setattr(sys, "path", [str(FOLDER / "stand_ins"), *sys.path])
        host = host_of("import_torch")
        [record] = [record for record in host.records if record.name == "import_torch"]
        assert record.status == "active"
        assert record.remarks == ["loads torch in the bot: 200 MB that only painting plugins need"]

    def test_a_misspelt_section_is_told_which_was_meant(self) -> None:
        with capture_logs() as logged:
            host_of("settings_wrong", setings_wrong={"hue": 1})
        [told] = [event for event in logged if event["event"] == "settings_of_absent_plugin"]
        assert (told["section"], told["did_you_mean"]) == (
            "plugins.setings_wrong",
            "settings_wrong",
        )


class TestCommands:
    """One start of each program, with all plugins that come back by themselves."""

    @pytest.fixture(autouse=True)
    def surroundings(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in os.environ:
            if name.upper().startswith("IMPASTO_"):
                monkeypatch.delenv(name)
        monkeypatch.setenv("IMPASTO_PLUGINS__SETTINGS_WRONG__HUE", "-1")
        monkeypatch.chdir(tmp_path)

    def run(self, capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[Any, str, str]:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capfd.readouterr()
        return ended.value.code, captured.out, captured.err

    def use(self, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
        files = json.dumps([str(ALL[name]) for name in names])
        monkeypatch.setenv("IMPASTO_PLUGINS__FILES", files)

    def test_plugins_lists_all_of_them(
        self, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        expected = {**START, **PAINTING_START}
        names = {n for n in expected if "took longer" not in expected[n]} | {
            "style_night",
            "sqlite",
        }
        self.use(monkeypatch, *names)
        code, out, _ = self.run(capfd, "plugins", "--json")
        assert code == 0
        found = {entry["name"]: entry for entry in json.loads(out) if entry["origin"] != "built-in"}
        assert found.keys() == names
        asked = names - {"check_exit", "style_night", "sqlite"}
        assert {name: found[name]["status"] for name in asked} == dict.fromkeys(asked, "failed")
        assert "night" in found["style_night"]["remarks"][0]
        assert "another plugin" in found["sqlite"]["error"]

    def test_the_settings_of_plugins_are_listed_without_those_that_fail(
        self, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.use(monkeypatch, "settings_required", "settings_wrong", "settings_exit")
        code, out, _ = self.run(capfd, "plugins", "--settings")
        assert code == 0
        assert "settings_exit" not in out

    def test_a_command_that_cannot_be_added_costs_no_other(
        self, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.use(monkeypatch, "command_interrupt")
        code, out, err = self.run(capfd, "--help")
        assert code == 0
        assert " styles " in out
        assert "command_interrupt" in err

    @pytest.mark.parametrize("name", ["step_exit", "step_os_exit", "step_interrupt"])
    def test_paint_ends_with_a_sentence(
        self,
        name: str,
        capfd: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        self.use(monkeypatch, name)
        code, out, err = self.run(capfd, *self.paint(tmp_path))
        assert (code, out) == (1, "")
        told = err.splitlines()[-1]
        assert told.startswith(f"impasto: plugin '{name}': ")
        assert told.count(name) == 2, "the plugin and its part, which have one name here"

    def test_what_plugins_print_is_no_output_of_paint(
        self, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        self.use(monkeypatch, "step_prints")
        code, out, err = self.run(capfd, *self.paint(tmp_path))
        assert code == 0
        assert json.loads(out)["output"] == str(tmp_path / "out.png")
        [logged] = [line for line in err.splitlines() if "said in Python" in line]
        assert json.loads(logged)["plugin"] == "step_prints"
        assert "said past Python" in err

    def paint(self, folder: Path) -> list[str]:
        make_photo().save(folder / "photo.png")
        make_style().save(folder / "style.png")
        network = save_tiny_network(folder / "tiny.safetensors")
        files = [folder / name for name in ("photo.png", "style.png", "out.png")]
        photo, style, output = map(str, files)
        options = ["--style", style, "-o", output, "--network", str(network)]
        return ["paint", photo, *options, "--steps", "2", "--json"]


class TestRunningBot:
    @pytest.fixture(autouse=True)
    def as_an_owner_runs_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An author's test would end where a plugin fails."""
        monkeypatch.setattr("impasto_playground.testing.check_tested", lambda host: None)

    @pytest.fixture
    def impasto_plugins(self) -> list[Path]:
        names = ("handlers", "observer_interrupt", "presenter_exit", "startup_exit")
        return [ALL[name] for name in names]

    @pytest.fixture
    def impasto_settings(self) -> dict[str, Any]:
        return {"telegram": {"admins": [2]}, "painting": {"try_styles": "never"}}

    async def test_it_answers_and_paints_and_the_owner_hears_who_fails(
        self, impasto_app: App
    ) -> None:
        chat, owner = impasto_app.chat(), impasto_app.chat("Olga")
        await owner.send_text("/start")
        await owner.reply()
        with capture_logs() as logged:
            for command in ("unusual", "interrupt", "leave", "cancel"):
                await chat.send_text(f"/{command}")
                assert "went wrong" in await chat.reply()
        await chat.send_text("/later")
        assert "plugin 'handlers': SystemExit: 3" in await chat.reply(), "in a task of its own, too"
        told = [event["plugin"] for event in logged if event["event"] == "handler_failed"]
        assert told == ["handlers"] * 4
        assert "handlers" in await owner.reply(containing="plugin")
        await chat.send_photo(make_photo(96, 64))
        gallery = await chat.reply()
        await chat.tap(gallery.buttons[0])
        assert await chat.painting()
        assert impasto_app.plugins.failed.keys() == {"observer_interrupt", "startup_exit"}

    async def test_who_gets_no_picture_is_told_what_to_do_and_the_owner_by_which_plugin(
        self, impasto_settings: dict[str, Any], tmp_path: Path
    ) -> None:
        with App([ALL["step_exit"]], impasto_settings, tmp_path) as app:
            chat, owner = app.chat(), app.chat("Olga")
            await owner.send_text("/start")
            await chat.send_photo(make_photo(96, 64))
            gallery = await chat.reply()
            await chat.tap(gallery.buttons[0])
            failed = await chat.reply(containing="try another style, or try again later")
            assert failed.buttons == ["🔁 Try again", "🎨 Another style"]
            told = await owner.reply(containing="plugin")
            assert "step_exit" in told
            assert "ended itself in its part" in told

    async def test_a_page_that_ends_the_program_ends_nothing(self, free_port: int) -> None:
        host = host_of("page_exit")
        settings = host.settings.model_copy(
            update={"server": host.settings.server.model_copy(update={"port": free_port})}
        )
        url = f"http://127.0.0.1:{free_port}/leave"
        with capture_logs() as logged:
            async with serving(settings, host, []), aiohttp.ClientSession() as session:
                for _ in range(2):
                    async with session.get(url) as response:
                        assert response.status == 500
        told = [event["plugin"] for event in logged if event["event"] == "page_failed"]
        assert told == ["page_exit"] * 2

    async def test_a_startup_handler_is_not_waited_for_forever(self, tmp_path: Path) -> None:
        sections = {"plugins": {"start_seconds": 2, "deny": ["metrics"]}}
        given = [ALL["startup_hangs"]]
        with capture_logs() as logged, App(given, sections, tmp_path) as app:
            await app.chat().send_text("/start")
        told = [event["plugin"] for event in logged if event["event"] == "startup_handler_late"]
        assert told == ["startup_hangs"]


class TestPainting:
    @pytest.mark.parametrize("name", STEPS)
    def test_whose_code_fails_is_named(self, name: str) -> None:
        why, options = STEPS[name]
        sections = {"painting": options} if "device" in options else {}
        with pytest.raises(PluginError, match=f"plugin '{name}': {why}"):
            paint_small(plugins=[ALL[name]], settings=sections, **options)

    @pytest.mark.parametrize(("is_ours", "told"), [(False, ["mine"]), (True, [])])
    def test_who_is_waited_for_is_named_unless_the_program_works_for_it(
        self, is_ours: bool, told: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("impasto.plugins.containment.SECONDS_UNTIL_TOLD", 0.05)
        rings = []
        set_timer = signal.setitimer

        def count(which: int, *seconds: float) -> Any:
            rings.append(seconds)
            return set_timer(which, *seconds)

        monkeypatch.setattr(signal, "setitimer", count)
        at_work = outside() if is_ours else contextlib.nullcontext()
        with capture_logs() as logged, running("mine", "step"), at_work:
            while len(rings) < 2:  # the first sets the timer, the second is that of the ring
                pass
        assert [event["plugin"] for event in logged] == told

    @pytest.mark.slow
    async def test_a_plugin_that_takes_the_process_along_is_named_and_left_out_at_the_start(
        self, tmp_path: Path
    ) -> None:
        """In one real process after another, as the bot has them."""
        make_photo().save(tmp_path / "photo.png")
        names = ("paint_import_aborts", "step_aborts")
        network = save_tiny_network(tmp_path / "tiny.safetensors")
        settings = Settings.model_validate(
            {
                "plugins": {"files": [ALL[name] for name in names]},
                "painting": {"network": str(network), "device": "cpu", "threads": 1},
            }
        )
        keeper = ChildKeeper(settings, [])
        try:
            with capture_logs() as logged:
                child = await keeper.child()
            left_out = [e for e in logged if e["event"] == "painting_plugin_failed"]
            assert [event["plugin"] for event in left_out] == ["paint_import_aborts"]
            photo = tmp_path / "photo.png"
            styles = [StyleFile(path=photo)]
            options = PaintOptions()
            child.tell(
                Paint(job_id="a", content=photo, styles=styles, options=options, folder=tmp_path)
            )
            with pytest.raises(ChildLost, match="in 'step_aborts' of the plugin") as lost:
                await child.outcome("a", lambda progress: None)
            assert lost.value.plugin == "step_aborts"
        finally:
            await keeper.close()
