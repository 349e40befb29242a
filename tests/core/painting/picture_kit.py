"""Small pictures with everything beside their pixels that a file can have."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageCms

from impasto.painting.color_spaces import Primaries, matrix_profile

SIZE = (96, 64)
DISPLAY_P3: Primaries = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
STORED_AS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How an upright picture lies in a file of each EXIF orientation."""


def corners() -> Image.Image:
    """Four colors, so that no turn and no mirroring looks like another."""
    picture = Image.new("RGB", SIZE, (200, 30, 30))
    width, height = SIZE
    picture.paste((30, 200, 30), (width // 2, 0, width, height // 2))
    picture.paste((30, 30, 200), (0, height // 2, width // 2, height))
    picture.paste((220, 220, 30), (width // 2, height // 2, width, height))
    return picture


def lying(orientation: int) -> Image.Image:
    how = STORED_AS[orientation]
    return corners() if how is None else corners().transpose(how)


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Camera"
    exif[ExifTags.Base.XResolution] = 72.0
    exif[ExifTags.Base.Orientation] = orientation
    return exif


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    rows: bytes, *chunks: bytes, depth: int, color: int, size: tuple[int, int] = (64, 64)
) -> bytes:
    """A PNG of one row repeated; color 0 is gray, 2 is RGB, 3 has a palette."""
    header = struct.pack(">IIBBBBB", *size, depth, color, 0, 0, 0)
    pixels = zlib.compress((b"\0" + rows) * size[1])
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            png_chunk(b"IHDR", header),
            *chunks,
            png_chunk(b"IDAT", pixels),
            png_chunk(b"IEND", b""),
        ]
    )


def png_with(data: bytes, *chunks: bytes) -> bytes:
    """A PNG with more chunks behind its header."""
    return data[:33] + b"".join(chunks) + data[33:]


def jpeg_with(data: bytes, *segments: tuple[int, bytes]) -> bytes:
    """A JPEG with more segments at its beginning, by marker and body."""
    more = (struct.pack(">BBH", 0xFF, kind, len(body) + 2) + body for kind, body in segments)
    return data[:2] + b"".join(more) + data[2:]


def tiff(values: np.ndarray, photometric: int = 1, *tags: tuple[int, int, int, bytes]) -> bytes:
    """A gray TIFF of such values in one strip.

    Args:
        photometric: 0 where zero is white.
        tags: more of them, each as its number, type, count and bytes.
    """
    height, width = values.shape
    pixels = values.astype(values.dtype.newbyteorder("<")).tobytes()
    kind = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    shorts = {
        256: width,
        257: height,
        258: values.dtype.itemsize * 8,
        259: 1,
        262: photometric,
        273: 8,
        277: 1,
        278: height,
        339: kind,
    }
    entries = [(tag, 3, 1, struct.pack("<HH", value, 0)) for tag, value in shorts.items()]
    entries.append((279, 4, 1, struct.pack("<I", len(pixels))))
    directory, beside = b"", b""
    after = 8 + len(pixels) + 2 + 12 * (len(entries) + len(tags)) + 4
    for tag, type_, count, body in sorted([*entries, *tags]):
        value = body
        if len(body) > 4:
            value = struct.pack("<I", after + len(beside))
            beside += body
        directory += struct.pack("<HHI", tag, type_, count) + value.ljust(4, b"\0")
    start = struct.pack("<2sHI", b"II", 42, 8 + len(pixels))
    count = struct.pack("<H", len(entries) + len(tags))
    return start + pixels + count + directory + bytes(4) + beside


def p3_profile() -> bytes:
    profile = matrix_profile(DISPLAY_P3, lambda signal: signal**2.2)
    assert profile is not None
    ImageCms.ImageCmsProfile(io.BytesIO(profile))  # LittleCMS reads it
    return profile


def gray_profile(gamma: float) -> bytes:
    """A profile of a gray channel whose light is its value to this power."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    start = 128 + 4 + 2 * 12
    table = struct.pack(">I", 2) + struct.pack(">4sII", b"kTRC", start, 14)
    table += struct.pack(">4sII", b"wtpt", start + len(curve), len(white))
    body = table + curve + white
    header = struct.pack(">I4sI", 128 + len(body), b"", 0x02400000) + b"mntrGRAYXYZ " + bytes(12)
    header += b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + body
