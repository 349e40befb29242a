"""What Pillow does not tell of a picture file, or trips over: brands, chunks, metadata.

Only pixels decide whether a picture can be painted. Pillow refuses some for what stands beside
them, so that is what `without_metadata` leaves out. Nothing here decodes.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from PIL import ExifTags, Image

UPRIGHT: Final = 1
MAX_METADATA: Final = 4 << 20
"""Most bytes of texts and of a profile that are unpacked from a PNG; Pillow's own limit is below
what large profiles have."""
END_OF_JPEG: Final = b"\xff\xd9"

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8"
_EXIF: Final = b"Exif\0\0"
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_HEIF_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
)
"""ISO/IEC 23008-12, annex B; the last two say only that there are pictures in the container, and
Pillow's AVIF decoder and pillow-heif both accept them."""
_JXL_BOXES: Final = b"\0\0\0\x0cJXL \r\n\x87\n"
_JXL_STREAM: Final = b"\xff\x0a"

_PNG_SIZES: Final = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"cICP": 4}
"""Chunks that say which colors are meant, and the fewest bytes that they need."""
_PNG_PIXELS: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})

_JPEG_TABLES: Final = frozenset({*range(0xC0, 0xD0), *range(0xDB, 0xE0)})
"""Markers of frames and of what the decoder needs for them."""

_TIFF_PIXELS: Final = frozenset(
    {
        *range(256, 260),  # size, bits, compression
        *(262, 266, 273, 274, *range(277, 280), 284),  # photometric, strips, orientation, planes
        *(292, 293, 317, 320, *range(322, 326)),  # fax options, predictor, palette, tiles
        *(332, 334, *range(338, 342), 347),  # inks, alpha, sample format, JPEG tables
        *range(512, 522),  # JPEG as in TIFF 6.0
        *(529, 530, 531, 532, 34675),  # YCbCr, ICC profile
    }
)
"""Tags without which pixels or their colors cannot be read."""

_WEBP_PIXELS: Final = frozenset({b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP", b"EXIF"})
_WEBP_FLAGS: Final = {b"ICCP": 0x20, b"EXIF": 0x08}

_AVIF_METADATA: Final = re.compile(rb"infe(?:\x02.{3}.{2}|\x03.{3}.{4}).{2}(Exif|mime)", re.DOTALL)
"""Entries of an ISO container's table of items that hold EXIF or XMP (ISO/IEC 14496-12, 8.11.6)."""


_NCLX: Final = re.compile(rb"colrnclx(.{4})", re.DOTALL)
_MOST_HEADER: Final = 1 << 16
"""Bytes at the beginning of an ISO container in which its properties are looked for."""


class PngChunk(NamedTuple):
    kind: bytes
    body: bytes
    is_whole: bool
    """Whether its check sum is right."""


def orientation_of(exif: Image.Exif) -> int:
    """1 to 8 as in EXIF; 1 where the tag is missing or cannot be read. No other tag is read."""
    try:
        value = exif.get(ExifTags.Base.Orientation)
    except Exception:  # Pillow raises whatever the bytes provoke
        return UPRIGHT
    return value if isinstance(value, int) and 1 <= value <= 8 else UPRIGHT


def exif_saying(orientation: int) -> bytes:
    """EXIF with an orientation and nothing else; none for an upright picture."""
    if orientation == UPRIGHT:
        return b""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif.tobytes()


def iso_format(data: bytes) -> str | None:
    """AVIF or HEIF for an ISO container with pictures in one of them, whichever is its major brand.
    What says that it is AVIF among others is AVIF: Pillow reads that by itself."""
    if data[4:8] != b"ftyp":
        return None
    end = min(int.from_bytes(data[:4], "big"), 1024)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, end, 4))}
    if brands & _AVIF_BRANDS:
        return "AVIF"
    return "HEIF" if brands & _HEIF_BRANDS else None


def with_known_brand(data: bytes, kind: str) -> bytes:
    """An ISO container under a major brand by which Pillow's decoders take it."""
    known, brand = (
        (_AVIF_BRANDS | {b"mif1", b"msf1"}, b"avif") if kind == "AVIF" else (_HEIF_BRANDS, b"heic")
    )
    return data if data[8:12] in known else data[:8] + brand + data[12:]


def nclx(data: bytes) -> tuple[int, int] | None:
    """The code points of primaries and transfer in an ISO container (ISO/IEC 23091-2); Pillow and
    pillow-heif convert by the matrix only."""
    found = _NCLX.search(data, 0, _MOST_HEADER)
    return None if found is None else struct.unpack(">HH", found[1])


def is_jxl(data: bytes) -> bool:
    return data.startswith((_JXL_BOXES, _JXL_STREAM))


def jxl_size(data: bytes) -> tuple[int, int] | None:
    """Width and height from the header of a JPEG XL file, which pillow-jxl-plugin decodes as soon
    as it is opened; None where there is no header (ISO/IEC 18181-1, A.2 and 18181-2)."""
    stream = data if data.startswith(_JXL_STREAM) else _jxl_stream(data)
    if not stream.startswith(_JXL_STREAM):
        return None
    bits = int.from_bytes(stream[2:16].ljust(14, b"\0"), "little")

    def take(count: int) -> int:
        nonlocal bits
        value, bits = bits & ((1 << count) - 1), bits >> count
        return value

    is_small = take(1)

    def side() -> int:
        return (take(5) + 1) * 8 if is_small else take((9, 13, 18, 30)[take(2)]) + 1

    height = side()
    ratio = take(3)
    if ratio == 0:
        return side(), height
    across, down = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))[ratio - 1]
    return height * across // down, height


def _jxl_stream(data: bytes) -> bytes:
    """The beginning of the picture in a JPEG XL container."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        begin = at + 8
        if size == 1:
            size, begin = int.from_bytes(data[begin : begin + 8], "big"), begin + 8
        if kind in {b"jxlc", b"jxlp"}:
            begin += 4 if kind == b"jxlp" else 0
            return data[begin : begin + 16]
        if size < 8:
            break
        at += size
    return b""


def png_chunks(data: bytes) -> Iterator[PngChunk]:
    """The chunks of a PNG as far as they can be told apart; nothing for other files."""
    at = len(_PNG) if data.startswith(_PNG) else len(data)
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        body, check = data[at + 8 : at + 8 + size], data[at + 8 + size : at + 12 + size]
        yield PngChunk(kind, body, check == struct.pack(">I", zlib.crc32(kind + body)))
        at += 12 + size


def without_metadata(data: bytes, kind: str) -> bytes:
    """The same picture without what is beside its pixels, but for its orientation and the colors
    that are meant, where these can be read.

    Args:
        kind: Pillow's name of its format. Formats that are not known here are returned as they are.
    """
    strip = {
        "AVIF": _pixels_of_avif,
        "JPEG": _pixels_of_jpeg,
        "PNG": _pixels_of_png,
        "TIFF": _pixels_of_tiff,
        "WEBP": _pixels_of_webp,
    }.get(kind)
    return strip(data) if strip is not None else data


def format_of(data: bytes) -> str:
    """Pillow's name of the format that the first bytes tell, of those that `without_metadata`
    knows; else an empty string."""
    if data.startswith(_PNG):
        return "PNG"
    if data.startswith(_JPEG):
        return "JPEG"
    if data[:4] in {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"}:
        return "TIFF"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    return iso_format(data) or ""


def _bare_exif(exif: bytes) -> bytes:
    """EXIF of which nothing is left but a readable orientation."""
    read = Image.Exif()
    try:
        read.load(exif)
    except Exception:
        return b""
    return exif_saying(orientation_of(read))


def _pixels_of_png(data: bytes) -> bytes:
    parts = [_PNG]
    for kind, body, is_whole in png_chunks(data):
        if kind == b"eXIf":
            kept = _bare_exif(body).removeprefix(_EXIF)
        elif kind in _PNG_PIXELS or (is_whole and _says_colors(kind, body)):
            kept = body
        else:
            continue
        if kept or kind == b"IEND":
            check = zlib.crc32(kind + kept)
            parts.append(struct.pack(">I4s", len(kept), kind) + kept + struct.pack(">I", check))
    return b"".join(parts)


def _says_colors(kind: bytes, body: bytes) -> bool:
    """Whether it is a chunk about colors that Pillow can read."""
    if kind == b"iCCP":
        _, _, packed = body.partition(b"\0")
        return packed.startswith(b"\0") and _unpacks_to(packed[1:], MAX_METADATA)
    return kind in _PNG_SIZES and len(body) >= _PNG_SIZES[kind]


def _unpacks_to(packed: bytes, most: int) -> bool:
    """Whether it is sound, and holds no more than so many bytes."""
    inflate = zlib.decompressobj()
    try:
        inflate.decompress(packed, most)
    except zlib.error:
        return False
    return inflate.eof


def _pixels_of_jpeg(data: bytes) -> bytes:
    """Drops the segments APPn and COM but for JFIF and Adobe, by which the decoder knows the color
    space, EXIF and profile (ITU-T T.81, B.1; ICC.1, B.4). Where no segment is, the next is looked
    for, as decoders do."""
    parts, at = [_JPEG], 2
    while at + 4 <= len(data):
        marker, end = data[at + 1], _end_of_segment(data, at)
        if marker == 0xDA and end is not None:  # pixels follow
            break
        if end is None:
            at += 1
            continue
        body, at = data[at + 4 : end], end
        if marker == 0xE1 and body.startswith(_EXIF):
            body = _bare_exif(body)
        is_kept = (
            marker in _JPEG_TABLES
            or (marker == 0xE0 and body.startswith(b"JFIF\0") and len(body) >= 14)
            or (marker == 0xE1 and body.startswith(_EXIF))
            or (marker == 0xE2 and body.startswith(b"ICC_PROFILE\0") and len(body) >= 14)
            or (marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12)
        )
        if is_kept:
            parts.append(struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body)
    return b"".join([*parts, data[at:]])


def _end_of_segment(data: bytes, at: int) -> int | None:
    """Where the segment that begins there ends; None if none does, or no other follows it."""
    marker, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
    if data[at] != 0xFF or not 0xC0 <= marker <= 0xFE or size < 2:
        return None
    end = at + 2 + size
    return end if marker == 0xDA or data[end : end + 1] == b"\xff" else None


def _pixels_of_tiff(data: bytes) -> bytes:
    """Moves the entries of the first directory together that are about pixels; positions in the
    file stay what they were (TIFF 6.0, section 2, and BigTIFF)."""
    order = "<" if data.startswith(b"II") else ">"
    is_big = data[2:4] in {b"+\0", b"\0+"}
    pointer, count, entry = ("Q", "Q", "HHQ8s") if is_big else ("I", "H", "HHI4s")
    (start,) = struct.unpack_from(order + pointer, data, 8 if is_big else 4)
    (entries,) = struct.unpack_from(order + count, data, start)
    first, length = start + struct.calcsize("=" + count), struct.calcsize("=" + entry)
    table = [
        data[at : at + length]
        for at in range(first, min(first + entries * length, len(data)), length)
    ]
    kept = [each for each in table if struct.unpack(order + "H", each[:2])[0] in _TIFF_PIXELS]
    # A position of 0 says that no directory follows: the first is the only one that is painted.
    directory = struct.pack(order + count, len(kept)) + b"".join(kept) + bytes(8 if is_big else 4)
    return data[:start] + directory + data[start + len(directory) :]


def _pixels_of_webp(data: bytes) -> bytes:
    """The chunks with pixels, profile and orientation, in a container that holds just these (RFC
    9649, section 2.7)."""
    chunks: dict[bytes, bytes] = {}
    frames, at = [], 12
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, at)
        body = data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
        if kind == b"EXIF":
            body = _bare_exif(body)
        if kind == b"VP8X":
            chunks[kind] = body
        elif kind in _WEBP_PIXELS and body:
            chunks.setdefault(kind, body)
            frames.append((kind, body))
    if header := chunks.get(b"VP8X"):
        others = header[0] & ~0x2C  # profile, EXIF and XMP are there if they are
        flags = sum(flag for kind, flag in _WEBP_FLAGS.items() if kind in chunks)
        frames.insert(0, (b"VP8X", bytes([others | flags]) + header[1:]))
    packed = b"".join(
        struct.pack("<4sI", kind, len(body)) + body + bytes(len(body) % 2) for kind, body in frames
    )
    return b"RIFF" + struct.pack("<I", len(packed) + 4) + b"WEBP" + packed


def _pixels_of_avif(data: bytes) -> bytes:
    """Calls the items with EXIF and XMP by a name under which nobody looks for them. A picture is
    turned by properties of its own."""
    changed = bytearray(data)
    for found in _AVIF_METADATA.finditer(data):
        changed[slice(*found.span(1))] = b"skip"
    return bytes(changed)
