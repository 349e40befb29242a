"""Color spaces that a file names or describes without an ICC profile, as ICC profiles.

LittleCMS, as Pillow wraps it, can be told of an RGB space in no other way.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

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


def profile_of_code_points(primaries: int, transfer: int) -> bytes | None:
    """None for sRGB and what is like it, and for code points that are not known here."""
    known, curve = _PRIMARIES.get(primaries), _CURVES.get(transfer)
    if known is None or curve is None or (known is _BT709 and curve is _srgb):
        return None
    return matrix_profile(known, curve)


def profile_of_gamma(gamma: float | None, chromaticity: Primaries | None) -> bytes | None:
    """Of PNG's gAMA and cHRM; None for those of sRGB, and for values that no screen has."""
    if gamma is None or not 0.1 <= gamma <= 5:
        return None
    primaries = chromaticity or _BT709
    is_srgb_like = max(abs(a - b) for a, b in zip(primaries, _BT709, strict=True)) < 0.002
    if is_srgb_like and abs(gamma - _SRGB_GAMMA) < 0.005:
        return None
    return matrix_profile(primaries, lambda signal: signal ** (1 / gamma))


def matrix_profile(primaries: Primaries, curve: Callable[[Values], Values]) -> bytes | None:
    """A profile of three primaries and a curve (ICC.1:2010, 8.3.3); None where the primaries
    span no space.

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
    **dict.fromkeys((1, 6, 13, 14, 15), _srgb),
    4: lambda signal: signal**2.2,
    5: lambda signal: signal**2.8,
    8: lambda signal: signal,
    16: _pq,
    18: _hlg,
}
"""By their code point (ITU-T H.273, table 3). Those of television cameras (1, 6, 14, 15) say how a
scene was recorded and not how it is shown: photos that bear them are made for screens of sRGB."""
