"""What goes wrong in a running plugin is counted under its name, and the rest goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from impasto.contracts import StylePreset
from impasto.errors import SettingsError
from impasto.hookspecs import BOT_GROUP, PAINTING_GROUP
from impasto.plugins import PluginHost, Trouble
from impasto.plugins.host import CHANCES
from impasto.plugins.records import MOST_TROUBLES
from impasto.plugins.tracing import TRACE_VARIABLE
from impasto.plugins.troubles import forget_troubles, read_troubles
from impasto.plugins.watchdog import LoopWatchdog
from impasto.settings import Settings

from .plugin_bench import Plugin, host_with, record_of, settings_with


def observer(watch: Callable[[Any], None]) -> Plugin:
    def impasto_job_changed(job: Any, change: Any) -> None:
        watch(job)

    return Plugin(impasto_job_changed=impasto_job_changed)


def tell(host: PluginHost, job: object = None) -> None:
    for _ in host.call("impasto_job_changed", job=job, change=None):
        pass


def fail_if_asked(job: str) -> None:
    if job == "fail":
        raise ConnectionError("no network")


def test_an_observer_that_fails_now_and_then_is_counted_and_stays() -> None:
    host = host_with(metrics=observer(fail_if_asked))
    for job in ["fail", "fail", "fine"] * CHANCES:
        tell(host, job)
    record = record_of(host)
    assert record.status == "active"
    assert record.troubles == [
        Trouble("impasto_job_changed", "ConnectionError: no network", 2 * CHANCES)
    ]


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


def test_a_slow_hook_is_named_and_counted() -> None:
    with capture_logs() as logged:
        host = host_with(settings_with(slow_seconds=0), slow=observer(lambda job: None))
        tell(host)
        tell(host)
    assert [e["plugin"] for e in logged if e["event"] == "hook_slow"] == ["slow", "slow"]
    [trouble] = record_of(host).troubles
    assert (trouble.where, trouble.count) == ("impasto_job_changed", 2)


def test_a_hook_that_is_not_slow_is_not_named() -> None:
    host = host_with(settings_with(slow_seconds=600), quick=observer(lambda job: None))
    for _ in host.call("impasto_commands", cli=None):
        pass
    assert record_of(host).troubles == []


def test_only_so_many_different_troubles_are_kept() -> None:
    host = host_with(chatty=observer(lambda job: None))
    for number in range(2 * MOST_TROUBLES):
        host.note("chatty", "here", f"trouble {number}")
    host.note("chatty", "here", "trouble 0")
    record = record_of(host)
    assert len(record.troubles) == MOST_TROUBLES
    assert record.troubles[0].count == 2


def test_what_went_wrong_is_on_the_disk_until_the_next_start(tmp_path: Path) -> None:
    host = host_with(metrics=observer(fail_if_asked), healthy=observer(lambda job: None))
    host.keep_troubles_in(tmp_path)
    tell(host, "fail")
    tell(host, "fail")
    assert read_troubles(tmp_path, BOT_GROUP) == {
        "metrics": [
            {
                "where": "impasto_job_changed",
                "problem": "ConnectionError: no network",
                "count": 2,
            }
        ]
    }
    assert read_troubles(tmp_path, PAINTING_GROUP) == {}
    forget_troubles(tmp_path)
    assert read_troubles(tmp_path, BOT_GROUP) == {}


def test_a_disk_that_is_full_is_no_trouble_of_the_plugins(tmp_path: Path) -> None:
    (tmp_path / "plugins").write_text("a file where the folder should be")
    host = host_with(metrics=observer(fail_if_asked))
    host.keep_troubles_in(tmp_path)
    tell(host, "fail")
    assert record_of(host).status == "active"
    assert read_troubles(tmp_path, BOT_GROUP) == {}


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
    assert one_file.blame(caught.value) is mine
    with pytest.raises(ZeroDivisionError) as ours:
        _ = 1 / 0
    assert one_file.blame(ours.value) is None


async def test_who_blocks_the_event_loop_is_named_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "sleepy.py").write_text(
        ONE_FILE.replace('raise KeyError("oh")', "told.wait(30)") + "\ntold = None\n"
    )
    settings = Settings.model_validate(
        {"plugins": {"files": [tmp_path / "sleepy.py"], "allow": ["sleepy"]}}
    )
    host = PluginHost(BOT_GROUP, settings).load()
    [sleepy] = host.active
    told = sleepy.plugin.told = threading.Event()
    note = host.note

    def noted(*arguments: Any) -> None:
        note(*arguments)
        told.set()

    host.note = noted  # type: ignore[method-assign]
    with capture_logs() as logged:
        async with LoopWatchdog(host, patience=0.05):
            await asyncio.sleep(0)
            sleepy.plugin.handler()
    assert told.is_set(), "the watchdog, not the clock, has ended the wait"
    blocked = next(e for e in logged if e["event"] == "loop_blocked")
    assert blocked["plugin"] == "sleepy"
    line = 1 + (tmp_path / "sleepy.py").read_text().splitlines().index("    told.wait(30)")
    assert blocked["where"] == f"{tmp_path / 'sleepy.py'}:{line}"
    assert sleepy.troubles[0].where == "event loop"


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
