"""What goes wrong in a running plugin is named in the log, and the rest goes on."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from impasto.contracts import StylePreset
from impasto.errors import SettingsError
from impasto.hookspecs import BOT_GROUP, PAINTING_GROUP
from impasto.plugins import PluginHost
from impasto.plugins.event_loop import LoopWatchdog
from impasto.plugins.host import CHANCES, OBSERVER_SECONDS, TRACE_VARIABLE
from impasto.settings import Settings

from .plugin_bench import Plugin, host_with, record_of, settings_with


def observer(watch: Callable[[Any], None]) -> Plugin:
    def impasto_job_changed(job: Any, change: Any) -> None:
        watch(job)

    return Plugin(impasto_job_changed=impasto_job_changed)


def tell(host: PluginHost, job: object = None) -> None:
    for _ in host.call("impasto_job_changed", job=job, change=None, settings=host.settings):
        pass


def fail_if_asked(job: str) -> None:
    if job == "fail":
        raise ConnectionError("no network")


def test_an_observer_that_fails_now_and_then_is_named_and_stays() -> None:
    host = host_with(metrics=observer(fail_if_asked))
    with capture_logs() as logged:
        for job in ["fail", "fail", "fine"] * CHANCES:
            tell(host, job)
    assert record_of(host).status == "active"
    told = [(e["event"], e["plugin"], e["hook"]) for e in logged]
    assert told == [("plugin_hook_failed", "metrics", "impasto_job_changed")] * 2 * CHANCES


def test_a_hook_that_always_fails_is_not_excused_by_another_one_of_its_plugin() -> None:
    def impasto_job_changed(job: Any) -> None:
        fail_if_asked(job)

    def impasto_telegram_called(method: str) -> None:
        pass

    host = host_with(
        half=Plugin(
            impasto_job_changed=impasto_job_changed,
            impasto_telegram_called=impasto_telegram_called,
        )
    )
    call = {"method": "getMe", "result": "ok", "seconds": 0.1, "settings": host.settings}
    for _ in range(CHANCES):
        tell(host, "fail")
        list(host.call("impasto_telegram_called", **call))
    assert record_of(host).status == "failed"


def test_one_that_always_fails_is_taken_out_and_the_others_go_on() -> None:
    seen: list[object] = []
    host = host_with(broken=observer(fail_if_asked), healthy=observer(seen.append))
    with capture_logs() as logged:
        for _ in range(CHANCES + 1):
            tell(host, "fail")
    assert [r.name for r in host.active] == ["healthy"]
    assert len(seen) == CHANCES + 1
    told = [(e["event"], e["plugin"]) for e in logged if e["log_level"] == "error"]
    assert told == [("plugin_hook_failed", "broken")] * (CHANCES - 1) + [
        ("plugin_failed", "broken")
    ]


@pytest.mark.parametrize(("patience", "named"), [(0, ["slow"]), (600, [])])
def test_a_slow_hook_is_named(patience: float, named: list[str]) -> None:
    slow = Plugin(impasto_styles=lambda settings: [])
    host = host_with(settings_with(slow_seconds=patience), slow=slow)
    with capture_logs() as logged:
        host.collect("impasto_styles", StylePreset, settings=host.settings)
    assert [e["plugin"] for e in logged if e["event"] == "hook_slow"] == named


@pytest.mark.parametrize(("seconds", "named"), [(2 * OBSERVER_SECONDS, ["slow"]), (0, [])])
def test_an_observer_is_slow_earlier(seconds: float, named: list[str]) -> None:
    host = host_with(slow=observer(lambda job: time.sleep(seconds)))
    with capture_logs() as logged:
        tell(host)
    assert [e["plugin"] for e in logged if e["event"] == "hook_slow"] == named


ONE_FILE = """
from impasto import hookimpl

@hookimpl
def impasto_styles(settings):
    return []

def handler():
    return helper()

def helper():
    raise KeyError("oh")
"""


@pytest.fixture
def one_file(tmp_path: Path) -> PluginHost:
    (tmp_path / "mine.py").write_text(ONE_FILE)
    settings = Settings.model_validate(
        {"plugins": {"files": [tmp_path / "mine.py"], "allow": ["mine"]}}
    )
    return PluginHost(BOT_GROUP, settings).load()


def test_an_exception_is_traced_to_its_plugin(one_file: PluginHost) -> None:
    [mine] = one_file.active
    with pytest.raises(KeyError) as caught:
        mine.plugin.handler()
    found = one_file.plugin_in(traceback.extract_tb(caught.tb))
    assert found is not None
    assert found[0] is mine
    assert found[1].name == "helper", "the innermost function of the plugin"
    with pytest.raises(ZeroDivisionError) as ours:
        _ = 1 / 0
    assert one_file.plugin_in(traceback.extract_tb(ours.tb)) is None


async def test_who_blocks_the_event_loop_is_named_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "sleepy.py").write_text(
        ONE_FILE.replace('raise KeyError("oh")', "told.wait(30)") + "\ntold = None\n"
    )
    settings = Settings.model_validate(
        {"plugins": {"files": [tmp_path / "sleepy.py"], "allow": ["sleepy"]}}
    )
    host = PluginHost(BOT_GROUP, settings).load()
    [sleepy] = host.active
    with capture_logs() as logged:

        class Told:
            def wait(self, seconds: float) -> None:
                end = time.monotonic() + seconds
                while not logged and time.monotonic() < end:
                    time.sleep(0.01)

        sleepy.plugin.told = Told()
        async with LoopWatchdog(host, patience=0.05):
            await asyncio.sleep(0)
            sleepy.plugin.handler()
    blocked = next(e for e in logged if e["event"] == "loop_blocked")
    assert blocked["plugin"] == "sleepy"
    line = 1 + (tmp_path / "sleepy.py").read_text().splitlines().index("    told.wait(30)")
    assert blocked["where"] == f"{tmp_path / 'sleepy.py'}:{line}"


def test_in_safe_mode_only_built_in_plugins_are_loaded(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("raise AssertionError('imported')\nimpasto_styles = 1\n")
    plugins = {"safe_mode": True, "folder": tmp_path, "allow": ["mine"], "deny": ["styles"]}
    host = PluginHost(BOT_GROUP, Settings.model_validate({"plugins": plugins})).load()
    status = {r.name: r.status for r in host.records}
    assert status.pop("mine") == "off in safe mode"
    assert status["styles"] == status["sqlite"] == "active"
    assert {r.origin for r in host.active} == {"built-in"}


def test_single_files_and_folders_of_packages_are_plugins_too(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(ONE_FILE)
    package = tmp_path / "two"
    package.mkdir()
    (package / "__init__.py").write_text("from .hooks import impasto_styles\n")
    (package / "hooks.py").write_text(ONE_FILE)
    files = [tmp_path / "one.py", package]
    settings = settings_with(files=files, allow=["one", "two"])
    host = PluginHost(BOT_GROUP, settings).load()
    assert {r.name: r.error for r in host.records if not r.left_out} == {"one": None, "two": None}
    with pytest.raises(SettingsError, match=r"plugins\.files: there is no file"):
        PluginHost(BOT_GROUP, settings_with(files=[tmp_path / "gone.py"])).load()


@pytest.mark.parametrize(
    ("hooks", "groups"),
    [
        (["impasto_styles"], [BOT_GROUP]),
        (["impasto_optimizers"], [PAINTING_GROUP]),
        (["impasto_settings", "impasto_optimizers"], [PAINTING_GROUP]),
        (["impasto_settings"], [BOT_GROUP]),
        (["impasto_networks", "impasto_commands"], [BOT_GROUP, PAINTING_GROUP]),
        (["impasto_stiles"], [BOT_GROUP]),
        ([], [BOT_GROUP]),
    ],
)
def test_a_file_is_loaded_in_the_process_of_its_hooks(
    tmp_path: Path, hooks: list[str], groups: list[str]
) -> None:
    lines = ["from impasto import hookimpl"]
    lines += [f"@hookimpl\ndef {name}(): ..." for name in hooks]
    (tmp_path / "mine.py").write_text("\n".join(lines))
    settings = Settings.model_validate({"plugins": {"folder": tmp_path, "allow": ["mine"]}})
    found = [
        group
        for group in (BOT_GROUP, PAINTING_GROUP)
        if "mine" in [r.name for r in PluginHost(group, settings).load().records]
    ]
    assert found == groups


def test_the_trace_has_each_call_in_order_with_its_time_and_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def styles(name: str) -> Plugin:
        def impasto_styles(settings: Settings) -> list[StylePreset]:
            if name == "c_broken":
                raise ValueError("oh")
            picture = Path("x.png")
            return [
                StylePreset(name=name, titles={"en": "x"}, picture=picture, credit="", licence="")
            ]

        return Plugin(impasto_styles=impasto_styles)

    plugins = {name: styles(name) for name in ("b_second", "a_first", "c_broken")}
    for value, expected in (("0", 0), ("1", 3)):
        monkeypatch.setenv(TRACE_VARIABLE, value)
        host = host_with(**plugins)
        with capture_logs() as logged:
            host.collect("impasto_styles", StylePreset, settings=host.settings)
        calls = [e for e in logged if e["event"] == "hook_called"]
        assert len(calls) == expected
    assert [(e["plugin"], e["result"]) for e in calls] == [
        ("a_first", "[StylePreset 'a_first']"),
        ("b_second", "[StylePreset 'b_second']"),
        ("c_broken", "raised ValueError: oh"),
    ]
    assert all(e["hook"] == "impasto_styles" and e["seconds"] >= 0 for e in calls)
