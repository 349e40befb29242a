"""`impasto paint`: what it paints, where that goes, and how it ends."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from impasto.painting import painter
from impasto.testing.tiny_network import save_tiny_network

from ...command_line import Ended, Run, WritePlugin


class TestPaint:
    @pytest.fixture
    def paint(self, run: Run, photo: Path, style: Path) -> Run:
        """Paints a little, with more arguments."""

        def paint(*arguments: str, onto: str = "out.png", of: Path = photo) -> Ended:
            return run(
                "paint", str(of), "--style", str(style), "-o", onto, "--steps", "2", *arguments
            )

        return paint

    def test_json_is_one_line_about_the_painting(
        self, paint: Run, photo: Path, style: Path, tmp_path: Path
    ) -> None:
        ended = paint("--json", "--device", "cpu", "--optimizer", "adam", "--seed", "3")
        assert ended.code == 0
        [line] = ended.out.splitlines()
        report = json.loads(line)
        assert report["size"] == [128, 96], "a small photo is enlarged"
        assert report["steps"] == 2
        assert report["network"] == "embedded"
        assert report["device"] == "cpu"
        assert report["seconds"] > 0
        losses = report["losses"]
        assert losses["total"] == pytest.approx(losses["style"] + losses["content"])
        with Image.open(tmp_path / "out.png") as picture:
            assert picture.size == (128, 96)
            assert picture.format == "PNG"

    @pytest.mark.slow
    def test_fine_is_finished_on_another_network(
        self, paint: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert json.loads(paint("--json").out)["fine_network"] is None
        other = save_tiny_network(tmp_path / "other.safetensors")
        monkeypatch.setenv("IMPASTO_PAINTING__FINE_NETWORK", str(other))
        monkeypatch.setenv("IMPASTO_PAINTING__FINE_STEPS", "1")
        report = json.loads(paint("--fine", "--json").out)
        assert (report["network"], report["fine_network"]) == ("embedded", "tiny")
        assert report["steps"] == 3

    @pytest.mark.usefixtures("tiny_network")
    def test_without_json_nothing_is_on_standard_output(self, paint: Run) -> None:
        ended = paint()
        assert ended.code == 0
        assert ended.out == ""
        assert "out.png" in ended.err

    @pytest.mark.usefixtures("tiny_network")
    @pytest.mark.parametrize(
        ("name", "format_name"), [("a.jpg", "JPEG"), ("a.JPEG", "JPEG"), ("a.webp", "WEBP")]
    )
    def test_the_suffix_says_the_format(
        self, paint: Run, tmp_path: Path, name: str, format_name: str
    ) -> None:
        assert paint(onto=name).code == 0
        with Image.open(tmp_path / name) as picture:
            assert picture.format == format_name
        assert not list(tmp_path.glob("*.partial"))
        assert not list(tmp_path.glob(".*"))

    @pytest.mark.usefixtures("tiny_network")
    def test_presets_and_files_mix(self, paint: Run, run: Run) -> None:
        preset = json.loads(run("styles", "--json").out)[0]
        ended = paint("--style", preset["name"], "--json")
        assert ended.code == 0
        assert json.loads(ended.out)["styles"][1] == preset["picture"]

    @pytest.mark.slow
    @pytest.mark.usefixtures("tiny_network")
    def test_presets_are_painted_as_they_recommend(
        self, run: Run, photo: Path, style: Path, tmp_path: Path
    ) -> None:
        with Image.open(style) as picture:
            picture.resize((300, 300)).save(tmp_path / "large.png")
        facts = ["--name", "loud", "--strength", "4", "--brush-size", "0.25"]
        assert run("styles", "add", "large.png", *facts).code == 0
        run_paint = ["paint", str(photo), "-o", "x.png", "--steps", "1", "--json"]
        both = ["--style", "loud", "--style", str(style)]
        report = json.loads(run(*run_paint, *both).out)
        assert (report["style_weight"], report["brush_size"]) == (4e4, 0.5), "the geometric mean"
        report = json.loads(run(*run_paint, *both, "--style-weight", "3", "--brush", "1").out)
        assert (report["style_weight"], report["brush_size"]) == (3, 1)

    def test_presets_are_those_of_the_same_options(
        self, run: Run, photo: Path, plugin: WritePlugin, tmp_path: Path
    ) -> None:
        plugin("broken", "raise ValueError('at import')\n")
        (tmp_path / "mine.toml").write_text('[plugins]\ndeny = ["styles"]')
        arguments = ["paint", str(photo), "--style", "night", "-o", "x.png", "--steps", "1"]
        assert run("--strict", *arguments).code == 1
        assert run("--config", "mine.toml", *arguments).code == 1
        assert not (tmp_path / "x.png").exists()

    @pytest.mark.slow
    @pytest.mark.usefixtures("tiny_network")
    def test_a_broken_plugin_costs_no_preset(
        self, run: Run, photo: Path, plugin: WritePlugin
    ) -> None:
        plugin("broken", "raise ValueError('at import')\n")
        arguments = ["paint", str(photo), "--style", "night", "-o", "x.png", "--steps", "1"]
        assert run(*arguments).code == 0

    @pytest.mark.usefixtures("tiny_network")
    def test_pixels_cap_the_result(self, paint: Run) -> None:
        report = json.loads(paint("--pixels", "1728", "--json").out)
        assert report["size"] == [48, 36]

    @pytest.mark.parametrize("how", ["same", "spelt otherwise", "symlink", "hard link", "style"])
    def test_no_input_is_ever_overwritten(
        self, paint: Run, photo: Path, style: Path, tmp_path: Path, how: str
    ) -> None:
        before = photo.read_bytes(), style.read_bytes()
        goal = photo
        if how == "spelt otherwise":
            goal = photo.parent / "." / ".." / photo.parent.name / photo.name
        elif how == "symlink":
            goal = tmp_path / "link.png"
            goal.symlink_to(photo)
        elif how == "hard link":
            goal = tmp_path / "hard.png"
            goal.hardlink_to(photo)
        elif how == "style":
            goal = style
        ended = paint(onto=str(goal))
        assert ended.code == 1
        assert "is one of the pictures to paint from; choose another name" in ended.err
        assert (photo.read_bytes(), style.read_bytes()) == before

    @pytest.mark.usefixtures("tiny_network")
    def test_an_older_result_is_replaced(self, paint: Run, tmp_path: Path) -> None:
        (tmp_path / "out.png").write_text("old")
        assert paint().code == 0
        with Image.open(tmp_path / "out.png") as picture:
            assert picture.size == (128, 96)

    @pytest.mark.parametrize(
        ("goal", "sentence"),
        [
            ("out.gif", "the name must end in one of .png, .jpg, .jpeg, .webp"),
            ("out", "the name must end in one of"),
            ("nowhere/out.png", "there is no folder nowhere"),
        ],
    )
    def test_a_goal_that_cannot_be_written_is_told_before_painting(
        self, paint: Run, monkeypatch: pytest.MonkeyPatch, goal: str, sentence: str
    ) -> None:
        monkeypatch.setattr(painter, "paint", lambda *_: pytest.fail("it painted"))
        ended = paint(onto=goal)
        assert ended.code == 1
        assert sentence in ended.err

    @pytest.mark.parametrize("goal", [f"{'ы' * 130}.png", f"{'d' * 300}/out.png"])
    def test_a_name_longer_than_names_can_be_is_told_before_painting(
        self, paint: Run, monkeypatch: pytest.MonkeyPatch, goal: str
    ) -> None:
        monkeypatch.setattr(painter, "paint", lambda *_: pytest.fail("it painted"))
        ended = paint(onto=goal)
        assert ended.code == 1
        assert "choose another name or folder" in ended.err

    def test_a_folder_that_may_not_be_looked_into_is_told_before_painting(
        self, paint: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = os.stat

        def stat(path: Any, *arguments: Any, **options: Any) -> os.stat_result:
            if "secret" in str(path):
                raise PermissionError(errno.EACCES, "Permission denied")
            return real(path, *arguments, **options)

        monkeypatch.setattr(os, "stat", stat)
        monkeypatch.setattr(painter, "paint", lambda *_: pytest.fail("it painted"))
        for ended in (paint(onto="secret/out.png"), paint("--style", "secret/style.png")):
            assert ended.code == 1
            assert "secret" in ended.err
            assert "Permission denied" in ended.err

    @pytest.mark.usefixtures("tiny_network")
    @pytest.mark.parametrize("letter", ["n", "ы", "🎨"])
    def test_a_name_as_long_as_names_can_be(self, paint: Run, tmp_path: Path, letter: str) -> None:
        name = letter * (251 // len(letter.encode())) + ".png"
        assert paint(onto=name).code == 0
        with Image.open(tmp_path / name) as picture:
            assert picture.format == "PNG"
        assert not list(tmp_path.glob(".*"))

    @pytest.mark.usefixtures("tiny_network")
    @pytest.mark.parametrize("arguments", [(), ("--json",)])
    def test_a_painting_is_not_lost_where_it_cannot_be_written(
        self,
        paint: Run,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        arguments: tuple[str, ...],
    ) -> None:
        gone = tmp_path / "gone"
        gone.mkdir()
        save = Image.Image.save

        def save_too_late(picture: Image.Image, path: Path, **options: Any) -> None:
            if gone.exists():
                gone.rmdir()
            save(picture, path, **options)

        monkeypatch.setattr(Image.Image, "save", save_too_late)
        ended = paint(*arguments, onto="gone/out.png")
        assert ended.code == 1
        [written] = tmp_path.glob("impasto-*.png")
        assert "gone/out.png cannot be written: No such file or directory" in ended.err
        assert str(written) in ended.err
        with Image.open(written) as picture:
            assert picture.size == (128, 96)
        if arguments:
            assert json.loads(ended.out)["output"] == str(written)

    @pytest.mark.usefixtures("tiny_network")
    def test_names_that_are_no_text(self, run: Run, photo: Path, style: Path) -> None:
        odd = os.fsdecode(b"\xff\xfe photo.png")
        try:
            photo.rename(odd)
        except OSError:
            pytest.skip("this file system has no such names")
        onto = os.fsdecode(b"\xff.png")
        ended = run("paint", odd, "--style", str(style), "-o", onto, "--steps", "1", "--json")
        assert ended.code == 0
        report = json.loads(ended.out)
        assert (report["photo"], report["output"]) == (odd, onto)
        assert Path(onto).is_file()

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (
                ["--style", "nowhere.jpg"],
                "--style nowhere.jpg: there is no such preset and no such",
            ),
            (["--style", "mosiac"], "did you mean mosaic?"),
            (["--optimizer", "lbgfs"], "did you mean lbfgs?"),
            (["--optimizer", "sgd"], "optimizer 'sgd' is not available"),
            (["--device", "tpu"], "device 'tpu' is not available"),
            (["--network", "vgg19"], "impasto weights fetch vgg19"),
            (["--fine"], "impasto weights fetch vgg19"),
            (["--network", "alexnet"], "network 'alexnet' is not available"),
        ],
    )
    def test_what_is_not_there_is_one_sentence(
        self, paint: Run, tmp_path: Path, arguments: list[str], sentence: str
    ) -> None:
        ended = paint(*arguments)
        assert ended.code == 1
        last = ended.err.strip().splitlines()[-1]
        assert last.startswith("impasto: ")
        assert sentence in last
        assert not (tmp_path / "out.png").exists()

    @pytest.mark.parametrize(
        ("arguments", "option"),
        [
            (["--pixels", "10"], "--pixels"),
            (["--steps", "0"], "--steps"),
            (["--style-weight", "-1"], "--style-weight"),
            (["--steps", "many"], "--steps"),
            (["--brush", "9"], "--brush:"),
            (["--fine", "--network", "embedded"], "--fine"),
        ],
    )
    def test_numbers_out_of_bounds_are_wrong_usage(
        self, run: Run, photo: Path, style: Path, arguments: list[str], option: str
    ) -> None:
        ended = run("paint", str(photo), "--style", str(style), "-o", "x.png", *arguments)
        assert ended.code == 2
        assert option in ended.err

    def test_a_bad_picture_is_named(self, paint: Run, tmp_path: Path) -> None:
        (tmp_path / "text.jpg").write_text("no picture")
        ended = paint(of=tmp_path / "text.jpg")
        assert ended.code == 1
        assert "text.jpg: this file is not a picture" in ended.err
        (tmp_path / "gone.jpg").symlink_to("nowhere")
        for path in ("gone.jpg", "text.jpg/photo.jpg", "n" * 300):
            err = paint(of=tmp_path / path).err
            assert path in err
            assert "Errno" not in err

    @pytest.mark.usefixtures("tiny_network")
    def test_ctrl_c_stops_and_writes_nothing(
        self, paint: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        closed = []
        real = painter.paint

        def interrupted(*arguments: Any) -> Iterator[Any]:
            events = real(*arguments)
            try:
                yield next(events)
                raise KeyboardInterrupt
            finally:
                closed.append(True)

        monkeypatch.setattr(painter, "paint", interrupted)
        ended = paint()
        assert ended.code == 130
        assert "Stopped; nothing was written." in ended.err
        assert closed == [True]
        assert not (tmp_path / "out.png").exists()

    def test_too_little_memory_is_a_sentence(
        self, paint: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def greedy(*_: Any) -> Iterator[Any]:
            raise MemoryError
            yield

        monkeypatch.setattr(painter, "paint", greedy)
        ended = paint()
        assert ended.code == 1
        assert "ask for less with --pixels" in ended.err


class TestManyPhotos:
    """Several photos, and paintings for which no name is given."""

    @pytest.fixture(autouse=True)
    def quick(self, tiny_network: None) -> None: ...

    @pytest.fixture
    def paint(self, run: Run, style: Path) -> Run:
        def paint(*arguments: str) -> Ended:
            return run("paint", "--style", str(style), "--steps", "1", *arguments)

        return paint

    def test_a_painting_goes_beside_its_photo_over_nothing(
        self, paint: Run, photo: Path, tmp_path: Path
    ) -> None:
        folder = tmp_path / "folder"
        folder.mkdir()
        moved = photo.rename(folder / "photo.png")
        (folder / "photo-style.png").write_text("of somebody's")
        ended = [paint(str(moved)), paint(str(moved), "--style", "night")]
        assert [each.code for each in ended] == [0, 0]
        assert {path.name for path in folder.iterdir()} == {
            "photo.png",
            "photo-style.png",
            "photo-style-2.png",
            "photo-style-night.png",
        }
        assert (folder / "photo-style.png").read_text() == "of somebody's"

    def test_a_format_that_is_not_written_becomes_a_jpeg(
        self, paint: Run, photo: Path, tmp_path: Path
    ) -> None:
        with Image.open(photo) as picture:
            picture.save(tmp_path / "scan.TIF")
        assert paint("scan.TIF").code == 0
        with Image.open(tmp_path / "scan-style.jpg") as picture:
            assert picture.format == "JPEG"

    def test_without_a_style_it_is_the_first_preset(self, run: Run, photo: Path) -> None:
        ended = run("paint", photo.name, "--steps", "1")
        assert ended.code == 0
        assert "The style is night; --style chooses another" in ended.err
        assert photo.with_name("photo-night.png").is_file()

    def test_without_a_style_and_without_presets_it_asks_for_one(
        self, run: Run, photo: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("IMPASTO_PLUGINS__DENY", "styles")
        ended = run("paint", photo.name)
        assert ended.code == 1
        assert "name a picture with --style" in ended.err

    def test_a_folders_photos_are_painted_and_no_paintings(
        self, paint: Run, photo: Path, tmp_path: Path
    ) -> None:
        folder = tmp_path / "folder"
        (folder / "deeper.jpg").mkdir(parents=True)
        (folder / "notes.txt").write_text("no photo")
        with Image.open(photo) as picture:
            for name in ("b.jpg", "a.webp", "c.png", ".hidden.png"):
                picture.save(folder / name)
        for turn in range(2):
            reports = [json.loads(line) for line in paint("folder", "--json").out.splitlines()]
            assert [Path(report["photo"]).name for report in reports] == [
                "a.webp",
                "b.jpg",
                "c.png",
            ]
            end = "-2" if turn else ""
            assert [Path(report["output"]).name for report in reports] == [
                f"a-style{end}.webp",
                f"b-style{end}.jpg",
                f"c-style{end}.png",
            ]

    def test_paintings_go_into_a_folder_that_is_named(
        self, paint: Run, photo: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "out").mkdir()
        other = tmp_path / "other" / photo.name
        other.parent.mkdir()
        other.write_bytes(photo.read_bytes())
        assert paint(str(photo), str(other), "-o", "out").code == 0
        names = {path.name for path in (tmp_path / "out").iterdir()}
        assert names == {"photo-style.png", "photo-style-2.png"}
        ended = paint(str(photo), str(other), "-o", "one.png")
        assert ended.code == 2
        assert "--output" in ended.err

    def test_one_that_cannot_be_used_costs_no_other(
        self, paint: Run, photo: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "bad.jpg").write_text("no picture")
        ended = paint("bad.jpg", photo.name)
        assert ended.code == 1
        assert "impasto: bad.jpg: this file is not a picture" in ended.err
        assert (tmp_path / "photo-style.png").is_file()

    def test_a_folder_without_photos_is_told(self, paint: Run, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        ended = paint("empty")
        assert ended.code == 1
        assert "there is no photo in empty" in ended.err

    def test_the_bar_shows_work_and_not_steps(
        self, paint: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from rich.progress import Progress

        for name in ("first.png", "second.png"):
            Image.effect_noise((240, 200), 50).convert("RGB").save(tmp_path / name)
        shown: list[tuple[float, float]] = []

        def update(self: Progress, task: Any, *, total: float, completed: float, **_: Any) -> None:
            shown.append((completed, total))

        monkeypatch.setattr(Progress, "update", update)
        assert paint("first.png", "second.png", "--steps", "4").code == 0
        done = [completed for completed, _ in shown]
        assert done == sorted(done)
        assert (done[-1], {total for _, total in shown}) == (2, {2})
        first = [completed for completed in done if completed <= 1]
        steps = np.diff([0.0, *first[:4]])
        assert steps[0] < steps[-1], "steps of small sizes are less work"

    def test_a_terminal_that_shows_pictures_has_one_for_each_size(
        self, paint: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from impasto_paint import display

        shown: list[tuple[int, int]] = []

        class Seen:
            is_possible = True

            def __init__(self, console: Any) -> None: ...

            def show(self, picture: Image.Image) -> None:
                shown.append(picture.size)

        monkeypatch.setattr(display, "Preview", Seen)
        Image.effect_noise((240, 200), 50).convert("RGB").save(tmp_path / "photo.png")
        assert paint("photo.png", "--steps", "4").code == 0
        assert shown == [(480, 400)] * 3, "after each smaller size, and at the end"
        assert paint("photo.png", "--json").code == 0
        assert len(shown) == 3, "whoever wants JSON looks at no pictures"

    def test_ctrl_c_says_how_many_were_written(
        self, paint: Run, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = painter.paint
        calls = 0

        def interrupted(*arguments: Any) -> Iterator[Any]:
            nonlocal calls
            calls += 1
            if calls == 2:
                raise KeyboardInterrupt
            yield from real(*arguments)

        monkeypatch.setattr(painter, "paint", interrupted)
        (tmp_path / "second.png").write_bytes(photo.read_bytes())
        ended = paint(photo.name, "second.png")
        assert ended.code == 130
        assert "Stopped; 1 of 2 paintings were written." in ended.err
