"""A broken plugin costs only itself; order, names, settings and strictness are as promised."""

from __future__ import annotations

import importlib.metadata
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from impasto.contracts import NetworkSource, Preprocessor, StylePreset
from impasto.errors import PluginError, PluginsFailed, SettingsError
from impasto.hookspecs import BOT_GROUP, PAINTING_GROUP
from impasto.plugins import PluginHost
from impasto.settings import Settings

STYLE = """
    from pathlib import Path
    from impasto import StylePreset, hookimpl

    def preset(name, order=100):
        return StylePreset(name=name, titles={"en": name}, picture=Path("x.png"), credit="",
                           licence="CC0-1.0", order=order)
"""
GOOD = (
    STYLE
    + """
    @hookimpl
    def impasto_styles(settings):
        return [preset("good")]
"""
)

Write = Callable[[str, str], Path]


@pytest.fixture(autouse=True)
def no_installed_plugins(monkeypatch: pytest.MonkeyPatch) -> list[importlib.metadata.EntryPoint]:
    """No entry point but those that a test adds to this list."""
    found: list[importlib.metadata.EntryPoint] = []

    def entry_points(*, group: str) -> list[importlib.metadata.EntryPoint]:
        return [e for e in found if e.group == group]

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine").mkdir()
    return tmp_path / "mine"


@pytest.fixture
def write(folder: Path) -> Write:
    def write(name: str, source: str) -> Path:
        path = folder / f"{name}.py"
        path.write_text(textwrap.dedent(source), encoding="utf-8")
        return path

    return write


def host_of(folder: Path | None, group: str = BOT_GROUP, **plugins: Any) -> PluginHost:
    settings = Settings.model_validate({"plugins": {"folder": folder, **plugins}})
    return PluginHost(group, settings)


def errors(host: PluginHost) -> dict[str, str]:
    return {r.name: r.error for r in host.records if r.error is not None}


def styles(host: PluginHost) -> list[str]:
    return [p.name for p in host.collect("impasto_styles", StylePreset, settings=host.settings)]


BROKEN = {
    "syntax": ("def f(:\n", "SyntaxError"),
    "import": ("import a_module_that_is_not_there\n", "a_module_that_is_not_there"),
    "raises": ("raise ValueError('at import')\n", "ValueError: at import"),
    "exits": ("import sys\nsys.exit(3)\n", "SystemExit: 3"),
    "no_hook": ("x = 1\n", "has no hook"),
    "unmarked": ("def impasto_styles(settings):\n    return []\n", "@hookimpl"),
    "misspelt": (
        "from impasto import hookimpl\n@hookimpl\ndef impasto_stiles(settings):\n    return []\n",
        "there is no hook impasto_stiles; did you mean impasto_styles?",
    ),
    "strange_hook": (
        "from impasto import hookimpl\n@hookimpl\ndef impasto_qqqqqqqq():\n    return []\n",
        "there is no hook impasto_qqqqqqqq",
    ),
    "wrong_argument": (
        "from impasto import hookimpl\n@hookimpl\ndef impasto_styles(setings):\n    return []\n",
        "impasto_styles has no argument 'setings'; did you mean settings?",
    ),
    "wrong_argument_of_an_observer": (
        "from impasto import hookimpl\nimpasto_order = 1\n@hookimpl\n"
        "def impasto_job_changed(job, state, **more):\n    pass\n",
        "impasto_job_changed has no argument 'state': it may take job, change, settings",
    ),
    "argument_of_a_hook_without": (
        "from impasto import hookimpl\n@hookimpl\ndef impasto_settings(settings):\n    pass\n",
        "impasto_settings has no argument 'settings': it takes none",
    ),
    "bad_order": (
        "from impasto import hookimpl\nimpasto_order = 'first'\n@hookimpl\n"
        "def impasto_styles(settings):\n    return []\n",
        "impasto_order must be a whole number, not 'first'",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_plugin_that_cannot_be_loaded_costs_only_itself(
    kind: str, folder: Path, write: Write
) -> None:
    source, problem = BROKEN[kind]
    write("broken", source)
    write("good", GOOD)
    with capture_logs() as logged:
        host = host_of(folder).load()
    assert problem in errors(host)["broken"]
    assert errors(host).keys() == {"broken"}
    assert styles(host) == ["good"]
    told = [event for event in logged if event["event"] == "plugin_failed"]
    assert [(e["plugin"], e["log_level"]) for e in told] == [("broken", "error")]


MISBEHAVING = {
    "raises": ("raise RuntimeError('oh')", "impasto_styles: RuntimeError: oh"),
    "exits": ("raise SystemExit(1)", "ended itself in impasto_styles (SystemExit: 1)"),
    "nothing": ("return None", "must return a list of StylePresets, not None"),
    "number": ("return 7", "must return a list of StylePresets, not 7"),
    "text": ("return 'night'", "must return a list of StylePresets, not 'night'"),
    "table": ("return {'night': 1}", "must return a list of StylePresets"),
    "wrong_kind": ("return [preset('a'), object()]", "which is no StylePreset"),
    "generator_raises": ("yield preset('a')\n        raise KeyError('late')", "KeyError: 'late'"),
    "empty_name": ("return [preset('')]", "ValueError: a style's name must match"),
    "order_no_number": ("return [preset('a', order='x')]", "its order is 'x', not int"),
}


@pytest.mark.parametrize("kind", MISBEHAVING)
def test_a_plugin_whose_hook_misbehaves_costs_only_itself(
    kind: str, folder: Path, write: Write
) -> None:
    body, problem = MISBEHAVING[kind]
    write("agood", GOOD)
    write("broken", STYLE + f"\n    @hookimpl\n    def impasto_styles(settings):\n        {body}\n")
    write("zgood", GOOD.replace('preset("good")', 'preset("zgood")'))
    host = host_of(folder).load()
    assert styles(host) == ["good", "zgood"], "nothing of the broken one, all of the others"
    assert problem in errors(host)["broken"]
    assert errors(host).keys() == {"broken"}
    assert [r.name for r in host.active] == ["agood", "zgood"]


def test_what_an_object_lacks_is_told_to_its_author(folder: Path, write: Write) -> None:
    source = """
        from impasto import hookimpl

        class Sepia:
            name = "sepia"
            def __call__(self, picture, context):
                return picture

        @hookimpl
        def impasto_preprocessors(settings):
            return [Sepia()]
    """
    (folder / "sepia.py").write_text(textwrap.dedent(source))
    host = host_of(folder, PAINTING_GROUP).load()
    contract: type = Preprocessor
    assert host.collect("impasto_preprocessors", contract, settings=host.settings) == []
    assert "which is no Preprocessor; it lacks order, roles" in errors(host)["sepia"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("''", "must be a word, not ''"),
        ("None", "its name is None, not str"),
        ("7", "its name is 7, not str"),
    ],
)
def test_the_name_of_an_object_must_be_a_word(folder: Path, name: str, problem: str) -> None:
    source = f"""
        from impasto import hookimpl

        class Sepia:
            name, order, roles = {name}, 1, frozenset()
            def __call__(self, picture, context):
                return picture

        @hookimpl
        def impasto_preprocessors(settings):
            return [Sepia()]
    """
    (folder / "sepia.py").write_text(textwrap.dedent(source))
    host = host_of(folder, PAINTING_GROUP).load()
    contract: type = Preprocessor
    assert host.collect("impasto_preprocessors", contract, settings=host.settings) == []
    assert problem in errors(host)["sepia"]


def test_a_failed_plugin_is_not_called_again(folder: Path, write: Write) -> None:
    write(
        "broken",
        """
        from impasto import hookimpl
        calls = []

        @hookimpl
        def impasto_styles(settings):
            calls.append(1)
            raise RuntimeError

        @hookimpl
        def impasto_job_changed(job, change):
            calls.append(2)
        """,
    )
    host = host_of(folder).load()
    plugin = host.records[0].plugin
    assert styles(host) == []
    assert styles(host) == []
    assert list(host.call("impasto_job_changed", job=None, change=None, settings=None)) == []
    assert plugin.calls == [1]


def test_each_plugin_is_called_by_itself(folder: Path, write: Write) -> None:
    write("one", GOOD.replace('"good"', '"one"'))
    write("two", GOOD.replace('"good"', '"two"'))
    host = host_of(folder).load()
    results = {
        r.name: [p.name for p in presets]
        for r, presets in host.call("impasto_styles", settings=host.settings)
    }
    assert results == {"one": ["one"], "two": ["two"]}


def test_objects_are_sorted_by_order_then_name_whatever_plugin_they_are_of(
    folder: Path, write: Write
) -> None:
    write(
        "a",
        STYLE
        + """
    @hookimpl
    def impasto_styles(settings):
        return [preset("late", 300), preset("beta"), preset("first", 1)]
""",
    )
    write(
        "b",
        STYLE
        + """
    @hookimpl
    def impasto_styles(settings):
        return [preset("alpha"), preset("middle", 200)]
""",
    )
    host = host_of(folder).load()
    assert styles(host) == ["first", "alpha", "beta", "middle", "late"]


def test_plugins_are_called_by_their_order_then_name(folder: Path, write: Write) -> None:
    for name, order in (("zeta", 1), ("beta", 100), ("alpha", 100), ("early", -5)):
        write(
            name,
            f"{textwrap.dedent(GOOD)}\nimpasto_order = {order}\n".replace('"good"', f'"{name}"'),
        )
    host = host_of(folder).load()
    assert [r.name for r in host.records] == ["early", "zeta", "alpha", "beta"]
    called = [r.name for r, _ in host.call("impasto_styles", settings=host.settings)]
    assert called == ["early", "zeta", "alpha", "beta"]


@pytest.mark.parametrize(
    ("body", "used", "remarks"),
    [
        ("return [preset('a'), preset('a')]", ["a", "good"], {"broken": ["'a'", "'broken'"]}),
        ("return [preset('b'), preset('good')]", ["b", "good"], {"broken": ["'good'", "'agood'"]}),
    ],
)
def test_of_objects_of_one_name_the_first_is_used(
    folder: Path, write: Write, body: str, used: list[str], remarks: dict[str, list[str]]
) -> None:
    write("agood", GOOD)
    write("broken", STYLE + f"\n    @hookimpl\n    def impasto_styles(settings):\n        {body}\n")
    host = host_of(folder).load()
    for _ in range(2):  # as when settings are reloaded
        assert styles(host) == used
    assert errors(host) == {}
    for record in host.records:
        words = remarks.get(record.name, [])
        assert len(record.remarks) == bool(words)
        assert all(word in record.remarks[0] for word in words)
    with pytest.raises(PluginsFailed, match="is left out"):
        host.check_strict()


def test_all_objects_whose_names_are_taken_are_named_and_to_be_renamed(
    folder: Path, write: Write
) -> None:
    twice = "[preset('b'), preset('a'), preset('b')]"
    body = f"    @hookimpl\n    def impasto_styles(settings):\n        return {twice}\n"
    write("aone", STYLE + "\n" + body)
    write("btwo", STYLE + "\n" + body)
    host = host_of(folder).load()
    assert styles(host) == ["a", "b"]
    [remark] = host.records[1].remarks
    assert remark.startswith("its StylePresets 'a', 'b' are left out")
    assert remark.endswith("those of the plugin 'aone' have these names; rename them")


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("x = 1\nraise LookupError('on purpose')\n", 2),
        ("import sys\n\nsys.exit(3)\n", 3),
        ("import json\n\n\njson.loads('{')\n", 4),
        ("from impasto import no_such_name\n", 1),
    ],
    ids=["raises", "exits", "in a library", "cannot import"],
)
def test_where_an_import_fails_is_named(folder: Path, write: Write, source: str, line: int) -> None:
    write("broken", source)
    host = host_of(folder).load()
    assert errors(host)["broken"].endswith(f"({folder / 'broken.py'}, line {line})")


def test_who_made_an_object_is_known(folder: Path, write: Write) -> None:
    write("mine", GOOD)
    host = host_of(folder).load()
    [preset] = host.collect("impasto_styles", StylePreset, settings=host.settings)
    assert host.owner_of(preset) == "mine"
    assert host.owner_of(object()) == "unknown"


def test_denied_plugins_are_listed_and_not_even_imported(folder: Path, write: Write) -> None:
    write("good", GOOD)
    write("bad", "raise AssertionError('imported')\n")
    host = host_of(folder, deny=["bad"]).load()
    assert {r.name: r.status for r in host.records} == {"good": "active", "bad": "denied"}


def test_with_an_allow_list_only_those_are_loaded(folder: Path, write: Write) -> None:
    write("good", GOOD)
    write("bad", "raise AssertionError('imported')\n")
    host = host_of(folder, allow=["good"]).load()
    assert {r.name: r.status for r in host.records} == {"good": "active", "bad": "denied"}


def test_deny_wins_over_allow(folder: Path, write: Write) -> None:
    write("good", GOOD)
    host = host_of(folder, allow=["good"], deny=["good"]).load()
    assert host.active == []


def test_the_folder_has_a_half_for_each_process(folder: Path, write: Write) -> None:
    write("talks", GOOD)
    (folder / "paints.py").write_text(
        "from impasto import hookimpl\n@hookimpl\ndef impasto_networks(settings):\n    return []\n"
    )
    write("_helper", "raise AssertionError('not a plugin')\n")
    bot, painting = host_of(folder).load(), host_of(folder, PAINTING_GROUP).load()
    assert [(r.name, r.origin) for r in bot.records] == [("talks", str(folder / "talks.py"))]
    assert [r.name for r in painting.records] == ["paints"]
    contract: type = NetworkSource
    assert painting.collect("impasto_networks", contract, settings=painting.settings) == []
    assert errors(painting) == {}


def test_a_folder_without_painting_plugins_is_fine(tmp_path: Path) -> None:
    assert host_of(tmp_path, PAINTING_GROUP).load().records == []


def test_a_folder_that_is_not_there_is_an_owners_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"plugins\.folder = .*there is no such folder"):
        host_of(tmp_path / "nowhere").load()


def test_a_one_file_plugin_shadows_no_module(folder: Path, write: Write) -> None:
    import json

    write("json", GOOD)
    host = host_of(folder).load()
    assert styles(host) == ["good"]
    assert json.loads("[]") == []
    assert __import__("json") is json


def entry_point(
    name: str, value: str, group: str = BOT_GROUP, distribution: str = "somebodys-plugin"
) -> importlib.metadata.EntryPoint:
    class Distribution(importlib.metadata.Distribution):
        def read_text(self, filename: str) -> str | None:
            return f"Name: {distribution}\nVersion: 1.2.3\n" if filename == "METADATA" else None

        def locate_file(self, path: Any) -> Any:
            return Path(path)

    # Only importlib.metadata itself gives an entry point its distribution.
    return importlib.metadata.EntryPoint(name, value, group)._for(Distribution())  # type: ignore[attr-defined]


def test_installed_plugins_carry_their_distribution(
    no_installed_plugins: list[importlib.metadata.EntryPoint],
) -> None:
    no_installed_plugins += [
        entry_point("styles", "impasto_styles", distribution="impasto"),
        entry_point("theirs", "impasto_log_jobs"),
        entry_point("painter", "impasto_adam", group=PAINTING_GROUP),
    ]
    host = host_of(None).load()
    found = {r.name: (r.origin, r.version, r.status) for r in host.records}
    assert found == {
        "styles": ("built-in", "1.2.3", "active"),
        "theirs": ("somebodys-plugin", "1.2.3", "active"),
    }


def test_of_two_plugins_of_one_name_the_built_in_stays(
    no_installed_plugins: list[importlib.metadata.EntryPoint], folder: Path, write: Write
) -> None:
    no_installed_plugins += [
        entry_point("styles", "impasto_log_jobs"),  # sorts before the built-in by its value
        entry_point("styles", "impasto_styles", distribution="impasto"),
    ]
    write("styles", GOOD)
    host = host_of(folder).load()
    assert [r.origin for r in host.active] == ["built-in"]
    refused = [r.error for r in host.records if r.error]
    assert refused == ["there is another plugin of this name (built-in), which is used"] * 2
    assert "good" not in styles(host)
    assert styles(host), "the built-in one still works"


def test_one_module_under_two_names_works_once(
    no_installed_plugins: list[importlib.metadata.EntryPoint],
) -> None:
    no_installed_plugins += [
        entry_point("one", "impasto_styles"),
        entry_point("two", "impasto_styles"),
    ]
    host = host_of(None).load()
    assert errors(host) == {"two": "is the same object as the plugin 'one'"}
    assert styles(host)


WITH_SETTINGS = """
    from pydantic import BaseModel, ConfigDict, Field
    from impasto import hookimpl

    class SepiaSettings(BaseModel):
        model_config = ConfigDict(extra="forbid")
        hue: int = Field(default=3, ge=0)

    @hookimpl
    def impasto_settings():
        return SepiaSettings
"""


def test_a_plugins_section_is_checked_and_handed_out(folder: Path, write: Write) -> None:
    write("sepia", WITH_SETTINGS)
    host = host_of(folder, sepia={"hue": 5}).load()
    assert host.settings.plugin("sepia").hue == 5


def test_a_wrong_section_costs_its_plugin(folder: Path, write: Write) -> None:
    for name in ("good", "sepia", "sketch"):
        write(name, WITH_SETTINGS)
    host = host_of(folder, sepia={"hue": -1, "hew": 2}, sketch={"hugh": 1}).load()
    assert [record.name for record in host.active] == ["good"]
    value, unknown = errors(host)["sepia"].split("; ", 1)
    assert value.startswith("plugins.sepia.hue = -1: ")
    assert unknown == "plugins.sepia.hew = 2: unknown setting; did you mean plugins.sepia.hue?"
    assert errors(host)["sketch"] == "plugins.sketch.hugh = 1: unknown setting"


def test_what_is_no_model_is_a_plugins_fault(folder: Path, write: Write) -> None:
    write(
        "sepia",
        "from impasto import hookimpl\n@hookimpl\ndef impasto_settings():\n    return {'hue': 1}\n",
    )
    host = host_of(folder).load()
    assert "must return a pydantic model class" in errors(host)["sepia"]


def test_names_of_nobody_are_warned_of(folder: Path, write: Write) -> None:
    write("sepia", WITH_SETTINGS)
    (folder / "paints.py").write_text(textwrap.dedent(WITH_SETTINGS))
    with capture_logs() as logged:
        host_of(folder, deny=["gone"], sepia={"hue": 5}, paints={"hue": 5}, speia={"hue": 5}).load()
    warnings = [event for event in logged if event["log_level"] == "warning"]
    assert [(e["event"], e.get("section") or e.get("plugin")) for e in warnings] == [
        ("settings_of_absent_plugin", "plugins.speia"),
        ("absent_plugin_named", "gone"),
    ]


@pytest.mark.parametrize("name", ["folder", "allow", "deny"])
def test_a_plugin_cannot_be_named_like_a_setting(folder: Path, write: Write, name: str) -> None:
    write(name, GOOD)
    host = host_of(folder).load()
    assert "this name is a key of [plugins]" in errors(host)[name]


def test_strict_ends_at_the_first_load_and_names_all_failures(folder: Path, write: Write) -> None:
    write("one", "raise ValueError('first')\n")
    write("two", "raise ValueError('second')\n")
    write("good", GOOD)
    host = host_of(folder)
    host.strict = True
    with pytest.raises(PluginsFailed) as caught:
        host.load()
    assert "one (" in str(caught.value)
    assert "ValueError: second" in str(caught.value)


def test_strict_also_knows_what_failed_later(folder: Path, write: Write) -> None:
    write("one", STYLE + "\n    @hookimpl\n    def impasto_styles(settings):\n        return 5\n")
    host = host_of(folder)
    host.strict = True
    host.load()
    host.check_strict()
    assert styles(host) == []
    with pytest.raises(PluginsFailed, match="must return a list"):
        host.check_strict()


def test_call_one_lets_errors_through(folder: Path, write: Write) -> None:
    write("one", STYLE + "\n    @hookimpl\n    def impasto_styles(settings):\n        1 / 0\n")
    host = host_of(folder).load()
    with pytest.raises(ZeroDivisionError):
        host.call_one(host.active[0], "impasto_styles", settings=host.settings)
    host.fail(host.active[0], PluginError("one", "its own words"))
    assert errors(host) == {"one": "its own words"}
