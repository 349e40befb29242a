"""Data is found beside the package first, then in the checkout; stale copies elsewhere never."""

from __future__ import annotations

from pathlib import Path

import pytest

from impasto import data_folders

NAMES = ("config", "styles", "weights")


@pytest.mark.parametrize("name", NAMES)
def test_each_folder_is_there(name: str) -> None:
    assert data_folders.data_folder(name).is_dir()


def test_the_files_that_everything_begins_with_are_there() -> None:
    assert data_folders.default_config().is_file()
    assert (data_folders.styles_folder() / "styles.toml").is_file()
    assert (data_folders.weights_folder() / "weights.toml").is_file()
    assert (data_folders.weights_folder() / "embedded.safetensors").is_file()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `impasto` two folders below a root, as in a checkout."""
    package = tmp_path / "core" / "impasto"
    package.mkdir(parents=True)
    monkeypatch.setattr(data_folders, "_PACKAGE", package)
    return package


def test_a_checkouts_folder_is_used_when_the_package_has_none(package: Path) -> None:
    folder = package.parents[1] / "styles"
    folder.mkdir()
    assert data_folders.styles_folder() == folder


def test_the_packages_own_folder_wins(package: Path) -> None:
    (package.parents[1] / "styles").mkdir()
    own = package / "_data" / "styles"
    own.mkdir(parents=True)
    assert data_folders.styles_folder() == own


def test_a_damaged_installation_says_where_it_looked_and_what_to_do(package: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        data_folders.weights_folder()
    message = str(caught.value)
    assert str(package / "_data" / "weights") in message
    assert str(package.parents[1] / "weights") in message
    assert "install impasto again" in message
