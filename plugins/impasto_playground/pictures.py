"""What Telegram does with pictures: checks a photo, makes its sizes, draws thumbnails.

Runs on Pillow, in a worker thread; nothing here knows of chats or HTTP.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from .refusals import Refusal, bad_request

MAX_PHOTO_BYTES = 10 * 1024 * 1024
"""Photos larger than this go as documents or not at all (Bot API, "Sending files")."""

MAX_PHOTO_SIDES = 10_000
"""Width plus height of a photo (Bot API, sendPhoto)."""

MAX_PHOTO_RATIO = 20
"""Longer side by shorter side of a photo (Bot API, sendPhoto)."""

PHOTO_SIDES = (90, 320, 800, 1280)
"""Longest sides of the sizes s, m, x and y (https://core.telegram.org/api/files)."""

MAX_APP_PIXELS = 64_000_000
"""What an app reads in order to send it as a photo, scaled down; phones make 50 megapixels."""

THUMBNAIL_SIDE = 320

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
MIME_TYPES = {name: f"image/{name.lower()}" for name in FORMATS}


@dataclass(frozen=True, slots=True)
class Jpeg:
    """An encoded picture and its size in pixels."""

    data: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Animation:
    """What a chat shows of an animated GIF before it runs; `duration` in whole seconds."""

    width: int
    height: int
    duration: int
    thumbnail: Jpeg


def photo_sizes(path: Path, by_app: bool = False) -> list[Jpeg]:
    """The JPEGs that Telegram keeps of a photo, smallest first, the longest side at most 1280.

    Orientation is applied and all metadata dropped. Raises `Refusal` with Telegram's text for
    what is no photo: too many bytes, too long, too narrow, not decodable. `by_app` is for what
    a person picked: an app scales a picture down before it sends it, so it may be large.
    """
    size = path.stat().st_size
    if size > MAX_PHOTO_BYTES and not by_app:
        raise bad_request(
            f"file of size {size} bytes is too big for a photo; "
            f"the maximum size is {MAX_PHOTO_BYTES} bytes"
        )
    try:
        with _open(path) as image:
            check_dimensions(*image.size, by_app=by_app)
            upright = _upright(image, PHOTO_SIDES[-1])
    except Refusal:
        raise
    except Image.DecompressionBombError as error:
        raise bad_request("PHOTO_INVALID_DIMENSIONS") from error
    except Exception as error:
        # Pillow's decoders raise whatever a broken file provokes, struct.error and SyntaxError too.
        raise bad_request("IMAGE_PROCESS_FAILED") from error
    return _scale_down(upright)


def check_dimensions(width: int, height: int, by_app: bool = False) -> None:
    """Raise `Refusal` for a photo whose sides Telegram, or an app before it, does not take."""
    large = width * height > MAX_APP_PIXELS if by_app else width + height > MAX_PHOTO_SIDES
    narrow = max(width, height) > MAX_PHOTO_RATIO * min(width, height)
    if large or narrow:
        raise bad_request("PHOTO_INVALID_DIMENSIONS")


def thumbnail(path: Path) -> Jpeg | None:
    """A small JPEG of a picture file, or None where the file is no picture that can be shown."""
    try:
        with _open(path) as image:
            if sum(image.size) > MAX_PHOTO_SIDES:
                return None
            upright = _upright(image, THUMBNAIL_SIDE)
    except Exception:
        # A thumbnail is optional, and any file at all may come as a document.
        return None
    return _resized(upright, THUMBNAIL_SIDE)


def animation(path: Path) -> Animation | None:
    """What a client shows for an animated GIF; None for everything else."""
    try:
        with Image.open(path, formats=("GIF",)) as image:
            frames = getattr(image, "n_frames", 1)
            if frames < 2 or sum(image.size) > MAX_PHOTO_SIDES:
                return None
            milliseconds = float(image.info.get("duration", 100)) * frames
            width, height = image.size
            first = _opaque(image)
    except Exception:
        # Not a GIF that can be decoded: then it is a document like any other.
        return None
    duration = round(milliseconds / 1000)
    return Animation(width, height, duration, _resized(first, THUMBNAIL_SIDE))


def image_mime_type(path: Path) -> str | None:
    """The type of a picture that browsers show, judged by its content, else None."""
    try:
        with Image.open(path, formats=("JPEG", "PNG", "WEBP", "GIF", "BMP")) as image:
            return MIME_TYPES.get(image.format or "")
    except Exception:
        return None


def _open(path: Path) -> Image.Image:
    return Image.open(path, formats=FORMATS)


def _upright(image: Image.Image, side: int) -> Image.Image:
    """Decoded no larger than `side` needs, turned as its orientation says, and opaque."""
    image.draft("RGB", (side, side))
    image.load()  # turns a TIFF, and drops its orientation
    return _opaque(ImageOps.exif_transpose(image))


def _opaque(image: Image.Image) -> Image.Image:
    """Eight bits of red, green and blue, transparent parts on white."""
    if image.mode.startswith("I"):
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def _scale_down(image: Image.Image) -> list[Jpeg]:
    longest = max(image.size)
    sides = [side for side in PHOTO_SIDES if side < longest]
    if longest <= PHOTO_SIDES[-1]:
        sides.append(longest)
    return [_resized(image, side) for side in sides]


def _resized(image: Image.Image, side: int) -> Jpeg:
    small = image
    if max(image.size) > side:
        small = image.copy()
        small.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=87)
    return Jpeg(buffer.getvalue(), *small.size)
