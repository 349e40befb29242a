"""A finished picture as a photo that Telegram takes and shows well."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

LONGEST_SIDE = 2560
"""Pixels; what Telegram's apps show of a photo at most."""

MOST_BYTES = 10 * 1000 * 1000
"""Telegram's limit of a photo (https://core.telegram.org/bots/api#sendphoto)."""

QUALITIES = (95, 90, 80, 70)
"""JPEG qualities, tried in turn; at the last one no picture of LONGEST_SIDE is near MOST_BYTES."""


def photo_of(result: Path) -> bytes:
    """The picture as a JPEG of at most LONGEST_SIDE and MOST_BYTES; the file itself if it is one.

    Takes up to a second for a large picture: call it off the event loop.

    Raises:
        OSError: the file is gone or no picture.
    """
    with Image.open(result) as picture:
        fits = max(picture.size) <= LONGEST_SIDE and result.stat().st_size <= MOST_BYTES
        if picture.format == "JPEG" and fits:
            return result.read_bytes()
        picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
        small = picture.convert("RGB")
    small.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    for quality in QUALITIES:
        packed = _jpeg(small, quality)
        if len(packed) <= MOST_BYTES:
            break
    return packed


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    packed = io.BytesIO()
    picture.save(packed, "JPEG", quality=quality, subsampling=0)
    return packed.getvalue()
