"""From bytes to a checked picture, and how large it is painted.

Everything that comes from outside is hostile here: sizes are read from the header and checked
before pixels are decoded.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from impasto.errors import PictureError
from impasto.sizes import MIN_SIDE

Image.init()
FORMATS: Final = tuple(
    kind
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
    if kind in Image.OPEN  # older Pillows have no AVIF
)
"""What is decoded, by content and not by name; JPEG includes the MPO of some phones and cameras."""
MAX_RATIO: Final = 20
"""Largest ratio of the longer to the shorter side: Telegram's own limit for photos."""
MAX_PIXELS: Final = 50_000_000
"""Most pixels that are decoded: 150 MB as RGB. Large JPEGs are decoded at a fraction of it."""
MAX_PROGRESSIVE_PIXELS: Final = 25_000_000
"""Most pixels of a progressive JPEG, decoded at a fraction or not: its decoder holds all
coefficients, 6 bytes a pixel ("virtual arrays" of libjpeg-turbo), so 150 MB."""
_HEIF_BRANDS: Final = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")

# Our own check of the header is stricter; Pillow's is a second line of defence.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS


def open_picture(source: Path | bytes, wanted_pixels: int | None = None) -> Image.Image:
    """Decodes the first frame of a picture as 8-bit sRGB; what was transparent becomes white.

    The EXIF orientation is kept for the preprocessor that applies it. A JPEG much larger than
    `wanted_pixels` is decoded at 1/2, 1/4 or 1/8 of its size.

    Raises:
        PictureError: not a picture, damaged, or of a size that cannot be painted.
    """
    try:
        data = source if isinstance(source, bytes) else source.read_bytes()
    except OSError as error:
        raise PictureError("file_gone", f"the picture cannot be read: {error}") from None
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        raise PictureError(
            "unsupported_format",
            "HEIC pictures cannot be read; send it as a photo, or as JPEG or PNG",
            format="HEIC",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # bombs are refused below, odd metadata is harmless
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
            if "progressive" in picture.info:
                _check_pixels(*picture.size, MAX_PROGRESSIVE_PIXELS)
            if wanted_pixels is not None:
                _decode_smaller(picture, wanted_pixels)
            _check_size(*picture.size)
            exif = picture.getexif().tobytes()
            picture.load()
            upright = _to_rgb(picture)
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise PictureError("not_a_picture", "this file is not a picture") from None
    except Image.DecompressionBombError:
        raise _too_large(MAX_PIXELS) from None
    except Exception as error:  # decoders raise whatever they like on damaged input
        raise PictureError("broken_picture", f"this picture is damaged: {error}") from error
    upright.info = {"exif": exif} if exif else {}
    return upright


def _decode_smaller(picture: Image.Image, wanted_pixels: int) -> None:
    """Lets the JPEG decoder leave out detail that is scaled away later; a factor 4 is kept."""
    width, height = picture.size
    scale = (4 * wanted_pixels / (width * height)) ** 0.5
    if scale < 1:
        picture.draft("RGB", (round(width * scale), round(height * scale)))


def _check_size(width: int, height: int) -> None:
    _check_pixels(width, height, MAX_PIXELS)
    if max(width, height) > MAX_RATIO * min(width, height):
        raise PictureError(
            "picture_too_narrow",
            f"a picture of {width} x {height} pixels is too narrow; "
            f"one side may be at most {MAX_RATIO} times the other",
            width=width,
            height=height,
            ratio=MAX_RATIO,
        )
    if min(width, height) < MIN_SIDE:
        raise PictureError(
            "picture_too_small",
            f"a picture of {width} x {height} pixels is too small; "
            f"each side needs at least {MIN_SIDE}",
            width=width,
            height=height,
            side=MIN_SIDE,
        )


def _check_pixels(width: int, height: int, most: int) -> None:
    if width * height > most:
        raise _too_large(most)


def _too_large(most: int) -> PictureError:
    megapixels = most // 1_000_000
    return PictureError(
        "picture_too_large",
        f"this picture has more than {megapixels} million pixels; send a smaller one",
        megapixels=megapixels,
    )


def _to_rgb(picture: Image.Image) -> Image.Image:
    profile = picture.info.get("icc_profile")
    if picture.mode.startswith(("I", "F")):
        picture = _from_deep_gray(picture)
    if "transparency" in picture.info or picture.mode in {"LA", "La", "PA", "RGBA", "RGBa"}:
        layered = picture.convert("RGBA")
        paper = Image.new("RGBA", layered.size, "white")
        picture = Image.alpha_composite(paper, layered).convert("RGB")
    if profile:
        picture = _to_srgb(picture, profile)
    return picture.convert("RGB")


def _from_deep_gray(picture: Image.Image) -> Image.Image:
    """16- and 32-bit gray as 8-bit: Pillow's own conversion clips where scaling is meant."""
    values = np.asarray(picture, dtype=np.float32)
    white = 65535.0 if picture.mode.startswith("I") else 1.0
    if values.max(initial=0.0) > white:
        white = float(values.max())
    return Image.fromarray((values.clip(0, white) * (255 / white)).round().astype(np.uint8))


def _to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Colors as they are meant to be seen; a damaged profile is ignored, as browsers do."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(
            picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
    return converted or picture
