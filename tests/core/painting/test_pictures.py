"""Every kind of file that people send: a right picture or a clear PictureError, nothing else."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from impasto.errors import PictureError
from impasto.painting.pictures import MAX_PIXELS, open_picture
from impasto.sizes import MIN_SIDE, size_within

RED = (200, 30, 40)


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header promises a size that its few bytes do not hold."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    data = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def code_of(data: bytes) -> str:
    with pytest.raises(PictureError) as caught:
        open_picture(data)
    assert str(caught.value)
    return caught.value.code


PLAIN = Image.new("RGB", (64, 48), RED)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_common_formats_are_read_by_content(kind: str) -> None:
    picture = open_picture(encoded(PLAIN, kind, **({"quality": 95} if kind == "JPEG" else {})))
    assert picture.mode == "RGB"
    assert picture.size == (64, 48)
    assert np.abs(np.asarray(picture, int) - RED).max() <= 6


def test_a_cmyk_jpeg_keeps_its_colors() -> None:
    picture = open_picture(encoded(PLAIN.convert("CMYK"), "JPEG", quality=95))
    assert np.abs(np.asarray(picture, int) - RED).mean() < 6


def test_sixteen_bit_gray_is_scaled_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 64 * 48).reshape(48, 64).astype(np.uint16)
    values = np.asarray(open_picture(encoded(Image.fromarray(ramp))), int)
    assert values.min() == 0
    assert values.max() == 255
    assert abs(values.mean() - 127.5) < 2


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_becomes_white(mode: str) -> None:
    layered = Image.new("RGBA", (64, 48), (0, 0, 0, 0))
    layered.paste((0, 0, 0, 255), (0, 0, 32, 48))
    if mode == "P":
        palette = Image.new("P", (64, 48), 0)
        palette.putpalette([10, 10, 10, 0, 0, 0])
        palette.paste(1, (0, 0, 32, 48))
        data = encoded(palette, "PNG", transparency=0)
    else:
        data = encoded(layered.convert(mode))
    values = np.asarray(open_picture(data))
    assert values[:, :32].max() == 0
    assert values[:, 32:].min() == 255


def test_a_wide_gamut_picture_is_converted_to_srgb() -> None:
    from PIL import ImageCms

    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert open_picture(encoded(PLAIN, "PNG", icc_profile=lab)).getpixel((1, 1)) == RED
    assert open_picture(encoded(PLAIN, "PNG", icc_profile=b"junk")).getpixel((1, 1)) == RED


def test_the_exif_turn_is_kept_for_the_preprocessor() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = open_picture(encoded(PLAIN, "JPEG", exif=exif))
    assert picture.getexif()[0x0112] == 6


def test_a_large_jpeg_is_decoded_at_a_fraction() -> None:
    data = encoded(Image.new("RGB", (4000, 3000), RED), "JPEG")
    picture = open_picture(data, wanted_pixels=100_000)
    assert 100_000 <= picture.width * picture.height < 4000 * 3000 / 4


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_a_picture"),
        (b"%PDF-1.7 and so on", "not_a_picture"),
        (encoded(PLAIN, "JPEG")[:400], "broken_picture"),
        (encoded(Image.effect_noise((200, 200), 90))[:9000], "broken_picture"),
        (encoded(Image.new("RGB", (1, 1))), "picture_too_small"),
        (encoded(Image.new("RGB", (31, 300))), "picture_too_small"),
        (encoded(Image.new("1", (20_000, 50))), "picture_too_narrow"),
        (png_claiming(60_000, 60_000), "picture_too_large"),
    ],
)
def test_what_cannot_be_painted_is_refused_with_its_reason(data: bytes, code: str) -> None:
    assert code_of(data) == code


def test_a_missing_file_is_a_picture_error(tmp_path: Path) -> None:
    with pytest.raises(PictureError) as caught:
        open_picture(tmp_path / "gone.jpg")
    assert caught.value.code == "file_gone"


@settings(max_examples=200, deadline=None)
@given(
    start=st.sampled_from(
        [b"", *(encoded(PLAIN, k)[:200] for k in ("JPEG", "PNG", "GIF", "TIFF"))]
    ),
    junk=st.binary(max_size=300),
)
@example(start=b"GIF89a", junk=b"\x01\x00\x01\x00\x80\x00\x00")
def test_no_bytes_raise_anything_but_a_picture_error(start: bytes, junk: bytes) -> None:
    try:
        picture = open_picture(start + junk)
    except PictureError:
        return
    assert picture.mode == "RGB"


@given(st.integers(32, 8000), st.integers(32, 8000), st.integers(1024, MAX_PIXELS))
def test_sizes_within_a_cap(width: int, height: int, cap: int) -> None:
    new_width, new_height = size_within((width, height), cap)
    assert MIN_SIDE <= new_width <= width
    assert MIN_SIDE <= new_height <= height
    assert new_width * new_height <= cap or MIN_SIDE in (new_width, new_height)
