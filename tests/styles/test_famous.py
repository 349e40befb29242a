"""The famous paintings of `styles/famous.toml` can be fetched and shown by anybody."""

from __future__ import annotations

import tomllib
from pathlib import Path
from urllib.parse import unquote, urlsplit

from impasto import data_folders
from impasto.settings import Settings
from impasto_styles import Titles, impasto_styles
from impasto_styles.famous import MANIFEST, Entry, Manifest, read_paintings

LAST_DEATH = 1953
"""Where rights last 70 years after death, those of these painters are over."""
LAST_YEAR = 1928
"""What was published by then is free in the United States."""


def entries() -> dict[str, Entry]:
    text = (data_folders.styles_folder() / MANIFEST).read_text(encoding="utf-8")
    return Manifest.model_validate(tomllib.loads(text)).paintings


def test_addresses_are_those_of_wikimedia_commons() -> None:
    paintings = read_paintings(Path("styles"))
    assert 12 <= len(paintings) <= 16
    for painting in paintings.values():
        for address in (painting.page, painting.address):
            parts = urlsplit(address)
            assert (parts.scheme, parts.netloc) == ("https", "commons.wikimedia.org")
            assert unquote(parts.path).endswith(".jpg")
        assert painting.page in painting.preset.credit
    assert len({painting.page for painting in paintings.values()}) == len(paintings)


def test_no_name_or_title_is_that_of_a_preset_that_comes_along() -> None:
    shipped = impasto_styles(settings=Settings())
    fetched = [painting.preset for painting in read_paintings(Path("styles")).values()]
    presets = [*shipped, *fetched]
    assert len({preset.name for preset in presets}) == len(presets)
    for language in ("en", "ru"):
        assert len({preset.titles[language] for preset in presets}) == len(presets)


def test_entries_are_such_as_the_plugin_takes() -> None:
    for name, entry in entries().items():
        Titles.model_validate(entry.titles)
        assert set(entry.titles) == {"en", "ru"}, name
        assert 1 <= len(entry.emoji) <= 8, name
        assert entry.aspect is None or 0.4 < entry.aspect < 2.5, name


def test_they_are_in_the_public_domain() -> None:
    for name, entry in entries().items():
        born, died = map(int, entry.lived.split("–"))
        assert born < entry.year <= died <= LAST_DEATH, name
        assert entry.year <= LAST_YEAR, name
        assert entry.licence == "Public domain", name


def test_the_pictures_do_not_come_along() -> None:
    files = {file.stem for file in data_folders.styles_folder().iterdir() if file.suffix == ".jpg"}
    assert not files & set(entries())
