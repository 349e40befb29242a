"""What `impasto new-plugin` writes keeps its promises, as far as that is known without installing
it; `test_new_plugin` installs it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from impasto.contracts import Storage
from impasto.settings import Settings
from impasto.testing import make_job, make_style
from impasto.testing.conformance import (
    ChecksConformance,
    DialogConformance,
    PluginConformance,
    PresenterConformance,
    StorageConformance,
    StylesConformance,
    WebRoutesConformance,
)
from impasto_authors import Kind, _project, _single_file


def written(kind: Kind, folder: Path) -> ModuleType:
    """The plugin `mine` of this kind, imported."""
    for path, content in _single_file("mine", kind).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(content)
    spec = importlib.util.spec_from_file_location(f"template_{kind}", folder / "mine.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestStorage(StorageConformance):
    """One JSON file."""

    @pytest.fixture
    def make_storage(self, tmp_path: Path) -> Callable[[], Storage]:
        module = written(Kind.STORAGE, tmp_path)
        return lambda: module.Mine(tmp_path / "storage.json")  # type: ignore[no-any-return]

    async def test_what_could_not_be_written_has_not_happened(
        self, make_storage: Callable[[], Storage], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(descriptor: int) -> None:
            raise OSError("the disk is full")

        storage = make_storage()
        await storage.open()
        job = await storage.journal.add(make_job())
        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="full"):
            await storage.journal.add(make_job())
        monkeypatch.undo()
        assert await storage.journal.of_person(1) == [job]


class TestDialog(DialogConformance):
    @pytest.fixture
    def plugin(self, tmp_path: Path) -> ModuleType:
        return written(Kind.DIALOG, tmp_path)

    def test_its_linter_takes_russian_words(self, tmp_path: Path) -> None:
        for path, content in _project("mine", Kind.DIALOG).items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(content)
        russian = '"""А у вас – с рамой?"""\n\n# У нас – с ней.\nTEXT = "А у вас – с рамой?"\n'
        (tmp_path / "src" / "russian.py").write_text(russian, encoding="utf-8")
        command = [sys.executable, "-m", "ruff", "check", "--no-cache", "."]
        checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout


class TestCommand(PluginConformance):
    @pytest.fixture
    def plugin(self, tmp_path: Path) -> ModuleType:
        return written(Kind.COMMAND, tmp_path)


class TestPresenter(PresenterConformance):
    @pytest.fixture
    def presenter(self, tmp_path: Path) -> Any:
        return written(Kind.PRESENTER, tmp_path).Mine([])


class TestStyles(StylesConformance):
    @pytest.fixture
    def styles(self, tmp_path: Path) -> Any:
        return written(Kind.STYLE, tmp_path).impasto_styles(Settings())

    def test_they_are_several(self, styles: Any) -> None:
        assert [style.name for style in styles] == ["mine_1", "mine_2"]

    @pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".JPG", ".png", ".webp"])
    @pytest.mark.parametrize(
        ("file", "name"),
        [
            ("Night Sky", "night_sky"),
            ("IMG_2024-05-01", "img_2024_05_01"),
            ("a-very-long-name-of-a-photo", "a_very_long_name_of_"),
        ],
    )
    def test_pictures_as_people_have_them_are_styles(
        self, file: str, name: str, suffix: str, tmp_path: Path
    ) -> None:
        module = written(Kind.STYLE, tmp_path)
        picture = tmp_path / "mine" / f"{file}{suffix}"
        make_style(256).save(picture, format="PNG")
        facts = {"titles": {"en": "Sky", "ru": "Небо"}, "credit": "Olga", "licence": "CC-BY-4.0"}
        module.STYLES[picture.name] = facts
        [style] = [s for s in module.impasto_styles(Settings()) if s.picture == picture]
        assert (style.name, style.titles, style.credit) == (name, facts["titles"], "Olga")

    @pytest.mark.parametrize(
        ("file", "told"),
        [
            ("sky.jpg", "STYLES has no entry for sky.jpg"),
            ("небо.jpg", "rename небо.jpg: begin with a letter a-z"),
            ("2024.jpg", "rename 2024.jpg: begin with a letter a-z"),
        ],
    )
    def test_what_is_missing_of_a_picture_is_said(
        self, file: str, told: str, tmp_path: Path
    ) -> None:
        module = written(Kind.STYLE, tmp_path)
        make_style(256).save(tmp_path / "mine" / file)
        if told.startswith("rename"):
            module.STYLES[file] = {"titles": {"en": "Sky"}, "credit": "Olga", "licence": "CC0"}
        with pytest.raises((LookupError, ValueError), match=told):
            module.impasto_styles(Settings())

    def test_other_files_in_the_folder_are_no_styles(self, tmp_path: Path) -> None:
        module = written(Kind.STYLE, tmp_path)
        (tmp_path / "mine" / ".DS_Store").touch()
        assert len(module.impasto_styles(Settings())) == 2


class TestWebRoutes(WebRoutesConformance):
    @pytest.fixture
    def routes(self, tmp_path: Path) -> Any:
        return written(Kind.WEB, tmp_path).impasto_web_routes(Settings())


class TestChecks(ChecksConformance):
    @pytest.fixture
    def findings(self, tmp_path: Path) -> Any:
        return written(Kind.CHECK, tmp_path).impasto_checks(Settings())
