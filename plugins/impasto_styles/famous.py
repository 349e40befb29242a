"""Famous paintings: what `styles/famous.toml` says of them, and how their pictures are checked.

The server makes a picture of the size that is wanted, so its digest cannot be known beforehand.
"""

from __future__ import annotations

import itertools
import shlex
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote

from PIL import Image
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from impasto import StylePreset, data_folders
from impasto.errors import OwnerError
from impasto_styles.adding import style_picture
from impasto_styles.download import download, safe

MANIFEST: Final = "famous.toml"
WIDTH: Final = 1280
"""Pixels. Wikimedia has pictures of a few widths only: https://w.wiki/GHai"""
ASPECT_TOLERANCE: Final = 0.05
"""One photo of a painting has more of its margins than another."""


class Entry(BaseModel):
    """One painting: a table `[paintings.<name>]`."""

    model_config = ConfigDict(extra="forbid")

    file: Annotated[str, Field(min_length=1)]
    artist: str
    lived: Annotated[str, Field(pattern=r"^\d{4}–\d{4}$")]
    year: int
    aspect: Annotated[float | None, Field(gt=0)] = None
    emoji: str
    licence: str
    strength: float = 1.0
    brush_size: float = 1.0
    titles: dict[str, str]


class Manifest(BaseModel):
    """All of `famous.toml`."""

    model_config = ConfigDict(extra="forbid")

    wiki: Annotated[str, AfterValidator(safe)]
    paintings: dict[str, Entry]


@dataclass(frozen=True, slots=True)
class Painting:
    """A painting that can be fetched.

    Attributes:
        preset: what it becomes.
        page: address of the page about its picture.
        address: of the picture itself, `WIDTH` pixels wide.
        aspect: width / height, where it is known.
    """

    preset: StylePreset
    artist: str
    page: str
    address: str
    aspect: float | None

    def fetch(self) -> Image.Image:
        """The picture, upright and RGB.

        Raises:
            OwnerError: it cannot be had, or it is not the painting's; says what to do.
        """
        picture = style_picture(download(self.address), "what came")
        aspect = picture.width / picture.height
        if self.aspect is not None and abs(aspect / self.aspect - 1) > ASPECT_TOLERANCE:
            raise OwnerError(
                f"what came is another picture: {picture.width} x {picture.height} pixels, and the "
                f"painting is {self.aspect:.2f} times as wide as high"
            )
        return picture

    def by_hand(self, program: Sequence[str]) -> str:
        """What to do where the picture cannot be fetched.

        Args:
            program: `impasto` with its global options.
        """
        preset = self.preset
        numbers = {"--strength": preset.strength, "--brush-size": preset.brush_size}
        options = [
            ("--name", preset.name),
            *(("--title", f"{language}={title}") for language, title in preset.titles.items()),
            ("--emoji", preset.emoji),
            ("--credit", preset.credit),
            ("--licence", preset.licence),
            *((name, str(value)) for name, value in numbers.items() if value != 1),
        ]
        words = [*program, "styles", "add", preset.picture.name, *itertools.chain(*options)]
        return (
            f"try again later, or save the picture {WIDTH} pixels wide from {self.page} on another "
            f"machine, bring it here and run `{shlex.join(words)}`"
        )


def read_paintings(folder: Path, manifest: Path | None = None) -> dict[str, Painting]:
    """All paintings of a manifest by name.

    Args:
        folder: of this installation's own styles.
        manifest: by default the one that comes with the program.

    Raises:
        OwnerError: the manifest cannot be understood.
    """
    path = manifest or data_folders.styles_folder() / MANIFEST
    try:
        content = Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        return {
            name: _painting(name, entry, content.wiki, folder)
            for name, entry in content.paintings.items()
        }
    except (OSError, ValueError) as error:
        raise OwnerError(f"{path} cannot be used: {error}") from None


def _painting(name: str, entry: Entry, wiki: str, folder: Path) -> Painting:
    file = quote(entry.file.replace(" ", "_"), safe=",()")
    page = f"{wiki}File:{file}"
    preset = StylePreset(
        name=name,
        titles=entry.titles,
        picture=folder / f"{name}.jpg",
        credit=f"{entry.artist} ({entry.lived}): {entry.titles.get('en')}, {entry.year}; {page}",
        licence=entry.licence,
        emoji=entry.emoji,
        strength=entry.strength,
        brush_size=entry.brush_size,
    )
    address = f"{wiki}Special:FilePath/{file}?width={WIDTH}"
    return Painting(preset, entry.artist, page, address, entry.aspect)
