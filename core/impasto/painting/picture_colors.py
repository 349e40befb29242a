"""Every mode, depth and color space that Pillow reads, as 8-bit sRGB on white paper."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, TiffImagePlugin

BAND: Final = 128
"""Rows that are worked on at once where a picture is not converted by Pillow."""
Values = NDArray[np.float64]
Primaries = tuple[float, ...]
"""x and y of white, red, green and blue (CIE 1931), in the order of PNG's cHRM."""

_D65: Final = (0.3127, 0.3290)
_BT709: Final = (*_D65, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)
_PRIMARIES: Final[Mapping[int, Primaries]] = {
    1: _BT709,
    5: (*_D65, 0.640, 0.330, 0.290, 0.600, 0.150, 0.060),
    6: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (*_D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
"""By their code point (ITU-T H.273, table 2), as in cICP of PNG and nclx of AVIF and HEIF."""
_SDR_WHITE: Final = 203.0
"""Nits of a page's white in an HDR picture (ITU-R BT.2408); what is lighter becomes white."""
_D50: Final = (0.9642, 1.0, 0.8249)
_BRADFORD: Final = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_CURVE_POINTS: Final = 4096
_SRGB_GAMMA: Final = 0.45455
_PROFILE_MODES: Final = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK", "Lab": "LAB"}


def to_srgb(picture: Image.Image) -> Image.Image:
    """A loaded picture in mode RGB. Transparency is laid on white after the profile was applied, to
    the channels that it is for.

    `picture.info` may hold, beside what Pillow puts there: `bits` of a PNG's channels, and `cicp`,
    the code points of primaries and transfer.
    """
    profile = _profile(picture)
    if picture.mode.startswith(("I", "F")):
        color, alpha = _from_deep_gray(picture)
    else:
        color, alpha = _color_and_alpha(picture)
    converted = _converted(color, profile)
    if alpha is None:
        return converted
    paper = Image.new("RGB", converted.size, "white")
    paper.paste(converted, mask=alpha)
    return paper


def _color_and_alpha(picture: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    if not picture.has_transparency_data:
        return (picture.convert("RGB") if picture.mode == "P" else picture), None
    if picture.mode in {"LA", "La"}:
        return picture.convert("LA").getchannel("L"), picture.getchannel("A")
    key = _transparent_value(picture)
    if picture.mode in {"1", "L"} and isinstance(key, int):
        gray = picture.convert("L")
        return gray, gray.point([255 * (shade != key) for shade in range(256)])
    if picture.mode == "RGB":
        picture.info["transparency"] = key
    layered = picture.convert("RGBA")
    return layered.convert("RGB"), layered.getchannel("A")


def _transparent_value(picture: Image.Image) -> Any:
    """The gray level or color that is transparent, scaled as Pillow scales the pixels of a PNG:
    Pillow itself leaves it at the depth of the file."""
    value, bits = picture.info.get("transparency"), picture.info.get("bits", 8)
    if bits == 8 or picture.mode == "1":
        return value
    most = (1 << bits) - 1
    if isinstance(value, int):
        return (value & most) * 255 // most
    if isinstance(value, tuple):
        return tuple((level & most) * 255 // most for level in value)
    return value


def _from_deep_gray(picture: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """16- and 32-bit gray as 8-bit: Pillow's own conversion clips where scaling is meant."""
    white = 1.0 if picture.mode == "F" else float((1 << _bits(picture)) - 1)
    for band in bands(picture):
        values = np.asarray(band)
        white = max(white, float(values.max(initial=0, where=np.isfinite(values))))
    is_white_zero = _tag(picture, TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0
    key = picture.info.get("transparency")
    gray = Image.new("L", picture.size)
    alpha = Image.new("L", picture.size) if isinstance(key, int) else None
    top = 0
    for band in bands(picture):
        stored = np.asarray(band)
        values = np.nan_to_num(stored.astype(np.float32), nan=0.0, posinf=white, neginf=0.0)
        shades = values.clip(0, white) * (255 / white)
        shades = (255 - shades if is_white_zero else shades).round().astype(np.uint8)
        gray.paste(Image.fromarray(shades), (0, top))
        if alpha is not None:
            alpha.paste(Image.fromarray(np.uint8(255) * (stored != key)), (0, top))
        top += band.height
    return gray, alpha


def bands(picture: Image.Image) -> Iterator[Image.Image]:
    """Copies of a few rows after another: one of a large picture takes as much as it does."""
    for top in range(0, picture.height, BAND):
        yield picture.crop((0, top, picture.width, min(top + BAND, picture.height)))


def _bits(picture: Image.Image) -> int:
    """Of a channel as it is stored: Pillow keeps 12 bits as they are in modes for 16."""
    bits = _tag(picture, TiffImagePlugin.BITSPERSAMPLE)
    return bits if isinstance(bits, int) and 8 < bits < 16 else 16


def _tag(picture: Image.Image, tag: int) -> Any:
    """The first value of a TIFF's tag; None for what is no TIFF."""
    value = picture.tag_v2.get(tag) if isinstance(picture, TiffImagePlugin.TiffImageFile) else None
    return value[0] if isinstance(value, tuple) and value else value


def _converted(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Colors as they are meant to be seen. A damaged profile is ignored, as browsers do, and so is
    one for other channels than the picture has."""
    if profile is None:
        return picture.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _PROFILE_MODES.get(source.profile.xcolor_space.strip())
        if mode not in _modes_for_profiles(picture.mode):
            return picture.convert("RGB")
        fitting = picture if picture.mode == mode else picture.convert(mode)
        converted = ImageCms.profileToProfile(
            fitting, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture.convert("RGB")
    return converted or picture.convert("RGB")


def _modes_for_profiles(mode: str) -> frozenset[str]:
    """The modes that a picture can be converted to without knowing what its colors are."""
    if mode in {"CMYK", "LAB"}:
        return frozenset({mode})
    return frozenset({"RGB", "L"} if mode in {"1", "L"} else {"RGB"})


def _profile(picture: Image.Image) -> bytes | None:
    """An ICC profile of what the file says about its colors; None where that is nothing or sRGB.
    Which statement wins is in PNG, third edition, 4.3."""
    info = picture.info
    is_png = picture.format == "PNG"
    icc = info.get("icc_profile") or None
    if "cicp" in info and (is_png or icc is None):
        described = _profile_of_code_points(*info["cicp"])
        if described is not None or is_png:
            return described
    if icc is not None or not is_png or "srgb" in info:
        return icc
    return _profile_of_gamma(info.get("gamma"), info.get("chromaticity"))


def _profile_of_code_points(primaries: int, transfer: int) -> bytes | None:
    known, curve = _PRIMARIES.get(primaries), _CURVES.get(transfer)
    if known is None or curve is None or (primaries, transfer) == (1, 13):
        return None
    return matrix_profile(known, curve)


def _profile_of_gamma(gamma: float | None, chromaticity: Primaries | None) -> bytes | None:
    """PNG's gAMA and cHRM; values that no screen has are ignored."""
    if gamma is None or not 0.1 <= gamma <= 5:
        return None
    primaries = chromaticity or _BT709
    is_srgb_like = max(abs(a - b) for a, b in zip(primaries, _BT709, strict=True)) < 0.002
    if is_srgb_like and abs(gamma - _SRGB_GAMMA) < 0.005:
        return None
    curve = _srgb if abs(gamma - _SRGB_GAMMA) < 0.005 else lambda v: v ** (1 / gamma)
    return matrix_profile(primaries, curve)


def matrix_profile(primaries: Primaries, curve: Callable[[Values], Values]) -> bytes | None:
    """An ICC profile (ICC.1:2010, 8.3.3) of an RGB space: the only way to tell LittleCMS, as Pillow
    wraps it, of one. None where the primaries span no space.

    Args:
        curve: light, 0 to 1, of signals from 0 to 1.
    """
    try:
        columns = _adapted_to_d50(primaries)
    except (np.linalg.LinAlgError, ZeroDivisionError):
        return None
    if not np.isfinite(columns).all() or np.abs(columns).max() > 4:
        return None
    light = np.rint(curve(np.linspace(0, 1, _CURVE_POINTS)).clip(0, 1) * 65535).astype(">u2")
    tone = b"curv" + bytes(4) + struct.pack(">I", _CURVE_POINTS) + light.tobytes()
    tags = {
        f"{channel}XYZ".encode(): b"XYZ " + bytes(4) + _fixed(*column)
        for channel, column in zip("rgb", columns.T, strict=True)
    }
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), tone)
    at = 128 + 4 + 12 * len(tags)
    table = struct.pack(">I", len(tags))
    for name, body in tags.items():
        table += struct.pack(">4sII", name, at, len(body))
        at += len(body)
    header = struct.pack(">I4sI", at, b"", 0x02400000) + b"mntrRGB XYZ " + bytes(12) + b"acsp"
    header = (header + bytes(28) + _fixed(*_D50)).ljust(128, b"\0")
    return header + table + b"".join(tags.values())


def _fixed(*values: float) -> bytes:
    """Numbers in ICC's s15Fixed16."""
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def _adapted_to_d50(primaries: Primaries) -> Values:
    """XYZ (rows) of red, green and blue (columns), seen under D50 by Bradford's transform."""
    white, *colors = (
        np.array([x / y, 1.0, (1 - x - y) / y])
        for x, y in zip(primaries[::2], primaries[1::2], strict=True)
    )
    columns = np.stack(colors, axis=1)
    columns = columns * np.linalg.solve(columns, white)
    gains = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    adapted: Values = np.linalg.inv(_BRADFORD) @ (gains[:, None] * (_BRADFORD @ columns))
    return adapted


def _srgb(signal: Values) -> Values:
    return np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)


def _bt709(signal: Values) -> Values:
    return np.where(signal < 0.081, signal / 4.5, ((signal + 0.099) / 1.099) ** (1 / 0.45))


def _pq(signal: Values) -> Values:
    """SMPTE ST 2084, in parts of the white of a page."""
    root = signal ** (32 / 2523)
    share = (root - 0.8359375).clip(0) / (18.8515625 - 18.6875 * root)
    light: Values = 10_000 / _SDR_WHITE * share ** (8192 / 1305)
    return light


def _hlg(signal: Values) -> Values:
    """ARIB STD-B67 on a display of 1000 nits, each channel by itself."""
    scene = np.where(
        signal <= 0.5, signal**2 / 3, (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12
    )
    light: Values = 1000 / _SDR_WHITE * scene**1.2
    return light


_CURVES: Final[Mapping[int, Callable[[Values], Values]]] = {
    **dict.fromkeys((1, 6, 14, 15), _bt709),
    4: lambda signal: signal**2.2,
    5: lambda signal: signal**2.8,
    8: lambda signal: signal,
    13: _srgb,
    16: _pq,
    18: _hlg,
}
"""By their code point (ITU-T H.273, table 3)."""
