"""A lighthouse on a headland, rendered: a photo-like picture that anybody may publish.

Signed distance fields are marched with sphere tracing (Hart, "Sphere tracing", The Visual Computer
12, 1996), lit by a low sun with shadows and sky light, and seen through haze.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array: TypeAlias = NDArray[Any]

SUN = np.array([-0.62, 0.46, -0.63])
SUN /= np.linalg.norm(SUN)
SUNLIGHT = np.array([1.28, 1.08, 0.82])
EYE = np.array([0.1, 2.3, -9.4])
HORIZON, ZENITH = np.array([0.80, 0.46, 0.22]), np.array([0.03, 0.13, 0.42])
FAR = 60.0
SAMPLES = 2
"""The scene is rendered this many times as wide and high, then shrunk."""

TOWER, ROOF, WALL, GROUND, CROWN, BOAT, SAIL, WATER = range(8)
COLORS = np.array([
    [0.88, 0.86, 0.82], [0.62, 0.17, 0.10], [0.86, 0.80, 0.68], [0.30, 0.40, 0.13],
    [0.13, 0.27, 0.08], [0.35, 0.14, 0.07], [0.93, 0.90, 0.84], [0.03, 0.10, 0.15],
])  # fmt: skip
TREES = ((-2.9, 1.15, 0.6, 0.55), (-3.5, 1.0, 0.1, 0.48), (-2.35, 1.1, 1.3, 0.50),
         (2.75, 1.15, 1.0, 0.52), (3.3, 0.85, 0.4, 0.42), (-1.35, 1.12, -0.55, 0.26))  # fmt: skip


def render(width: int, height: int) -> Image.Image:
    """Render the scene; the same at every call."""
    wide, high = width * SAMPLES, height * SAMPLES
    u, v = np.meshgrid((np.arange(wide) + 0.5) / high - 0.5 * wide / high,
                       0.5 - (np.arange(high) + 0.5) / high)  # fmt: skip
    way = np.stack([u - 0.03, v - 0.055, np.full_like(u, 1.02)], axis=-1).reshape(-1, 3)
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    start = np.broadcast_to(EYE, way.shape)
    color = _seen(start, way, mirrored=False)
    vignette = 1 - 0.35 * (u**2 + v**2).reshape(-1, 1)
    exposed = 1 - np.exp(-1.35 * np.clip(color * vignette, 0, None))
    pixels = exposed ** (1 / 2.2)
    pixels += 0.35 * pixels * (1 - pixels) * (2 * pixels - 1)
    image = Image.fromarray((255 * pixels.reshape(high, wide, 3) + 0.5).astype(np.uint8))
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _rough(points: Array, scale: float, octaves: int = 4) -> Array:
    """Return smooth noise in about [-1, 1] at points (n, 3): sines that bend each other."""
    x, y, z = (scale * points[:, k] for k in range(3))
    total, share = np.zeros(len(points)), 0.0
    for octave in range(octaves):
        gain = 0.55**octave
        total += gain * np.sin(x + 1.7 * np.sin(z + octave)) * np.sin(z + 1.3 * np.sin(y + x))
        share += gain
        x, y, z = 1.9 * z + 0.7 * x + 1.3, 1.9 * y + 4.1, 1.9 * x - 0.7 * z + 2.7
    return np.asarray(1.4 * total / share)


def _distances(p: Array) -> Array:
    """Return the distance (8, n) from points (n, 3) to each material."""
    x, y, z = p[:, 0], p[:, 1], p[:, 2]
    out = np.empty((8, len(p)))
    hill = y - 1.15 * np.exp(-((x / 3.6) ** 4) - ((z - 0.6) / 2.6) ** 4) + 0.28
    out[GROUND] = 0.55 * (hill + 0.13 * _rough(p, 1.4, 5))
    around = np.hypot(x - 1.25, z - 0.5)
    thick = 0.52 - 0.062 * (y - 0.8)
    tower = np.maximum(0.97 * (around - thick), y - 4.05)
    gallery = np.maximum(around - 0.50, np.abs(y - 3.62) - 0.05)
    out[TOWER] = np.minimum(tower, gallery)
    cap = np.maximum(0.70 * (around - 0.62 * (4.62 - y)), 4.02 - y)
    house = np.array([-0.55, 1.0, 0.55])
    q = np.abs(p - house)
    out[WALL] = np.max(q - np.array([0.95, 0.62, 0.62]), axis=1)
    gable = 0.72 * (q[:, 2] + 0.95 * (y - 2.22))
    roof = np.maximum(np.maximum(gable, q[:, 0] - 1.08), 1.48 - y)
    chimney = np.max(np.abs(p - np.array([-1.0, 2.0, 0.6])) - np.array([0.1, 0.36, 0.1]), axis=1)
    out[ROOF] = np.minimum.reduce([roof, cap, chimney])
    crowns = [np.linalg.norm((p - np.array(t[:3])) / np.array([1, 1.3, 1]), axis=1) - t[3]
              for t in TREES]  # fmt: skip
    out[CROWN] = 0.6 * (np.minimum.reduce(crowns) + 0.10 * _rough(p, 7.0, 3))
    b = p - np.array([-2.6, -0.02, -4.2])
    hull = np.hypot(b[:, 0] / 0.85, np.hypot(1.9 * b[:, 2], 1.4 * (b[:, 1] - 0.15))) - 0.42
    out[BOAT] = np.maximum(0.55 * hull, b[:, 1] - 0.12)
    sheet = np.maximum(np.abs(b[:, 2] + 0.12 * (b[:, 0] + 0.2)) - 0.015, 0.22 - b[:, 1])
    out[SAIL] = 0.8 * np.maximum(sheet, np.abs(b[:, 0] - 0.08) + 0.30 * (b[:, 1] - 1.45))
    swell = 0.020 * _rough(p * np.array([0.8, 0.0, 1.6]), 3.0, 4)
    out[WATER] = 0.9 * (y - swell)
    return out


def _march(start: Array, way: Array, steps: int, reach: float = FAR) -> Array:
    """Return how far each ray (n, 3) goes before it meets something; `reach` or more if nothing."""
    gone = np.full(len(way), 0.02)
    alive = np.arange(len(way))
    for _ in range(steps):
        step = _distances(start[alive] + gone[alive, None] * way[alive]).min(axis=0)
        gone[alive] += step
        alive = alive[(step > 0.0012 * (1 + 0.4 * gone[alive])) & (gone[alive] < reach)]
        if not len(alive):
            break
    return gone


def _sky(way: Array) -> Array:
    up = np.clip(way[:, 1:2], 0, 1)
    color = HORIZON + (ZENITH - HORIZON) * up**0.42
    plane = way / np.maximum(up, 0.03)
    plane[:, 1] = 0.3
    clouds = _rough(plane * np.array([0.5, 1.0, 1.0]), 1.15, 6)
    cover = np.clip(1.5 * clouds - 0.05, 0, 1)[:, None] * np.clip(9 * up - 0.2, 0, 1)
    glow = np.clip(way @ SUN, 0, 1)[:, None]
    color = color + 0.85 * cover * (np.array([1.02, 0.93, 0.86]) - 0.25 * cover - color)
    return np.asarray(color + np.array([1.0, 0.7, 0.4]) * (0.30 * glow**6 + 0.9 * glow**90))


def _seen(start: Array, way: Array, *, mirrored: bool) -> Array:
    """Return the light (n, 3) that comes along rays; water mirrors once."""
    color = _sky(way)
    gone = _march(start, way, 60 if mirrored else 110)
    hit = np.flatnonzero(gone < FAR)
    if not len(hit):
        return color
    p, ray = start[hit] + gone[hit, None] * way[hit], way[hit]
    near = _distances(p)
    kind = near.argmin(axis=0)
    normal = _normals(p, kind)
    albedo = _albedo(p, kind, normal)
    facing = np.clip(normal @ SUN, 0, 1)
    lit = _march(p + 0.03 * normal, np.broadcast_to(SUN, p.shape), 36, 9.0) >= 9.0
    open_sky = np.clip(_distances(p + 0.35 * normal).min(axis=0) / 0.35, 0.15, 1)
    bounce = 0.12 * np.clip(0.5 - 0.5 * normal[:, 1], 0, 1)
    sky_light = np.outer(open_sky * (0.55 + 0.45 * normal[:, 1]), [0.20, 0.27, 0.42])
    light = np.outer(facing * lit, SUNLIGHT) * 1.35 + sky_light + bounce[:, None]
    shade = albedo * light
    water = np.flatnonzero(kind == WATER)
    if len(water):
        over = normal[water]
        back = ray[water] - 2 * (ray[water] * over).sum(axis=1, keepdims=True) * over
        back[:, 1] = np.abs(back[:, 1]) + 0.01
        bounced = (_sky(back) if mirrored else
                   _seen(p[water] + 0.05 * over, back, mirrored=True))  # fmt: skip
        fresnel = 0.04 + 0.96 * (1 - np.clip(-(ray[water] * over).sum(axis=1), 0, 1)) ** 4
        shade[water] += fresnel[:, None] * (bounced - shade[water])
        glint = np.clip(back @ SUN, 0, 1) ** 180
        shade[water] += 2.2 * np.outer(glint * lit[water], SUNLIGHT)
    haze = (1 - np.exp(-((np.clip(gone[hit], 0, FAR) / 42) ** 1.6)))[:, None]
    color[hit] = shade + haze * (color[hit] - shade)
    return color


def _normals(p: Array, kind: NDArray[np.intp]) -> Array:
    index = np.arange(len(p))
    slopes = []
    for axis in range(3):
        shift = np.zeros(3)
        shift[axis] = 0.004
        slopes.append(_distances(p + shift)[kind, index] - _distances(p - shift)[kind, index])
    normal = np.stack(slopes, axis=1)
    return np.asarray(normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9))


def _albedo(p: Array, kind: NDArray[np.intp], normal: Array) -> Array:
    """Color the materials: bands, windows, tiles, grass that gives way to rock."""
    x, y, z = p[:, 0], p[:, 1], p[:, 2]
    color = COLORS[kind].copy()
    grit = 1 + 0.22 * _rough(p, 14.0, 4)
    color *= np.where(kind == WATER, 1.0, grit)[:, None]
    band = (kind == TOWER) & (np.sin(2 * np.pi * (y - 0.62) / 1.30) > 0.1) & (y < 3.5)
    color[band] = np.array([0.60, 0.10, 0.07]) * grit[band, None]
    lamp = (kind == TOWER) & (y > 3.68)
    color[lamp] = np.where(np.sin(9 * np.arctan2(z - 0.5, x - 1.25))[lamp, None] > -0.5,
                           [1.0, 0.82, 0.35], [0.05, 0.05, 0.06])  # fmt: skip
    tiles = (kind == ROOF) & (np.sin(46 * y) * np.sign(np.sin(30 * x)) > 0.55)
    color[tiles] *= 0.62
    across, up = np.abs((x + 1.42) % 0.58 - 0.29), np.abs(y - 1.22)
    panes = (kind == WALL) & (across < 0.115) & (up < 0.17)
    color[panes] = [0.06, 0.09, 0.13]
    frame = (kind == WALL) & ~panes & (across < 0.15) & (up < 0.205)
    color[frame] = [0.90, 0.90, 0.88]
    steep = np.clip((0.86 - normal[:, 1]) * 5 + 0.6 * _rough(p, 4.0, 3) - (y - 0.35), 0, 1)
    rock = np.outer(0.28 + 0.12 * _rough(p, 9.0, 4), [1.0, 0.90, 0.78])
    ground = kind == GROUND
    color[ground] += steep[ground, None] * (rock[ground] - color[ground])
    flowers = ground & (steep < 0.3) & (_rough(p, 23.0, 2) > 0.72)
    color[flowers] = [0.78, 0.55, 0.12]
    return np.asarray(np.clip(color, 0.01, 1.2))
