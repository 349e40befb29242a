"""The presets of styles/, and what is left of a styles.toml with mistakes in it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image
from structlog.testing import capture_logs

import impasto_styles
from impasto import StylePreset, data_folders
from impasto.settings import Settings
from impasto_styles import read_presets

ENTRY = """
[styles.{name}]
file = "{file}"
emoji = "🌊"
credit = "Somebody"
licence = "CC0-1.0"
[styles.{name}.titles]
en = "Waves {name}"
ru = "Волны {name}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Image.new("RGB", (64, 48), "navy").save(tmp_path / "good.png")
    Image.effect_noise((200, 200), 90).convert("RGB").save(tmp_path / "whole.jpg")
    whole = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.png").write_text("not a picture")
    return tmp_path


def write(folder: Path, *entries: str) -> None:
    (folder / "styles.toml").write_text("\n".join(entries), encoding="utf-8")


def entry(name: str, file: str = "good.png") -> str:
    return ENTRY.format(name=name, file=file)


def left_out(logs: list[dict[str, str]]) -> list[str]:
    assert all(line["log_level"] == "warning" for line in logs)
    return [line["style"] for line in logs if line["event"] == "style_left_out"]


def test_an_entry_becomes_a_preset_with_all_it_says(folder: Path) -> None:
    write(folder, entry("waves"), entry("alps"))
    waves, alps = read_presets(folder)
    assert waves == StylePreset(
        name="waves",
        titles={"en": "Waves waves", "ru": "Волны waves"},
        picture=folder / "good.png",
        credit="Somebody",
        licence="CC0-1.0",
        emoji="🌊",
        order=0,
    )
    assert (alps.name, alps.order) == ("alps", 1), "the file's order is the gallery's"


def test_strength_and_brush_size_are_read_and_kept_in_bounds(folder: Path) -> None:
    tuned = entry("tuned").replace(
        "[styles.tuned.titles]", "strength = 2.5\nbrush_size = 0.5\n[styles.tuned.titles]"
    )
    wild = entry("wild").replace("[styles.wild.titles]", "brush_size = 9\n[styles.wild.titles]")
    write(folder, tuned, wild, entry("plain"))
    with capture_logs() as logs:
        tuned_preset, plain = read_presets(folder)
    assert (tuned_preset.strength, tuned_preset.brush_size) == (2.5, 0.5)
    assert (plain.strength, plain.brush_size) == (1.0, 1.0)
    assert left_out(logs) == ["wild"]


def test_own_styles_come_after_those_of_the_program(folder: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    settings = Settings(state_dir=state)
    shipped = impasto_styles.impasto_styles(settings=settings)
    shutil.copytree(folder, settings.own_styles)
    write(settings.own_styles, entry("mine"), entry(shipped[0].name))
    with capture_logs() as logs:
        presets = impasto_styles.impasto_styles(settings=settings)
    assert [preset.name for preset in presets] == [*(p.name for p in shipped), "mine"]
    assert [preset.order for preset in presets] == list(range(len(presets)))
    assert left_out(logs) == [shipped[0].name], "a name is taken once"


@pytest.mark.parametrize("file", ["cut.jpg", "text.png", "absent.png", "."])
def test_a_broken_picture_costs_only_its_own_preset(folder: Path, file: str) -> None:
    write(folder, entry("first"), entry("broken", file), entry("last"))
    with capture_logs() as logs:
        presets = read_presets(folder)
    assert [preset.name for preset in presets] == ["first", "last"]
    assert left_out(logs) == ["broken"]


@pytest.mark.parametrize(
    "broken",
    [
        '[styles.broken]\nfile = "good.png"',
        entry("broken").replace("en =", "de ="),
        entry("broken").replace("licence", "license"),
        entry("broken").replace('emoji = "🌊"', "emoji = 5"),
        entry("broken") + 'fr = ""\n',
    ],
)
def test_a_broken_entry_costs_only_its_own_preset(folder: Path, broken: str) -> None:
    write(folder, entry("first"), broken, entry("last"))
    with capture_logs() as logs:
        presets = read_presets(folder)
    assert [preset.name for preset in presets] == ["first", "last"]
    assert left_out(logs) == ["broken"]
    assert all(line["reason"] for line in logs)


def test_an_entry_that_is_no_table_is_left_out(folder: Path) -> None:
    write(folder, "[styles]\nbroken = 1", entry("first"))
    with capture_logs() as logs:
        assert [preset.name for preset in read_presets(folder)] == ["first"]
    assert left_out(logs) == ["broken"]


@pytest.mark.parametrize("name", ["Waves", "1st", "a" * 21, "two-words"])
def test_a_name_that_buttons_cannot_carry_is_left_out(folder: Path, name: str) -> None:
    write(folder, entry(name), entry("fine"))
    with capture_logs() as logs:
        presets = read_presets(folder)
    assert [preset.name for preset in presets] == ["fine"]
    assert left_out(logs) == [name]


def test_the_first_of_two_entries_of_one_name_stays(folder: Path) -> None:
    write(folder, entry("waves"), entry("waves", "whole.jpg"), entry("alps"))
    with capture_logs() as logs:
        presets = read_presets(folder)
    assert [(p.name, p.picture.name) for p in presets] == [
        ("waves", "good.png"),
        ("alps", "good.png"),
    ]
    assert left_out(logs) == ["waves"]


def test_a_syntax_error_costs_only_its_own_preset(folder: Path) -> None:
    write(folder, entry("first"), entry("broken").replace("credit =", "credit"), entry("last"))
    with capture_logs() as logs:
        presets = read_presets(folder)
    assert [preset.name for preset in presets] == ["first", "last"]
    assert left_out(logs) == ["broken"]


def test_a_missing_file_is_reported_and_no_error(tmp_path: Path) -> None:
    with capture_logs() as logs:
        assert read_presets(tmp_path) == []
    assert [line["event"] for line in logs] == ["styles_unreadable"]


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(garbage=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_garbage_between_entries_never_stops_the_start(folder: Path, garbage: str) -> None:
    write(folder, entry("first"), garbage, entry("last"))
    with capture_logs():
        names = [preset.name for preset in read_presets(folder)]
    assert set(names) <= {"first", "last"}


def test_the_presets_of_this_repository_are_whole() -> None:
    if not (data_folders.styles_folder() / "styles.toml").is_file():
        pytest.skip("no styles.toml has been drawn in this checkout")
    with capture_logs() as logs:
        presets = impasto_styles.impasto_styles(settings=Settings())
    assert logs == []
    assert len(presets) >= 4
    for preset in presets:
        assert set(preset.titles) >= {"en", "ru"}
        assert len(set(preset.titles.values())) == len(preset.titles)
    for language in ("en", "ru"):
        assert len({preset.title(language) for preset in presets}) == len(presets)
