"""`impasto styles add`: a picture becomes a preset of this installation, or nothing is changed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from impasto import open_picture
from impasto.cli import main
from impasto_styles.adding import LARGEST_SIDE

from ...core.painting.picture_kit import p3_profile

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IMPASTO_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "sunset.png"
    Image.effect_noise((1600, 900), 80).convert("RGB").save(path)
    return path


def run(*words: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in words])
    return int(end.value.code or 0)


def listed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    capsys.readouterr()
    assert run("styles", "--json") == 0
    return list(json.loads(capsys.readouterr().out))


def test_a_picture_becomes_a_preset(
    picture: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = listed(capsys)
    words = ["--title", 'Red "sunset"', "--title", "ru=Закат", "--emoji", "🌇"]
    more = ["--strength", "2", "--brush-size", "0.5", "--licence", "CC0-1.0"]
    assert run("styles", "add", picture, "--name", "sunset", *words, *more) == 0
    assert "sunset" in capsys.readouterr().out
    *others, added = listed(capsys)
    assert others == before
    assert added == {
        "name": "sunset",
        "titles": {"en": 'Red "sunset"', "ru": "Закат"},
        "picture": str(state / "styles" / "sunset.jpg"),
        "credit": "unknown",
        "licence": "CC0-1.0",
        "emoji": "🌇",
        "order": len(before),
        "strength": 2.0,
        "brush_size": 0.5,
    }
    with Image.open(state / "styles" / "sunset.jpg") as copy:
        assert copy.size == (LARGEST_SIDE, LARGEST_SIDE * 900 // 1600)
    assert run("styles", "add", picture, "--name", "sunrise") == 0
    assert [style["name"] for style in listed(capsys)][-2:] == ["sunset", "sunrise"]


@pytest.mark.parametrize(
    ("name", "options", "why"),
    [
        ("night", [], "there is a style 'night' already"),
        ("Sunset", [], "was not added"),
        ("sunset", ["--brush-size", "99"], "was not added"),
        ("sunset", ["--strength", "0"], "was not added"),
        ("sunset", ["--emoji", "not an emoji"], "was not added"),
    ],
)
def test_what_cannot_be_added_changes_nothing(
    picture: Path,
    state: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    options: list[str],
    why: str,
) -> None:
    assert run("styles", "add", picture, "--name", "first") == 0
    files = {file: file.read_bytes() for file in (state / "styles").iterdir()}
    assert run("styles", "add", picture, "--name", name, *options) == 1
    assert why in capsys.readouterr().err
    assert {file: file.read_bytes() for file in (state / "styles").iterdir()} == files


def test_a_table_that_cannot_be_read_is_left_as_it_is(
    picture: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (state / "styles").mkdir(parents=True)
    (state / "styles" / "styles.toml").write_bytes("# Закат".encode("cp1251"))
    assert run("styles", "add", picture, "--name", "sunset") == 1
    assert "styles.toml is not in UTF-8" in capsys.readouterr().err
    assert [file.name for file in (state / "styles").iterdir()] == ["styles.toml"]


@pytest.mark.parametrize("content", [b"no picture", b""])
def test_what_is_no_picture(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file.jpg"
    file.write_bytes(content)
    assert run("styles", "add", file, "--name", "sunset") == 1
    assert "not a picture" in capsys.readouterr().err


def test_a_picture_too_small_to_paint_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (300, 100)).save(tmp_path / "small.png")
    assert run("styles", "add", tmp_path / "small.png", "--name", "sunset") == 1
    assert "300 x 100" in capsys.readouterr().err


def test_the_copy_is_upright_and_shows_the_colors_that_the_picture_has(
    tmp_path: Path, state: Path
) -> None:
    deep = Image.fromarray(np.full((300, 400), 40_000, np.uint16))
    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    deep.save(tmp_path / "deep.png", exif=turned)
    assert run("styles", "add", tmp_path / "deep.png", "--name", "deep") == 0
    with Image.open(state / "styles" / "deep.jpg") as copy:
        assert copy.size == (300, 400)
        assert copy.getpixel((150, 200)) == (156, 156, 156)


@pytest.mark.parametrize(
    ("mode", "color", "options", "expected"),
    [
        ("RGBA", (0, 0, 0, 0), {}, (255, 255, 255)),
        ("L", 60, {"transparency": 60}, (255, 255, 255)),
        ("I;16", 20_046, {}, (78, 78, 78)),
        ("RGB", (200, 0, 0), {"icc_profile": p3_profile()}, (220, 0, 0)),
    ],
)
def test_a_style_is_read_as_painting_reads_it(
    tmp_path: Path,
    state: Path,
    mode: str,
    color: object,
    options: dict[str, object],
    expected: tuple[int, ...],
) -> None:
    Image.new(mode, (300, 300), color).save(tmp_path / "style.png", **options)
    assert open_picture(tmp_path / "style.png").getpixel((60, 60)) == expected
    assert run("styles", "add", tmp_path / "style.png", "--name", "style") == 0
    with Image.open(state / "styles" / "style.jpg") as copy:
        assert np.abs(np.array(copy.getpixel((60, 60))) - expected).max() <= 1
