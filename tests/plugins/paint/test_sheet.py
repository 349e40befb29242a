"""`impasto sheet`: a photo in many styles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from impasto.contact_sheet import GAP, LABEL
from impasto.painting import thumbnails

from ...command_line import Ended, Run


class TestSheet:
    @pytest.fixture
    def sheet(self, run: Run, photo: Path) -> Run:
        def sheet(*arguments: str, onto: str = "sheet.png", of: Path = photo) -> Ended:
            return run("sheet", str(of), "-o", onto, "--size", "100", *arguments)

        return sheet

    @pytest.mark.usefixtures("tiny_network")
    def test_presets_and_files_have_a_tile_each_in_their_order(
        self, sheet: Run, style: Path, tmp_path: Path
    ) -> None:
        same = tmp_path / "folder" / style.name
        same.parent.mkdir()
        Image.new("RGB", (64, 64), "red").save(same)
        named = ["--style", str(style), "--style", "night", "--style", str(same)]
        ended = sheet(*named)
        assert (ended.code, ended.out) == (0, "")
        assert "3/3" in ended.err
        assert "sheet.png" in ended.err
        with Image.open(tmp_path / "sheet.png") as picture:
            # The photo is 64 x 48; two columns come closest to a square.
            assert picture.size == (GAP + 2 * (64 + GAP), GAP + 2 * (48 + LABEL + GAP))
            red, green, blue = picture.resize((1, 1), box=(75, 150, 107, 180)).getpixel((0, 0))
        assert red > 2 * max(green, blue), "the last row is centered, and its style is red"

    @pytest.mark.usefixtures("tiny_network")
    def test_without_a_name_it_goes_beside_the_photo(
        self, run: Run, photo: Path, style: Path
    ) -> None:
        for _ in range(2):
            assert run("sheet", str(photo), "--style", str(style), "--size", "100").code == 0
        assert photo.with_name("photo-sheet.png").is_file()
        assert photo.with_name("photo-sheet-2.png").is_file()

    @pytest.mark.slow
    @pytest.mark.usefixtures("tiny_network")
    def test_without_styles_all_presets_are_shown(self, sheet: Run, tmp_path: Path) -> None:
        ended = sheet(onto="all.jpg")
        assert ended.code == 0
        assert "15/15" in ended.err
        with Image.open(tmp_path / "all.jpg") as picture:
            assert picture.format == "JPEG"

    @pytest.mark.usefixtures("tiny_network")
    def test_what_cannot_be_used_is_one_sentence(
        self, sheet: Run, photo: Path, style: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "text.jpg").write_text("no picture")
        for ended, sentence in (
            (sheet("--style", "nowhere.jpg"), "--style nowhere.jpg: there is no such preset"),
            (sheet(of=tmp_path / "gone.jpg"), "gone.jpg: there is no such file"),
            (sheet("--style", "text.jpg"), "text.jpg: this file is not a picture"),
            (sheet(of=tmp_path / "text.jpg"), "text.jpg: this file is not a picture"),
            (sheet("--style", str(style), onto=str(style)), "is one of the pictures"),
            (sheet("--style", str(style), onto=str(photo)), "is one of the pictures"),
            (sheet("--style", str(style), onto="sheet.gif"), "the name must end in one of"),
        ):
            assert ended.code == 1
            assert sentence in ended.err
        ended = sheet("--size", "10")
        assert ended.code == 2
        assert not (tmp_path / "sheet.png").exists()

    def test_without_presets_it_asks_for_a_style(
        self, run: Run, photo: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "none.toml").write_text('[plugins]\ndeny = ["styles"]')
        ended = run("--config", "none.toml", "sheet", str(photo), "-o", "sheet.png")
        assert ended.code == 1
        assert "name a style or a picture with --style" in ended.err

    @pytest.mark.parametrize(
        ("error", "code", "sentence"),
        [
            (KeyboardInterrupt, 130, "Stopped; nothing was written."),
            (MemoryError, 1, "ask for less with --size"),
        ],
    )
    def test_what_ends_it_early_leaves_nothing(
        self,
        sheet: Run,
        style: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        error: type[BaseException],
        code: int,
        sentence: str,
    ) -> None:
        def failing(*_: Any, **__: Any) -> Iterator[Any]:
            raise error
            yield

        monkeypatch.setattr(thumbnails, "thumbnails", failing)
        ended = sheet("--style", str(style))
        assert ended.code == code
        assert sentence in ended.err
        assert not (tmp_path / "sheet.png").exists()
