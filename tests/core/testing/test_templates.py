"""What `impasto new-plugin` writes keeps its promises, as far as that is known without installing
it; `test_new_plugin` installs it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from impasto.cli.new_plugin import Kind, _single_file
from impasto.contracts import Storage
from impasto.settings import Settings
from impasto.testing import make_job
from impasto.testing.conformance import (
    ChecksConformance,
    DialogConformance,
    PluginConformance,
    PresenterConformance,
    StorageConformance,
    StylesConformance,
    WebRoutesConformance,
)


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


class TestWebRoutes(WebRoutesConformance):
    @pytest.fixture
    def routes(self, tmp_path: Path) -> Any:
        return written(Kind.WEB, tmp_path).impasto_web_routes(Settings())


class TestChecks(ChecksConformance):
    @pytest.fixture
    def findings(self, tmp_path: Path) -> Any:
        return written(Kind.CHECK, tmp_path).impasto_checks(Settings())
