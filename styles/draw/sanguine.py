"""A still life in three chalks: a jug, pears and an apple on cloth, hatched along their forms.

The objects are surfaces with depth, so light, shadow and the run of the lines all come from the
same shapes: hatching follows the curves in which slanting planes would cut them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .curves import Point, through
from .fields import Field, blur, grid, noise, smoothstep
from .hatching import Form, Paper, Pencil, hatch
from .palette import rgb
from .strokes import picture

TINT = rgb("e2cba2")
SANGUINE = Pencil(rgb("a83c24"), 2.5)
SEPIA = Pencil(rgb("4a2a1f"), 2.4, 0.92)
BLACK = Pencil(rgb("1d1a1e"), 2.5, 0.95)
CHALK = Pencil(rgb("fdf6e6"), 3.0, 0.92)

TOWARDS_LIGHT = np.array([-0.58, -0.55, 0.60], np.float32)
CUTS = ((0.25, 0.90, 0.55), (0.80, -0.45, 0.50), (0.65, 0.65, -0.35))
"""Normals of the planes whose cuts the first, second and third layer of hatching follow."""

# Height along the axis from the top, and radius there.
JUG = ((0.0, 0.078), (0.05, 0.070), (0.16, 0.056), (0.30, 0.078), (0.52, 0.128), (0.70, 0.136),
       (0.88, 0.108), (1.0, 0.082))  # fmt: skip
PEAR = ((0.0, 0.012), (0.06, 0.030), (0.22, 0.043), (0.42, 0.060), (0.66, 0.088), (0.84, 0.080),
        (0.95, 0.048), (1.0, 0.006))  # fmt: skip
APPLE = ((0.0, 0.030), (0.04, 0.052), (0.20, 0.084), (0.45, 0.096), (0.72, 0.084), (0.92, 0.050),
         (1.0, 0.020))  # fmt: skip

WALL, TABLE, CLOTH = 0, 1, 2


@dataclass
class Scene:
    """Depth towards the viewer, numbers of objects, and darkness beyond shading, (size, size)."""

    depth: Field
    part: NDArray[np.int32]
    dark: Field

    def put(self, number: int, where: NDArray[np.bool_], depth: Field) -> None:
        """Set an object in front of what is there."""
        self.depth = np.where(where, depth, self.depth)
        self.part = np.where(where, number, self.part).astype(np.int32)
        self.dark = np.where(where, 0.0, self.dark)

    def shadow(self, x: Field, y: Field, at: Point, radii: Point, strength: float) -> None:
        """Cast an elliptical shadow that is darkest at its middle."""
        far = np.hypot((x - at[0]) / radii[0], (y - at[1]) / radii[1])
        self.dark = np.maximum(self.dark, strength * smoothstep(1.0, 0.45, far))


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the still life at `size` by `size` pixels."""
    scene = _scene(size, rng)
    tone, light = _lighting(scene, rng)
    paper = Paper(size, TINT, rng)
    unit = max(size / 1024, 0.25)
    layers = (
        (SANGUINE, 0, 0.10, 0.62, 74.0, 8.2),
        (SANGUINE, 1, 0.30, 0.75, 62.0, 8.4),
        (SEPIA, 1, 0.42, 0.85, 60.0, 7.6),
        (SEPIA, 2, 0.50, 0.95, 50.0, 7.4),
        (BLACK, 0, 0.58, 1.0, 52.0, 6.8),
        (BLACK, 2, 0.74, 1.05, 42.0, 6.2),
    )
    for pencil, cut, low, high, length, gap in layers:
        pressure = 0.34 + 0.66 * smoothstep(low, high, tone)
        form = Form(_along(scene, CUTS[cut]), np.where(tone > low, pressure, 0), scene.part)
        hatch(paper, pencil, form, rng, length=length * unit, gap=gap * unit)
    bright = Form(_along(scene, CUTS[0]), 0.85 * smoothstep(0.62, 1.0, light), scene.part)
    hatch(paper, CHALK, bright, rng, length=48 * unit, gap=6.8 * unit, stray=0.02)
    _outlines(paper, scene, rng)
    _stems(paper, rng)
    return picture(paper.color)


def _scene(size: int, rng: np.random.Generator) -> Scene:
    x, y = grid(size)
    wander = noise(size, rng, 4, 3)
    zero = np.zeros_like(x)
    scene = Scene(zero.copy(), np.zeros(x.shape, np.int32), zero.copy())
    scene.put(TABLE, y > 0.545, 0.9 * (y - 0.545))
    folds = np.sin(19 * (x - 0.45 * y) + 0.8 * wander + 1.0)
    folds += 0.55 * np.sin(37 * (x - 0.25 * y) + 0.9 * wander)
    hem = 0.755 + 0.05 * np.sin(5.5 * x + 0.4) + 0.012 * np.sin(21 * x)
    fall = np.clip((y - hem) / 0.10, 0, 1)
    scene.put(CLOTH, y > hem, 0.3 * (y - hem) + 0.036 * folds * (0.25 + 0.75 * fall))
    scene.shadow(x, y, (0.52, 0.735), (0.27, 0.055), 0.62)
    scene.shadow(x, y, (0.75, 0.735), (0.15, 0.040), 0.62)
    scene.shadow(x, y, (0.93, 0.745), (0.13, 0.036), 0.55)
    scene.shadow(x, y, (0.62, 0.850), (0.15, 0.040), 0.62)
    _jug(scene, x, y)
    _turned(scene, x, y, 5, PEAR, (0.64, 0.495), 0.245, 0.12)
    _turned(scene, x, y, 6, PEAR, (0.885, 0.555), 0.215, -0.35)
    _turned(scene, x, y, 7, APPLE, (0.505, 0.665), 0.185, 0.05)
    return scene


def _radius(profile: Sequence[Point], along: Field) -> Field:
    curve = through(profile, 240)
    return np.interp(along, curve[:, 0], curve[:, 1]).astype(np.float32)


def _turned(
    scene: Scene,
    x: Field,
    y: Field,
    number: int,
    profile: Sequence[Point],
    top: Point,
    height: float,
    lean: float,
) -> None:
    """Put a body turned around an axis that starts at `top` and leans by `lean` radians."""
    dx, dy = x - top[0], y - top[1]
    along = (dy * np.cos(lean) + dx * np.sin(lean)) / height
    across = dx * np.cos(lean) - dy * np.sin(lean)
    radius = _radius(profile, np.clip(along, 0, 1))
    inside = (along > 0) & (along < 1) & (np.abs(across) < radius)
    bulge = np.sqrt(np.clip(radius**2 - across**2, 0, None))
    scene.put(number, inside, 0.25 + bulge)


def _jug(scene: Scene, x: Field, y: Field) -> None:
    center, top, height = 0.315, 0.205, 0.515
    ring = np.hypot((x - center - 0.105) / 1.0, (y - top - 0.155) / 1.35)
    handle = (np.abs(ring - 0.082) < 0.017) & (x > center + 0.055)
    scene.put(4, handle, 0.2 + np.sqrt(np.clip(0.017**2 - (ring - 0.082) ** 2, 0, None)))
    dx = x - center
    sink = 0.022 * np.sqrt(np.clip(1 - (dx / 0.082) ** 2, 0, 1))
    along = (y - top) / height
    radius = _radius(JUG, np.clip(along, 0, 1))
    inside = (along > 0) & (y < top + height + sink) & (np.abs(dx) < radius)
    scene.put(3, inside, 0.22 + np.sqrt(np.clip(radius**2 - dx**2, 0, None)))
    mouth = (dx / 0.078) ** 2 + ((y - top) / 0.019) ** 2 < 1
    scene.put(8, mouth, 0.2 - 0.9 * (y - top))
    scene.dark = np.where(mouth, 0.88 - 3.0 * np.clip(dx, 0, None), scene.dark)


def _lighting(scene: Scene, rng: np.random.Generator) -> tuple[Field, Field]:
    """Return how dark and how bright each place is drawn, both about [0, 1]."""
    size = len(scene.part)
    x, y = grid(size)
    normal = _normals(scene)
    facing = np.clip(normal @ TOWARDS_LIGHT, 0, 1)
    rim = np.clip(normal @ np.array([0.85, 0.35, 0.1], np.float32), 0, 1) ** 2
    shaded = 1.02 - 1.0 * facing - 0.28 * rim
    flat = 0.33 + 0.35 * (y - 0.5) - 0.12 * x
    wall = 0.28 + 0.34 * smoothstep(0.75, 0.0, x) * smoothstep(0.95, 0.2, y) + 0.12 * x * y
    cloth = 0.80 * shaded + 0.04
    tone = np.select(
        [scene.part == WALL, scene.part == TABLE, scene.part == CLOTH],
        [wall, flat, cloth],
        shaded,
    )
    tone = np.maximum(tone, scene.dark) + 0.035 * noise(size, rng, 5, 3)
    glint = np.clip(normal @ (TOWARDS_LIGHT + np.array([0, 0, 0.55], np.float32)) / 1.33, 0, 1)
    bright = np.where(scene.part >= 3, glint**7, 0.0)
    bright = np.where(scene.part == CLOTH, smoothstep(0.55, 1.0, facing), bright)
    bright = np.where(scene.dark > 0.2, 0.0, bright)
    return tone.astype(np.float32), bright.astype(np.float32)


def _slopes(scene: Scene) -> tuple[Field, Field]:
    """Return the depth's slopes along x and y, taken within each object only."""
    size = len(scene.part)
    slope_y, slope_x = np.gradient(scene.depth * size)
    return np.clip(slope_x, -4, 4), np.clip(slope_y, -4, 4)


def _normals(scene: Scene) -> Field:
    slope_x, slope_y = _slopes(scene)
    normal = np.stack([-slope_x, -slope_y, np.ones_like(slope_x)], axis=-1)
    unit: Field = normal / np.linalg.norm(normal, axis=-1, keepdims=True)
    return unit.astype(np.float32)


def _along(scene: Scene, cut: tuple[float, float, float]) -> Field:
    """Return the direction of the curves in which planes with the normal `cut` cut the surface."""
    slope_x, slope_y = _slopes(scene)
    rise_x, rise_y = cut[0] + cut[2] * slope_x, cut[1] + cut[2] * slope_y
    return np.arctan2(rise_x, -rise_y).astype(np.float32)


def _outlines(paper: Paper, scene: Scene, rng: np.random.Generator) -> None:
    """Draw each object's edge in short searching strokes, heavier where it turns from the light."""
    size = paper.size
    unit = max(size / 1024, 0.25)
    for number in range(1, int(scene.part.max()) + 1):
        mask = blur((scene.part == number).astype(np.float32), 2.0 * unit + 0.4)
        slope_y, slope_x = np.gradient(mask)
        steep = np.hypot(slope_x, slope_y)
        rows, columns = np.nonzero((steep > 0.5 * steep.max()) & (np.abs(mask - 0.5) < 0.2))
        if not len(rows):
            continue
        for i in rng.choice(len(rows), max(8, len(rows) // max(6, round(26 * unit)))):
            row, column = rows[i], columns[i]
            away = -(slope_x[row, column] * 0.58 + slope_y[row, column] * 0.55) / steep[row, column]
            heavy = 0.55 + 0.25 * np.clip(-away, -1, 1) + 0.08 * rng.standard_normal()
            angle = np.arctan2(slope_x[row, column], -slope_y[row, column])
            paper.line(
                BLACK if rng.random() < 0.6 else SEPIA,
                column + 0.8 * unit * rng.standard_normal(),
                row + 0.8 * unit * rng.standard_normal(),
                float(angle) + 0.03 * rng.standard_normal(),
                float(rng.uniform(22, 46)) * unit,
                float(heavy),
            )


def _stems(paper: Paper, rng: np.random.Generator) -> None:
    """Draw the stems of the fruit, each in a few strokes side by side."""
    unit = max(paper.size / 1024, 0.25)
    stems = ((0.650, 0.478, -1.25, 40), (0.872, 0.535, -1.9, 36), (0.51, 0.662, -1.2, 46))
    for x, y, angle, length in stems:
        for _ in range(7):
            at_x = x * paper.size + 2.0 * unit * rng.standard_normal()
            at_y = y * paper.size + 1.5 * unit * rng.standard_normal()
            paper.line(BLACK, at_x, at_y, angle, length * unit, 0.95, bend=0.35)
