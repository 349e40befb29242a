"""Nasty files: pictures that lie, break off, explode or are none, each with what must come of it.

`python -m tests.core.painting.nasty FOLDER` writes them all, to be sent to a bot by hand.
"""

from __future__ import annotations

import functools
import io
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

FINE = "fine"
"""It is a picture after all."""


@dataclass(frozen=True)
class Nasty:
    """A file, and the codes of `PictureError` (or FINE) that are a right answer to it."""

    name: str
    data: bytes
    answers: frozenset[str]


def corpus() -> Iterator[Nasty]:
    for make, answers in MAKERS:
        yield Nasty(make.__name__, make(), frozenset(answers.split()))


def packed(kind: str, picture: Image.Image | None = None, **options: Any) -> bytes:
    file = io.BytesIO()
    (picture or Image.radial_gradient("L").convert("RGB")).save(file, kind, **options)
    return file.getvalue()


def png(width: int, height: int, *chunks: bytes, depth: int = 8, color: int = 2) -> bytes:
    """A PNG of any header and chunks; color 0 is gray, 2 is RGB."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return b"".join([b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), *chunks, chunk(b"IEND", b"")])


def chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


@functools.cache
def zeros(count: int) -> bytes:
    """So many zero bytes, deflated."""
    deflate = zlib.compressobj(9)
    block = bytes(1 << 20)
    parts = [deflate.compress(block) for _ in range(count >> 20)]
    return b"".join([*parts, deflate.compress(bytes(count % (1 << 20))), deflate.flush()])


# No pictures at all


def empty() -> bytes:
    return b""


def one_byte() -> bytes:
    return b"\xff"


def text() -> bytes:
    return b"I am a photo, trust me."


def page_with_script() -> bytes:
    return b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as folder:
        folder.writestr("photo.jpg", bytes(1 << 20))
    return file.getvalue()


def postscript() -> bytes:
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n(/etc/passwd) (r) file\n"


def pdf() -> bytes:
    return packed("PDF")


def icon() -> bytes:
    return packed("ICO")


def heic() -> bytes:
    return b"\x00\x00\x00\x18ftypheic" + bytes(200)


# Headers that promise what nobody has memory for


def png_of_3600_megapixels() -> bytes:
    return png(60_000, 60_000, chunk(b"IDAT", zeros(1000)))


def png_of_the_largest_size() -> bytes:
    return png(2**31 - 1, 2**31 - 1, chunk(b"IDAT", zeros(1000)))


def png_of_no_size() -> bytes:
    return png(0, 0, chunk(b"IDAT", zeros(10)))


def png_just_too_large() -> bytes:
    """Less than the size at which Pillow itself refuses."""
    return png(9000, 9000, chunk(b"IDAT", zeros(9000 * 3)), color=0)


def jpeg_of_4295_megapixels() -> bytes:
    return with_jpeg_size(packed("JPEG"), 65_535, 65_535)


def jpeg_that_lies_about_its_size() -> bytes:
    return with_jpeg_size(packed("JPEG"), 4000, 4000)


def progressive_jpeg_that_lies_about_its_size() -> bytes:
    """The decoder of a progressive JPEG holds all coefficients in memory: here 600 MB."""
    return with_jpeg_size(packed("JPEG", progressive=True, subsampling=0), 9900, 9900)


def gif_of_a_large_screen() -> bytes:
    data = bytearray(packed("GIF"))
    data[6:10] = struct.pack("<HH", 60_000, 60_000)
    return bytes(data)


def bmp_of_900_megapixels() -> bytes:
    return with_bmp_size(30_000, 30_000)


def bmp_upside_down() -> bytes:
    """A negative height is allowed."""
    return with_bmp_size(256, -256)


def tiff_of_400_megapixels() -> bytes:
    return tiff(20_000, 20_000, 1)


def with_jpeg_size(data: bytes, width: int, height: int) -> bytes:
    for marker in (b"\xff\xc0", b"\xff\xc2"):
        at = data.find(marker)
        if at >= 0:
            return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]
    raise AssertionError("no frame header")


def with_bmp_size(width: int, height: int) -> bytes:
    data = bytearray(packed("BMP"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def tiff(width: int, height: int, strips: int, next_directory: int = 0) -> bytes:
    entries = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, strips, 8),
        (277, 3, 1, 1),
        (278, 4, 1, height),
        (279, 4, 1, 8),
    ]
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\x00" + struct.pack("<I", 8) + directory + struct.pack("<I", next_directory)


# Bombs: little that becomes much


def png_with_a_flood_of_pixels() -> bytes:
    """A hundred times more data than its size has room for."""
    return png(100, 100, chunk(b"IDAT", zeros(100 * 301 * 100)))


def png_with_a_text_bomb() -> bytes:
    bomb = b"Comment\x00\x00" + zeros(100 << 20)
    return png(64, 64, chunk(b"zTXt", bomb), chunk(b"IDAT", zeros(64 * 193)))


def png_with_a_profile_bomb() -> bytes:
    bomb = b"profile\x00\x00" + zeros(100 << 20)
    return png(64, 64, chunk(b"iCCP", bomb), chunk(b"IDAT", zeros(64 * 193)))


def gif_of_many_frames() -> bytes:
    frames = [Image.new("L", (64, 64), shade) for shade in range(250)]
    return packed("GIF", frames[0], save_all=True, append_images=frames[1:])


def tiff_of_many_strips() -> bytes:
    return tiff(64, 64, 2**31 - 1)


def tiff_that_comes_back_to_itself() -> bytes:
    return tiff(64, 64, 1, next_directory=8)


# Damage


def jpeg_that_breaks_off() -> bytes:
    data = packed("JPEG")
    return data[: len(data) // 2]


def jpeg_without_a_picture() -> bytes:
    return packed("JPEG")[:200]


def jpeg_with_much_after_it() -> bytes:
    return packed("JPEG") + bytes(100_000)


def jpeg_with_mad_exif() -> bytes:
    return packed("JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff" + bytes(range(256)))


def jpeg_with_a_mad_profile() -> bytes:
    return packed("JPEG", icc_profile=bytes(range(256)) * 100)


def jpeg_turned_in_an_unknown_way() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 99
    return packed("JPEG", exif=exif)


def png_that_breaks_off() -> bytes:
    data = packed("PNG")
    return data[: len(data) // 2]


def png_with_wrong_sums() -> bytes:
    return packed("PNG").replace(b"IDAT", b"IDAT", 1)[:-20] + bytes(20)


def png_without_data() -> bytes:
    return png(64, 64)


def webp_that_breaks_off() -> bytes:
    data = packed("WEBP")
    return data[: len(data) // 2]


def gif_that_breaks_off() -> bytes:
    data = packed("GIF")
    return data[: len(data) // 2]


# Shapes that cannot be painted


def a_single_pixel() -> bytes:
    return packed("PNG", Image.new("RGB", (1, 1)))


def a_thread() -> bytes:
    return packed("PNG", Image.new("RGB", (40, 4000)))


# Rare, but pictures


def one_bit() -> bytes:
    return packed("PNG", Image.new("1", (64, 64)))


def floating_point() -> bytes:
    picture = Image.new("F", (64, 64), float("nan"))
    return packed("TIFF", picture)


def sixteen_bit_gray() -> bytes:
    return png(64, 64, chunk(b"IDAT", zeros(64 * 129)), depth=16, color=0)


def cmyk() -> bytes:
    return packed("JPEG", Image.new("CMYK", (64, 64)))


def lab() -> bytes:
    return packed("TIFF", Image.new("LAB", (64, 64)))


MAKERS: tuple[tuple[Callable[[], bytes], str], ...] = (
    (empty, "not_a_picture"),
    (one_byte, "not_a_picture"),
    (text, "not_a_picture"),
    (page_with_script, "not_a_picture"),
    (archive, "not_a_picture"),
    (postscript, "not_a_picture"),
    (pdf, "not_a_picture"),
    (icon, "not_a_picture"),
    (heic, "unsupported_format not_a_picture"),  # it depends on whether pillow-heif is installed
    (png_of_3600_megapixels, "picture_too_large"),
    (png_of_the_largest_size, "picture_too_large"),
    (png_of_no_size, "not_a_picture broken_picture picture_too_small"),
    (png_just_too_large, "picture_too_large"),
    (jpeg_of_4295_megapixels, "picture_too_large"),
    (jpeg_that_lies_about_its_size, "broken_picture fine"),
    (progressive_jpeg_that_lies_about_its_size, "picture_too_large"),
    (gif_of_a_large_screen, "picture_too_large broken_picture"),
    (bmp_of_900_megapixels, "picture_too_large"),
    (bmp_upside_down, "fine"),
    (tiff_of_400_megapixels, "picture_too_large"),
    (png_with_a_flood_of_pixels, "fine broken_picture"),
    (png_with_a_text_bomb, "broken_picture fine"),
    (png_with_a_profile_bomb, "broken_picture fine"),
    (gif_of_many_frames, "fine"),
    (tiff_of_many_strips, "broken_picture not_a_picture"),
    (tiff_that_comes_back_to_itself, "fine broken_picture"),
    (jpeg_that_breaks_off, "broken_picture"),
    (jpeg_without_a_picture, "broken_picture not_a_picture"),
    (jpeg_with_much_after_it, "fine"),
    (jpeg_with_mad_exif, "fine broken_picture"),
    (jpeg_with_a_mad_profile, "fine"),
    (jpeg_turned_in_an_unknown_way, "fine"),
    (png_that_breaks_off, "broken_picture"),
    (png_with_wrong_sums, "broken_picture fine"),
    (png_without_data, "broken_picture not_a_picture"),
    (webp_that_breaks_off, "broken_picture not_a_picture"),
    (gif_that_breaks_off, "broken_picture"),
    (a_single_pixel, "picture_too_small"),
    (a_thread, "picture_too_narrow"),
    (one_bit, "fine"),
    (floating_point, "fine broken_picture"),
    (sixteen_bit_gray, "fine"),
    (cmyk, "fine"),
    (lab, "fine broken_picture"),
)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for nasty in corpus():
        (folder / nasty.name).write_bytes(nasty.data)


if __name__ == "__main__":
    main()
