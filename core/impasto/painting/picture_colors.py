"""Every mode, depth and color space that Pillow reads, as 8-bit sRGB on white paper."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from PIL import Image, ImageCms, TiffImagePlugin

from impasto.painting.color_spaces import profile_of_code_points, profile_of_gamma

BAND: Final = 128
"""Rows that are worked on at once where a picture is not converted by Pillow."""
_PROFILE_MODES: Final = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK", "Lab": "LAB"}


def to_srgb(picture: Image.Image) -> Image.Image:
    """A loaded picture in mode RGB. Transparency is laid on white after the profile was applied, to
    the channels that it is for.

    `picture.info` may hold, beside what Pillow puts there: the `bits` of a PNG's channels, whether
    it `is_gray`, and `cicp`, the code points of primaries and transfer.
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
    if picture.mode == "RGBA" and picture.info.get("is_gray"):  # 16 bits and alpha
        return picture.getchannel("R"), picture.getchannel("A")
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

    def scaled(level: int) -> int:
        level &= most
        return level >> 8 if bits == 16 else level * 255 // most

    if isinstance(value, int):
        return scaled(value)
    return tuple(map(scaled, value)) if isinstance(value, tuple) else value


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
        described = profile_of_code_points(*info["cicp"])
        if described is not None or is_png:
            return described
    if icc is not None or not is_png or "srgb" in info:
        return icc
    return profile_of_gamma(info.get("gamma"), info.get("chromaticity"))
