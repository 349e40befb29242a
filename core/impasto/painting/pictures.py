"""From bytes to a checked picture, and how large it is painted.

Everything that comes from outside is hostile here: sizes are read from the header and checked
before pixels are decoded.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import struct
import traceback
import warnings
from pathlib import Path
from typing import Final

from PIL import ExifTags, Image, PngImagePlugin, UnidentifiedImageError

from impasto.errors import PictureError
from impasto.painting.picture_colors import bands, to_srgb
from impasto.painting.picture_files import (
    END_OF_JPEG,
    MAX_METADATA,
    UPRIGHT,
    exif_saying,
    format_of,
    is_jxl,
    iso_format,
    jxl_size,
    nclx,
    orientation_of,
    png_chunks,
    with_known_brand,
    without_metadata,
)
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
_NO_PIXELS: Final = bytes(range(1, 255)) * 16
"""Bytes that no JPEG goes on with, and that contain no marker."""

# Our own check of the header is stricter; Pillow's is a second line of defence.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = MAX_METADATA


def open_picture(source: Path | bytes, wanted_pixels: int | None = None) -> Image.Image:
    """Decodes the first frame of a picture as 8-bit sRGB; what was transparent becomes white.

    The EXIF orientation is kept for the preprocessor that applies it, and no other metadata. Only
    pixels decide whether a picture is whole. A JPEG much larger than `wanted_pixels` is decoded at
    1/2, 1/4 or 1/8 of its size.

    Raises:
        PictureError: not a picture, damaged, or of a size that cannot be painted.
    """
    try:
        data = source if isinstance(source, bytes) else source.read_bytes()
    except FileNotFoundError:
        raise PictureError("file_gone", "there is no such file") from None
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        reason = (isinstance(error, OSError) and error.strerror) or error
        raise PictureError("file_gone", f"the picture cannot be read: {reason}") from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # bombs are refused below, odd metadata is harmless
        return _decoded_somehow(data, wanted_pixels)


def _decoded_somehow(data: bytes, wanted_pixels: int | None) -> Image.Image:
    """As it is, or else without its metadata."""
    try:
        return _decoded(data, wanted_pixels)
    except PictureError as error:
        if error.code not in {"broken_picture", "not_a_picture"}:
            raise
        refused = error
        _let_go(error)
    bare = _without_metadata(data)
    if bare is None:
        raise refused
    try:
        return _decoded(bare, wanted_pixels)
    except PictureError:
        raise refused from None


def _let_go(error: BaseException | None) -> None:
    """Frees the picture that is still held by the functions in which an error was raised."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


def _without_metadata(data: bytes) -> bytes | None:
    """None where nothing can be left out."""
    try:
        bare = without_metadata(data, format_of(data))
    except (struct.error, IndexError, ValueError):
        return None
    return bare if bare != data else None


def _decoded(data: bytes, wanted_pixels: int | None) -> Image.Image:
    try:
        picture = _opened(data, wanted_pixels)
        _check_size(*picture.size)
        orientation = _orientation(picture)
        picture = _loaded(picture, data, wanted_pixels)
        if picture.format == "PNG":
            _add_png_facts(picture, data)
        elif picture.format in {"AVIF", "HEIF"} and (code_points := nclx(data)):
            picture.info["cicp"] = code_points
        upright = to_srgb(picture)
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise PictureError("not_a_picture", "this file is not a picture") from None
    except Image.DecompressionBombError:
        raise _too_large(MAX_PIXELS) from None
    except Exception as error:  # decoders raise whatever they like on damaged input
        raise PictureError("broken_picture", f"this picture is damaged: {error}") from error
    exif = exif_saying(orientation)
    upright.info = {"exif": exif} if exif else {}
    return upright


def _opened(data: bytes, wanted_pixels: int | None) -> Image.Image:
    """The picture with its header read and, of a JPEG, the scale chosen."""
    formats: tuple[str, ...] = FORMATS
    if kind := iso_format(data):
        data = with_known_brand(data, kind)
        if kind == "HEIF":
            formats = _optional_format("HEIF", "HEIC", "pillow_heif")
        elif kind not in FORMATS:
            raise _unsupported(kind)
    elif is_jxl(data):
        formats = _optional_format("JXL", "JPEG XL", "pillow_jxl")
        size = jxl_size(data)
        if size is None:
            raise UnidentifiedImageError
        _check_size(*size)  # opened is decoded there
    picture = Image.open(io.BytesIO(data), formats=formats)
    if picture.format in {"JPEG", "MPO"}:
        if "progressive" in picture.info:
            _check_pixels(*picture.size, MAX_PROGRESSIVE_PIXELS)
        if wanted_pixels is not None:
            _decode_smaller(picture, wanted_pixels)
    return picture


def _optional_format(kind: str, called: str, module: str) -> tuple[str, ...]:
    """The format's name in Pillow, once the extra package that reads it is registered there.

    Raises:
        PictureError: it is not installed, or does not work.
    """
    try:
        plugin = importlib.import_module(module)
        if kind == "HEIF":
            plugin.register_heif_opener(thumbnails=False)
    except Exception:  # a package that does not fit the system may raise anything
        raise _unsupported(called) from None
    return (kind,)


def _unsupported(called: str) -> PictureError:
    return PictureError(
        "unsupported_format",
        f"{called} pictures cannot be read; send it as a photo, or as JPEG or PNG",
        format=called,
    )


def _orientation(picture: Image.Image) -> int:
    """How the picture is to be turned after it was loaded, as in EXIF."""
    if picture.format in {"HEIF", "JXL"} and not getattr(picture, "jpeg", False):
        return UPRIGHT  # their decoders turn it; but not a JPEG that was packed as JPEG XL
    try:
        exif = picture.getexif()
    except Exception:  # Pillow raises whatever the bytes provoke
        return UPRIGHT
    orientation = orientation_of(exif)
    if picture.format == "TIFF":
        # Pillow turns it while loading, and writes all tags anew for that, odd ones too.
        for tag in list(exif):
            del exif[tag]
        exif[ExifTags.Base.Orientation] = orientation
        return UPRIGHT
    return orientation


def _loaded(picture: Image.Image, data: bytes, wanted_pixels: int | None) -> Image.Image:
    """The picture with its pixels decoded; it is another object where a JPEG lacks its end."""
    try:
        picture.load()
    except OSError:
        if picture.format != "JPEG":
            raise
    else:
        _check_size(*picture.size)  # not every header tells the truth
        return picture
    picture.close()  # whoever called still has it, and it holds all that was decoded
    return _loaded_without_end(data, wanted_pixels)


def _loaded_without_end(data: bytes, wanted_pixels: int | None) -> Image.Image:
    """A JPEG that breaks off after its last pixel, where only the marker of its end is missing.

    The decoder fills up with gray what is missing, and says nothing. So other bytes are put in its
    place first: they show only where pixels are missing.
    """
    digests = []
    for filler in (_NO_PIXELS, b""):
        picture = _opened(data + filler + END_OF_JPEG, wanted_pixels)
        picture.load()
        digest = hashlib.blake2b()
        for band in bands(picture):
            digest.update(band.tobytes())
        digests.append(digest.digest())
    if digests[0] != digests[1]:
        raise OSError("it breaks off")
    return picture


def _add_png_facts(picture: Image.Image, data: bytes) -> None:
    """What `to_srgb` needs to know and Pillow does not tell."""
    for kind, body, is_whole in png_chunks(data):
        if kind == b"IHDR":
            picture.info["bits"] = body[8]
            picture.info["is_gray"] = body[9] in {0, 4}
        elif kind == b"cICP" and is_whole and len(body) == 4 and body[2] == 0:
            picture.info["cicp"] = body[0], body[1]
        elif kind == b"IDAT":
            break


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
