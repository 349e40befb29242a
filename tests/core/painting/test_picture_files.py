"""Files as cameras, phones and editors write them: upright, and whole whatever stands beside the
pixels."""

from __future__ import annotations

import itertools
import random
import struct
import sys
import types
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from impasto.errors import PictureError
from impasto.painting.picture_files import jxl_size
from impasto.painting.pictures import FORMATS, MAX_PIXELS, open_picture

from .conftest import SHARED
from .picture_kit import (
    SIZE,
    corners,
    encoded,
    exif_of,
    jpeg_with,
    lying,
    p3_profile,
    png_chunk,
    png_with,
    tiff,
)

needs_avif = pytest.mark.skipif("AVIF" not in FORMATS, reason="this Pillow has no AVIF")
SAVED_AS = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "PNG": {},
    "WEBP": {"lossless": True},
    "AVIF": {"quality": 95, "subsampling": "4:4:4"},
    "TIFF": {},
    "TIFF of libtiff": {"compression": "tiff_lzw"},
    "MPO": {"quality": 95, "subsampling": 0},
}
KINDS = [pytest.param(kind, marks=needs_avif if kind == "AVIF" else ()) for kind in SAVED_AS]
SEEN = 12
"""Most that a channel may differ: enough for lossy formats, less than between any two colors."""


def saved(kind: str, picture: Image.Image, **options: object) -> bytes:
    if kind == "MPO":
        options = {"save_all": True, "append_images": [picture], **options}
    return encoded(picture, kind.split(maxsplit=1)[0], **SAVED_AS[kind], **options)


def is_the_picture(data: bytes, most: int = SEEN) -> bool:
    upright = ImageOps.exif_transpose(open_picture(data))
    difference = np.abs(np.asarray(upright, int) - np.asarray(corners(), int))
    return upright.size == SIZE and float(np.percentile(difference, 95)) <= most


class TestOrientation:
    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("kind", KINDS)
    def test_pictures_stand_as_they_were_taken(self, kind: str, orientation: int) -> None:
        data = saved(kind, lying(orientation), exif=exif_of(orientation))
        assert is_the_picture(data)

    @pytest.mark.parametrize(
        "kind", [kind for kind in SAVED_AS if kind not in {"AVIF", "TIFF of libtiff"}]
    )
    @pytest.mark.parametrize("wrong", [0, 9, 255])
    def test_an_orientation_that_there_is_not_turns_nothing(self, kind: str, wrong: int) -> None:
        assert is_the_picture(saved(kind, corners(), exif=exif_of(wrong)))

    @pytest.mark.parametrize("orientation", [1, 6])
    def test_nothing_but_the_orientation_is_handed_on(self, orientation: int) -> None:
        picture = open_picture(saved("JPEG", corners(), exif=exif_of(orientation)))
        assert dict(picture.getexif()) == ({274: 6} if orientation == 6 else {})

    def test_xmp_does_not_turn_a_tiff_once_more(self) -> None:
        xmp = b'<x:xmpmeta tiff:Orientation="6"/>'
        values = np.arange(64 * 96, dtype=np.uint8).reshape(64, 96)
        data = tiff(values, 1, (274, 3, 1, b"\6\0\0\0"), (700, 1, len(xmp), xmp))
        assert ImageOps.exif_transpose(open_picture(data)).size == (64, 96)


ODD_ENTRIES = [
    (0x0112, 2, 2, b"6\0\0\0"),  # the orientation as text
    (0x0112, 5, 1, bytes(8)),  # as nothing by nothing
    (0x010F, 5, 1, struct.pack("<II", 1, 0)),
    (0x011A, 10, 1, struct.pack("<ii", -1, 3)),
    (0x011A, 2, 4, b"abc\0"),
    (0x011A, 5, 1, bytes(8)),
    (0x0128, 5, 1, bytes(8)),
    (0x0213, 4, 1, b"\xff\xff\xff\xff"),
    (0x8769, 4, 1, b"\xff\xff\xff\x7f"),  # a directory behind the end
    (0x8825, 4, 1, b"\x08\0\0\0"),  # a directory in itself
    (0x9999, 99, 1, b"\xff\xff\xff\xff"),  # an unknown type
    (0x0131, 7, 2**31, b"\xff\xff\xff\xff"),
]


def odd_exif(*entries: tuple[int, int, int, bytes]) -> bytes:
    """EXIF of such entries: tag, type, count, and the value or what does not fit there."""
    directory, beside, after = b"", b"", 8 + 2 + 12 * len(entries) + 4
    for tag, kind, count, body in entries:
        value = body
        if len(body) > 4:
            value = struct.pack("<I", after + len(beside))
            beside += body
        directory += struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")
    count = struct.pack("<H", len(entries))
    return b"Exif\0\0II*\0\x08\0\0\0" + count + directory + bytes(4) + beside


class TestMetadata:
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    @pytest.mark.parametrize("entry", ODD_ENTRIES)
    def test_odd_exif_is_harmless(self, kind: str, entry: tuple[int, int, int, bytes]) -> None:
        assert is_the_picture(saved(kind, corners(), exif=odd_exif(entry)))
        if entry[0] != 0x0112:
            turned = odd_exif((0x0112, 3, 1, b"\6\0\0\0"), entry)
            assert is_the_picture(saved(kind, lying(6), exif=turned))

    @pytest.mark.parametrize("entry", ODD_ENTRIES)
    def test_odd_tags_of_a_tiff_are_harmless(self, entry: tuple[int, int, int, bytes]) -> None:
        gray = np.asarray(corners().convert("L"))
        assert np.array_equal(np.asarray(open_picture(tiff(gray, 1, entry)))[..., 0], gray)

    @pytest.mark.parametrize(
        "chunk",
        [
            png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(6 << 20))),
            png_chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(bytes(6 << 20))),
            png_chunk(b"tEXt", b"Comment\0" + bytes(6 << 20)),
            png_chunk(b"zTXt", b"Comment\0\7nonsense"),
            png_chunk(b"iCCP", b"P3\0\0" + zlib.compress(bytes(6 << 20))),
            png_chunk(b"iCCP", b"P3\0\7nonsense"),
            png_chunk(b"iCCP", b""),
            png_chunk(b"eXIf", b"nonsense"),
            png_chunk(b"pHYs", b"\0"),
            png_chunk(b"gAMA", b"\0"),
            png_chunk(b"gAMA", bytes(4)),
            png_chunk(b"gAMA", b"\xff\xff\xff\xff"),
            png_chunk(b"cHRM", b"\0"),
            png_chunk(b"cHRM", bytes(32)) + png_chunk(b"gAMA", struct.pack(">I", 45455)),
            png_chunk(b"sRGB", b""),
            png_chunk(b"cICP", b"\1"),
            png_chunk(b"cICP", b"\xff\xff\0\1"),
            png_chunk(b"acTL", b""),
            png_chunk(b"acTL", struct.pack(">II", 5, 0)) + png_chunk(b"fcTL", bytes(26)),
            png_chunk(b"tIME", b"now")[:-1] + b"!",  # a wrong check sum
        ],
    )
    def test_chunks_of_a_png_are_harmless(self, chunk: bytes) -> None:
        turned = saved("PNG", lying(6), exif=exif_of(6))
        assert is_the_picture(png_with(turned, chunk), most=0)

    @pytest.mark.parametrize(
        "name",
        ["transparency", "icc_profile", "gamma", "chromaticity", "cicp", "bits", "exif", "xmp"],
    )
    def test_a_text_of_a_png_is_no_statement(self, name: str) -> None:
        """Pillow keeps texts among its own facts."""
        turned = saved("PNG", lying(6), exif=exif_of(6))
        text = png_chunk(b"tEXt", name.encode() + b"\0nonsense")
        gamma = png_chunk(b"gAMA", struct.pack(">I", 45455))
        assert is_the_picture(png_with(turned, gamma, text), most=0)

    @pytest.mark.parametrize(
        "segment",
        [
            (0xE0, b"JFIF"),
            (0xE0, b"JFIF\0\1\1\1"),
            (0xE1, b"http://ns.adobe.com/xap/1.0/\0nonsense"),
            (0xE2, b"ICC_PROFILE\0"),
            (0xE2, b"ICC_PROFILE\0\2\1nonsense"),
            (0xE2, b"MPF\0II*\0\x08\0\0\0\1\0\1\xb0\4\0\1\0\0\0\2\0\0\0\0\0\0\0"),
            (0xE2, b"MPF\0nonsense"),
            (0xED, b"Photoshop 3.0\x008BIM\4\4\xff\xff"),
            (0xEE, b"Adobe"),
            (0xFE, bytes(range(256))),
        ],
    )
    def test_segments_of_a_jpeg_are_harmless(self, segment: tuple[int, bytes]) -> None:
        turned = saved("JPEG", lying(6), exif=exif_of(6))
        assert is_the_picture(jpeg_with(turned, segment))

    @pytest.mark.parametrize("size", [0, 1, 2, 8, 30, 70, 300, 0x7FFF, 0xFFFF])
    @pytest.mark.parametrize("marker", [b"\xff\xe0", b"\xff\xe2", b"\xff\xfe"])
    def test_segments_of_a_jpeg_with_a_wrong_length(self, marker: bytes, size: int) -> None:
        data = saved("JPEG", corners(), icc_profile=p3_profile()[:200], comment=bytes(64))
        at = data.index(marker)
        assert is_the_picture(data[: at + 2] + struct.pack(">H", size) + data[at + 4 :])

    def test_a_webp_that_breaks_off_in_its_metadata(self) -> None:
        data = saved("WEBP", lying(6), exif=exif_of(6), xmp=bytes(1000))
        assert is_the_picture(data[:-300])

    def test_a_large_profile_of_a_png_counts(self) -> None:
        profile = p3_profile() + random.Random(0).randbytes(2 << 20)
        picture = Image.new("RGB", SIZE, (0, 200, 0))
        [red, green, _] = open_picture(encoded(picture, "PNG", icc_profile=profile)).getpixel(
            (0, 0)
        )
        assert (red, green) == (0, 205)


class TestEndOfJpeg:
    @pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}])
    def test_only_the_end_marker_is_missing(self, options: dict[str, object]) -> None:
        data = saved("JPEG", corners(), **options)
        assert data.endswith(b"\xff\xd9")
        assert is_the_picture(data[:-2])
        assert is_the_picture(data[:-1])

    @pytest.mark.parametrize("share", [0.4, 0.6, 0.9, 0.98])
    @pytest.mark.parametrize("wanted", [None, 1024])
    def test_a_picture_that_breaks_off_before_is_damaged(
        self, share: float, wanted: int | None
    ) -> None:
        data = encoded(Image.effect_noise((640, 480), 60), "JPEG")
        with pytest.raises(PictureError) as caught:
            open_picture(data[: int(len(data) * share)], wanted)
        assert caught.value.code == "broken_picture"


def with_brands(data: bytes, major: bytes, *compatible: bytes) -> bytes:
    """An ISO container under other brands; positions in it are moved to where they are then."""
    old = int.from_bytes(data[:4], "big")
    brands = b"".join(compatible).ljust(old - 16, b"\0")[: old - 16]
    return data[:4] + b"ftyp" + major + bytes(4) + brands + data[old:]


class TestBrands:
    @needs_avif
    @pytest.mark.parametrize("major", [b"avif", b"mif1", b"msf1", b"miaf", b"MA1B", b"heix"])
    def test_avif_among_the_brands_is_avif(self, major: bytes) -> None:
        data = with_brands(saved("AVIF", corners()), major, b"mif1", b"avif", b"miaf")
        assert is_the_picture(data)

    @pytest.mark.parametrize(
        "major",
        [b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"],
    )
    def test_heif_gets_its_sentence(self, major: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pillow_heif", None)
        self.assert_heic(b"\0\0\0\x18ftyp" + major + bytes(4) + b"mif1miaf" + bytes(100))

    def test_heif_is_known_by_any_of_its_brands(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pillow_heif", None)
        self.assert_heic(b"\0\0\0\x1cftypMiHE" + bytes(4) + b"miafheicMiHE" + bytes(100))

    @pytest.mark.parametrize("kind", [b"isom", b"mp42", b"qt  "])
    def test_a_film_is_no_picture(self, kind: bytes) -> None:
        with pytest.raises(PictureError) as caught:
            open_picture(b"\0\0\0\x18ftyp" + kind + bytes(4) + b"isommp41" + bytes(100))
        assert caught.value.code == "not_a_picture"

    @staticmethod
    def assert_heic(data: bytes) -> None:
        with pytest.raises(PictureError) as caught:
            open_picture(data)
        assert caught.value.code == "unsupported_format"
        assert "HEIC" in str(caught.value)


class TestOptionalFormats:
    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_heic_is_read_where_pillow_heif_is_installed(self, orientation: int) -> None:
        heif = pytest.importorskip("pillow_heif", exc_type=ImportError)
        if not heif.libheif_info()["HEIF"]:
            pytest.skip("it cannot write")
        heif.register_heif_opener()
        exif = exif_of(orientation).tobytes()
        data = encoded(lying(orientation), "HEIF", quality=95, exif=exif)
        assert is_the_picture(data)
        assert is_the_picture(with_brands(data, b"MiHE", b"mif1", b"heic"))

    def test_jpeg_xl_is_read_where_its_plugin_is_installed(self) -> None:
        pytest.importorskip("pillow_jxl", exc_type=ImportError)
        data = encoded(corners(), "JXL", quality=95)
        assert jxl_size(data) == SIZE
        assert is_the_picture(data)
        assert is_the_picture(encoded(corners(), "JXL", quality=95, use_container=True))

    @pytest.mark.parametrize("size", [(96, 64), (32, 400), (500, 300), (513, 9000), (5000, 3000)])
    def test_the_size_of_jpeg_xl_is_known_from_its_header(self, size: tuple[int, int]) -> None:
        pytest.importorskip("pillow_jxl", exc_type=ImportError)
        for container in (False, True):
            data = encoded(Image.new("L", size), "JXL", effort=1, use_container=container)
            assert jxl_size(data) == size

    def test_jpeg_xl_too_large_is_refused_before_it_is_decoded(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "pillow_jxl", types.ModuleType("pillow_jxl"))
        # Not small, 30 bits for the height less 1, no ratio, 30 bits for the width less 1.
        header = (0 | 3 << 1 | (59_999 << 3) | 0 << 33 | 3 << 36 | (59_999 << 38)).to_bytes(
            12, "little"
        )
        for data in (b"\xff\x0a" + header, jxl_container(b"\xff\x0a" + header)):
            with pytest.raises(PictureError) as caught:
                open_picture(data)
            assert caught.value.code == "picture_too_large"
        assert MAX_PIXELS < 60_000**2

    @pytest.mark.parametrize(
        "data", [b"\xff\x0a" + bytes(50), b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(50)]
    )
    def test_jpeg_xl_gets_its_sentence(self, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pillow_jxl", None)
        with pytest.raises(PictureError, match="JPEG XL") as caught:
            open_picture(data)
        assert caught.value.code == "unsupported_format"


def jxl_container(stream: bytes) -> bytes:
    boxes = [(b"ftyp", b"jxl \0\0\0\0jxl "), (b"Exif", bytes(40)), (b"jxlp", bytes(4) + stream)]
    packed = (struct.pack(">I4s", len(body) + 8, kind) + body for kind, body in boxes)
    return b"\0\0\0\x0cJXL \r\n\x87\n" + b"".join(packed)


class TestDamage:
    """Everything but pixels is damaged, and the picture is expected."""

    @settings(max_examples=150, deadline=None)
    @given(
        kind=st.sampled_from(["JPEG", "PNG", "WEBP"]),
        exif=st.binary(min_size=1, max_size=300),
        profile=st.binary(min_size=1, max_size=300),
        others=st.lists(st.tuples(st.integers(0, 20), st.binary(max_size=60)), max_size=4),
        tail=st.binary(max_size=40),
    )
    def test_metadata_of_any_bytes(
        self,
        kind: str,
        exif: bytes,
        profile: bytes,
        others: list[tuple[int, bytes]],
        tail: bytes,
    ) -> None:
        data = saved(kind, corners(), exif=b"Exif\0\0" + exif, icc_profile=profile)
        if kind == "PNG":
            names = (
                b"zTXt",
                b"iTXt",
                b"tEXt",
                b"eXIf",
                b"pHYs",
                b"gAMA",
                b"cHRM",
                b"sRGB",
                b"iCCP",
            )
            data = png_with(
                data, *(png_chunk(names[choice % len(names)], body) for choice, body in others)
            )
        elif kind == "JPEG":
            markers = [marker for marker in (*range(0xE0, 0xF0), 0xFE) if marker != 0xEE]
            data = jpeg_with(
                data, *((markers[choice % len(markers)], body) for choice, body in others)
            )
        assert is_the_picture(data + tail, most=255 if is_gamma_told(kind, others) else SEEN)

    @settings(max_examples=150, deadline=None)
    @given(
        kind=st.sampled_from(["JPEG", "PNG", "WEBP", *(["AVIF"] if "AVIF" in FORMATS else [])]),
        places=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1),
    )
    def test_metadata_with_changed_bytes(self, kind: str, places: list[tuple[int, int]]) -> None:
        exif = exif_of(1).tobytes()
        data = bytearray(saved(kind, corners(), exif=exif, xmp=b"<x:xmpmeta/>" * 9))
        marks = [exif[6:], b"<x:xmpmeta/>" * 9]
        spans = [(at, at + len(mark)) for mark in marks if (at := data.find(mark)) >= 0]
        assert spans
        free = list(itertools.chain.from_iterable(range(*span) for span in spans))
        for place, value in places:
            data[free[place % len(free)]] = value
        if kind == "PNG":
            data = bytearray(with_check_sums(bytes(data)))
        # The orientation itself may have been changed: then another is right.
        upright = ImageOps.exif_transpose(open_picture(bytes(data)))
        assert sorted(upright.size) == sorted(SIZE)
        shades = np.asarray(upright, int).mean((0, 1))
        assert np.abs(shades - np.asarray(corners(), int).mean((0, 1))).max() < SEEN

    @settings(max_examples=150, deadline=None)
    @given(
        tags=st.lists(
            st.tuples(
                st.sampled_from(
                    [
                        270,
                        271,
                        272,
                        282,
                        283,
                        296,
                        305,
                        306,
                        315,
                        700,
                        33432,
                        34377,
                        34665,
                        34853,
                        50000,
                    ]
                ),
                st.integers(0, 20),
                st.integers(0, 2**32 - 1),
                st.binary(max_size=40),
            ),
            max_size=6,
            unique_by=lambda tag: tag[0],
        )
    )
    def test_tags_of_a_tiff_of_any_kind(self, tags: list[tuple[int, int, int, bytes]]) -> None:
        gray = np.asarray(corners().convert("L"))
        assert np.array_equal(np.asarray(open_picture(tiff(gray, 1, *tags)))[..., 0], gray)


def is_gamma_told(kind: str, others: list[tuple[int, bytes]]) -> bool:
    """Whether the junk is a valid statement about other colors."""
    return kind == "PNG" and any(choice % 9 in {5, 6} and len(body) >= 4 for choice, body in others)


def with_check_sums(data: bytes) -> bytes:
    parts, at = [data[:8]], 8
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        parts.append(png_chunk(data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    return b"".join(parts)


CASES = SHARED / "cases" / "pictures"
RIGHT: dict[str, Callable[[Image.Image], bool]] = {
    "p3_palette.png": lambda picture: picture.getpixel((9, 9)) == (0, 205, 0),
    "adobe_palette.png": lambda picture: picture.getpixel((9, 9)) == (0, 201, 37),
    "gray1_L_tRNS.png": lambda picture: picture.getpixel((9, 9)) == (133, 133, 133),
    "g16_trns.png": lambda picture: picture.getextrema() == ((255, 255),) * 3,
    "g4_trns.png": lambda picture: picture.getextrema() == ((255, 255),) * 3,
    "minwhite16.tif": lambda picture: picture.getextrema() == ((236, 236),) * 3,
    "f32_inf.tif": lambda picture: picture.histogram()[64] == picture.width * picture.height - 1,
    "sty_alpha.png": lambda picture: picture.getpixel((60, 60)) == (255, 255, 255),
    "sty_g16.png": lambda picture: picture.getpixel((60, 60)) == (78, 78, 78),
    "sty_p3.jpg": lambda picture: picture.getpixel((60, 60)) == (220, 0, 0),
}


@pytest.mark.skipif(not CASES.is_dir(), reason="there are no cases beside this repository")
def test_cases_kept_beside_this_repository_are_right() -> None:
    upright = open_picture(CASES / "upright.png")
    for file in sorted(CASES.iterdir()):
        picture = ImageOps.exif_transpose(open_picture(file))
        assert RIGHT.get(file.name, lambda _: True)(picture), file.name
        if file.suffix == ".tif" and file.name.startswith("orient"):
            assert picture.tobytes() == upright.tobytes(), file.name
