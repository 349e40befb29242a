"""How a picture becomes a preset of this installation: a JPEG and an entry of
`styles.toml`, both in the folder `styles/` of state_dir."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageOps
from pydantic import ValidationError

from impasto import StylePreset, open_picture
from impasto.errors import OwnerError, PictureError
from impasto_styles import Entry, reason_of

if TYPE_CHECKING:
    from impasto.cli import Session

LARGEST_SIDE = 1024
"""Pixels, as the built-in presets have; painting sees no more of a style than that."""
LEAST_SIDE = 256
"""Pixels; a smaller picture has too few marks to paint with."""


def style_picture(source: Path | bytes, called: str) -> Image.Image:
    """An upright RGB picture, large enough to be a style.

    Args:
        called: its name in messages.

    Raises:
        OwnerError: it cannot be used.
    """
    try:
        picture = open_picture(source, wanted_pixels=LARGEST_SIDE**2)
    except PictureError as error:
        raise OwnerError(f"{called} cannot be used: {error}") from None
    if min(picture.size) < LEAST_SIDE:
        raise OwnerError(
            f"{called} is {picture.width} x {picture.height} pixels; "
            f"a style needs at least {LEAST_SIDE} on each side"
        )
    return ImageOps.exif_transpose(picture)


def add_preset(session: Session, preset: StylePreset, picture: Image.Image) -> None:
    """Writes the preset's picture, with no more pixels than painting makes use of, and its entry.

    Raises:
        OwnerError: the name is taken, the entry cannot be used, or the disk cannot be written to.
            Nothing is changed then.
    """
    if any(known.name == preset.name for known in session.presets()):
        raise OwnerError(f"there is a style {preset.name!r} already; take another name")
    if preset.picture.exists():
        raise OwnerError(
            f"there is a file {preset.picture} already; move it, or choose another name"
        )
    entry = _entry(preset)
    folder = preset.picture.parent
    table = folder / "styles.toml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        before = table.read_bytes() if table.is_file() else b""
        before.decode()
        _replace(preset.picture, _jpeg(picture))
        try:
            _replace(table, before + entry.encode())
        except OSError:
            preset.picture.unlink()
            raise
    except UnicodeDecodeError:
        raise OwnerError(f"{table} is not in UTF-8; save it in that, or move it away") from None
    except OSError as error:
        raise OwnerError(
            f"{folder} cannot be written to ({error.strerror or error}); make room there, or let "
            "this user write to it"
        ) from None


def _entry(preset: StylePreset) -> str:
    """The two tables of a preset in styles.toml. Raises OwnerError where they could not be read."""
    facts = {
        "file": preset.picture.name,
        "emoji": preset.emoji,
        "credit": preset.credit,
        "licence": preset.licence,
        "strength": preset.strength,
        "brush_size": preset.brush_size,
    }
    try:
        Entry.model_validate({**facts, "titles": preset.titles})
    except ValidationError as error:
        raise OwnerError(f"the style was not added: {reason_of(error)}") from None
    name = f"styles.{json.dumps(preset.name)}"
    return _table(name, facts) + _table(f"{name}.titles", preset.titles)


def _table(name: str, values: Mapping[str, Any]) -> str:
    """TOML's strings and numbers are written as JSON's are."""
    lines = (f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())
    return f"\n[{name}]\n{''.join(lines)}"


def _jpeg(picture: Image.Image) -> bytes:
    scale = max(LARGEST_SIDE / max(picture.size), LEAST_SIDE / min(picture.size))
    if scale < 1:
        picture = ImageOps.scale(picture, scale, Image.Resampling.LANCZOS)
    encoded = io.BytesIO()
    picture.save(encoded, "JPEG", quality=92, subsampling=0)
    return encoded.getvalue()


def _replace(file: Path, content: bytes) -> None:
    """Writes a file in one step."""
    unfinished = file.with_suffix(".part")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
