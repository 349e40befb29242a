"""Colors and transparency as a viewer shows them, whatever mode, depth and profile a file has."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from impasto.painting.pictures import FORMATS, open_picture

from .picture_kit import encoded, gray_profile, p3_profile, png, png_chunk, tiff

COLOR = (150, 120, 100)
WHITE = (255, 255, 255)
P3_TO_SRGB = np.array([[1.2249, -0.2247, 0], [-0.0420, 1.0419, 0], [-0.0197, -0.0786, 1.0979]])
"""Of linear light (CSS Color 4, section 10.7)."""
BT2020_TO_SRGB = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
)


def srgb(light: float | np.ndarray) -> np.ndarray:
    """Values of 0 to 255 for linear light of 0 to 1."""
    light = np.clip(light, 0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def light_of(values: tuple[int, ...]) -> np.ndarray:
    signal = np.array(values) / 255
    return np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)


def shows(data: bytes, expected: object, most: float = 1.5) -> bool:
    """Whether it is of one color, and of which."""
    values = np.asarray(open_picture(data), float).reshape(-1, 3)
    return float(np.abs(values - np.asarray(expected)).max()) <= most


def plain(mode: str = "RGB", color: object = COLOR) -> Image.Image:
    return Image.new(mode, (64, 64), color)


def rgb_png(*chunks: bytes, color: tuple[int, int, int] = COLOR) -> bytes:
    return png(bytes(color) * 64, *chunks, depth=8, color=2)


class TestProfiles:
    expected = srgb(P3_TO_SRGB @ (np.array(COLOR) / 255) ** 2.2)

    def test_an_rgb_picture(self) -> None:
        assert shows(encoded(plain(), "PNG", icc_profile=p3_profile()), self.expected)

    @pytest.mark.parametrize("kind", ["PNG", "TIFF"])
    def test_a_palette(self, kind: str) -> None:
        assert shows(encoded(plain().quantize(2), kind, icc_profile=p3_profile()), self.expected)

    @pytest.mark.parametrize("transparency", [1, b"\xff\0"])
    def test_a_palette_with_transparency(self, transparency: object) -> None:
        palette = Image.new("P", (64, 64), 0)
        palette.putpalette([*COLOR, 0, 0, 0])
        data = encoded(palette, "PNG", icc_profile=p3_profile(), transparency=transparency)
        assert shows(data, self.expected)

    @pytest.mark.parametrize("mode", ["1", "L", "I;16"])
    def test_a_gray_picture_in_an_rgb_space(self, mode: str) -> None:
        white = {"1": 1, "L": 255, "I;16": 65535}[mode]
        shade = white if mode == "1" else round(white * 0.5)
        data = encoded(plain(mode, shade), "PNG", icc_profile=p3_profile())
        assert shows(data, [srgb((shade / white) ** 2.2)] * 3)

    @pytest.mark.parametrize("how", ["L", "L with tRNS", "LA", "I;16"])
    def test_a_gray_profile(self, how: str) -> None:
        profile = gray_profile(1.0)
        options = {"transparency": 7} if how == "L with tRNS" else {}
        mode = how.split(maxsplit=1)[0]
        picture = plain(mode, {"L": 60, "LA": (60, 255), "I;16": 60 * 257}[mode])
        data = encoded(picture, "PNG", icc_profile=profile, **options)
        assert shows(data, [srgb(60 / 255)] * 3)

    @pytest.mark.parametrize("alpha", [65535, 0])
    def test_a_gray_profile_on_16_bits_with_transparency(self, alpha: int) -> None:
        packed = b"gray\0\0" + zlib.compress(gray_profile(1.0))
        row = struct.pack(">HH", 60 * 257, alpha) * 64
        data = png(row, png_chunk(b"iCCP", packed), depth=16, color=4)
        assert shows(data, [srgb(60 / 255)] * 3 if alpha else WHITE)

    def test_transparency_is_laid_on_white_after_the_profile(self) -> None:
        half = plain("LA", (60, 128))
        expected = 255 + (srgb(60 / 255) - 255) * 128 / 255
        assert shows(encoded(half, "PNG", icc_profile=gray_profile(1.0)), [expected] * 3)

    @pytest.mark.parametrize("profile", [b"junk", gray_profile(1.0), bytes(300)])
    def test_a_profile_that_does_not_fit_is_ignored(self, profile: bytes) -> None:
        assert shows(encoded(plain(), "PNG", icc_profile=profile), COLOR, 0)


class TestStatementsOfPng:
    p3 = srgb(P3_TO_SRGB @ light_of(COLOR))

    def test_code_points(self) -> None:
        assert shows(rgb_png(png_chunk(b"cICP", b"\x0c\x0d\0\1")), self.p3)
        for srgb_like in (b"\1\x0d\0\1", b"\1\1\0\1", b"\2\2\0\1"):
            assert shows(rgb_png(png_chunk(b"cICP", srgb_like)), COLOR, 0)

    def test_code_points_win_over_all_others(self) -> None:
        gamma = png_chunk(b"gAMA", struct.pack(">I", 100_000))
        assert shows(rgb_png(png_chunk(b"cICP", b"\x0c\x0d\0\1"), gamma), self.p3)
        assert shows(rgb_png(png_chunk(b"cICP", b"\1\x0d\0\1"), gamma), COLOR, 0)

    def test_hdr(self) -> None:
        """58 % is 203 nits in PQ, the white of a page; 75 % is it in HLG (ITU-R BT.2408)."""
        for transfer, signal in ((b"\x10", 0.5807), (b"\x12", 0.75)):
            chunk = png_chunk(b"cICP", b"\x09" + transfer + b"\0\1")
            assert shows(rgb_png(chunk, color=(round(signal * 255),) * 3), WHITE, 2)
            assert shows(rgb_png(chunk, color=(255, 255, 255)), WHITE)
            assert shows(rgb_png(chunk, color=(0, 0, 0)), (0, 0, 0))

    def test_linear_bt2020(self) -> None:
        expected = srgb(BT2020_TO_SRGB @ (np.array(COLOR) / 255))
        assert shows(rgb_png(png_chunk(b"cICP", b"\x09\x08\0\1")), expected)

    @pytest.mark.parametrize("gamma", [100_000, 55_556, 41_667])
    @pytest.mark.parametrize("mode", ["RGB", "L", "P"])
    def test_gamma(self, gamma: int, mode: str) -> None:
        chunk = png_chunk(b"gAMA", struct.pack(">I", gamma))
        values = COLOR if mode == "RGB" else (120,) * 3
        data = {
            "RGB": lambda: rgb_png(chunk),
            "L": lambda: png(b"\x78" * 64, chunk, depth=8, color=0),
            "P": lambda: png(bytes(64), chunk, png_chunk(b"PLTE", bytes(values)), depth=8, color=3),
        }[mode]()
        assert shows(data, srgb((np.array(values) / 255) ** (100_000 / gamma)), 2)

    def test_gamma_and_chromaticities(self) -> None:
        p3 = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
        chunks = (
            png_chunk(b"gAMA", struct.pack(">I", 45455)),
            png_chunk(b"cHRM", struct.pack(">8I", *p3)),
        )
        assert shows(rgb_png(*chunks), srgb(P3_TO_SRGB @ (np.array(COLOR) / 255) ** 2.2))

    def test_what_says_srgb_is_left_alone(self) -> None:
        usual = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
        gamma = png_chunk(b"gAMA", struct.pack(">I", 45455))
        chromaticities = png_chunk(b"cHRM", struct.pack(">8I", *usual))
        linear = png_chunk(b"gAMA", struct.pack(">I", 100_000))
        for chunks in ((gamma,), (gamma, chromaticities), (png_chunk(b"sRGB", b"\0"), linear)):
            assert shows(rgb_png(*chunks), COLOR, 0)

    @pytest.mark.skipif("AVIF" not in FORMATS, reason="this Pillow has no AVIF")
    def test_code_points_of_avif(self) -> None:
        data = encoded(plain(), "AVIF", quality=100, subsampling="4:4:4")
        at = data.index(b"colrnclx") + 8
        assert shows(data, COLOR)
        assert shows(data[:at] + struct.pack(">HH", 12, 13) + data[at + 4 :], self.p3, 2.5)


class TestTransparency:
    @pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
    @pytest.mark.parametrize("share", [0, 1, 0.4])
    def test_a_gray_level_of_a_png(self, depth: int, share: float) -> None:
        level = round(share * ((1 << depth) - 1))
        row = gray_row(level, depth)
        opaque = round(level * 255 / ((1 << depth) - 1))
        assert shows(png(row, depth=depth, color=0), [opaque] * 3, 0.5)
        clear = png_chunk(b"tRNS", struct.pack(">H", level))
        assert shows(png(row, clear, depth=depth, color=0), WHITE, 0)
        other = png_chunk(b"tRNS", struct.pack(">H", level ^ 1))
        assert shows(png(row, other, depth=depth, color=0), [opaque] * 3, 0.5)

    @pytest.mark.parametrize("depth", [8, 16])
    def test_a_color_of_a_png(self, depth: int) -> None:
        levels = [value * (257 if depth == 16 else 1) for value in COLOR]
        row = struct.pack(">3H" if depth == 16 else ">3B", *levels) * 64
        assert shows(png(row, depth=depth, color=2), COLOR, 0)
        clear = png_chunk(b"tRNS", struct.pack(">3H", *levels))
        assert shows(png(row, clear, depth=depth, color=2), WHITE, 0)
        other = png_chunk(b"tRNS", struct.pack(">3H", levels[0], levels[1], 0))
        assert shows(png(row, other, depth=depth, color=2), COLOR, 0)

    def test_any_color_of_16_bits(self) -> None:
        levels = (0x0100, 0xFFFE, 0x96FF)
        row = struct.pack(">3H", *levels) * 64
        clear = png_chunk(b"tRNS", struct.pack(">3H", *levels))
        assert shows(png(row, clear, depth=16, color=2), WHITE, 0)

    @pytest.mark.parametrize("depth", [1, 2, 4, 8])
    def test_an_entry_of_a_palette(self, depth: int) -> None:
        colors = png_chunk(b"PLTE", bytes(COLOR) + bytes(3))
        row = gray_row(0, depth)
        for alpha, expected in ((b"\0", WHITE), (b"\xff\0", COLOR)):
            data = png(row, colors, png_chunk(b"tRNS", alpha), depth=depth, color=3)
            assert shows(data, expected, 0)
        half = png(row, colors, png_chunk(b"tRNS", b"\x80"), depth=depth, color=3)
        assert shows(half, 255 + (np.array(COLOR) - 255) * 128 / 255)


def gray_row(level: int, depth: int) -> bytes:
    """64 pixels of one level."""
    if depth == 16:
        return struct.pack(">H", level) * 64
    bits = "".join(f"{level:0{depth}b}" for _ in range(64))
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def filled(value: float, kind: str) -> np.ndarray:
    return np.full((64, 64), value, dtype=kind)


class TestDeepGray:
    @pytest.mark.parametrize(
        ("values", "shade"),
        [
            (filled(20, "u1"), 20),
            (filled(5140, "u2"), 20),
            (filled(0.25, "f4"), 64),
        ],
    )
    def test_zero_is_black_or_white(self, values: np.ndarray, shade: int) -> None:
        assert shows(tiff(values, 1), [shade] * 3, 0)
        assert shows(tiff(values, 0), [255 - shade] * 3, 1)

    def test_big_endian_and_compressed(self) -> None:
        values = filled(5140, "u2")
        data = encoded(Image.fromarray(values), "TIFF", compression="tiff_lzw")
        assert shows(data, [20] * 3, 0)

    @pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan])
    def test_a_value_that_is_no_number_changes_no_other(self, odd: float) -> None:
        values = filled(0.25, "f4")
        values[0, 0] = odd
        shown = np.asarray(open_picture(tiff(values, 1)))
        assert shown[0, 0, 0] == (255 if odd == np.inf else 0)
        assert set(shown.reshape(-1)[3:]) == {64}

    def test_nothing_but_infinity(self) -> None:
        assert shows(tiff(filled(np.inf, "f4"), 1), WHITE, 0)

    def test_twelve_bits(self) -> None:
        packed = bytes([0x80, 0x08, 0x00]) * (64 * 64 // 2)
        data = bytearray(tiff(np.frombuffer(packed, "u1").reshape(64, 96), 1))
        for tag, value in ((256, 64), (258, 12)):
            at = data.index(struct.pack("<HHI", tag, 3, 1))
            data[at + 8 : at + 10] = struct.pack("<H", value)
        assert shows(bytes(data), [128] * 3, 0.6)
