"""A still life in planes: guitar, bottle and bowl seen from several sides at once.

Lines and arcs cut the picture into facets. Each facet is shaded from its edges, as if it were
folded there, and shows the things on the table a little shifted and turned. Then it is painted with
a flat brush that runs its own way in every facet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .fields import Field, blur, distance, grain, grid, noise, scattered, smoothstep
from .palette import palette, ramp, rgb, varied
from .strokes import Canvas, brush, picture, relief

GROUND = palette("26284f 2f6390 6fa8a0 d9b878 f2dca4")
FACETS = palette("e0762a 1f7a9c f2b435 a32a2a 3f8f62 ecd08a 34409a d2502f 86c0b4 f2e2b4")
WOOD = palette("5a2413 a4491c d98a34 f2c66a")
GLASS = palette("0f3a3a 1f6f5c 7fb88a e6efc4")
FRUIT = palette("7a1420 cf3a22 f0a030 f7e08a")
LINE = rgb("17131c")
CUTS = 17


@dataclass(frozen=True)
class Cut:
    """A curve that cuts the picture: a straight line, or an arc where `bend` is not 0."""

    x: float
    y: float
    angle: float
    bend: float

    def side(self, x: Field, y: Field) -> Field:
        """Return about the signed distance to the cut."""
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        along = (x - self.x) * cos + (y - self.y) * sin
        across: Field = (y - self.y) * cos - (x - self.x) * sin - self.bend * along**2
        return across


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the still life at `size` by `size` pixels."""
    hand, paint = rng.spawn(2)
    x, y = grid(size)
    cuts = [_cut(hand) for _ in range(CUTS)]
    sides = [cut.side(x, y) for cut in cuts]
    facet = np.zeros(x.shape, np.int64)
    for bit, side in enumerate(sides):
        facet += (side > 0).astype(np.int64) << bit
    looks = hand.random((1 << len(cuts), 6)).astype(np.float32)
    color, line = _things(x, y, looks[facet])
    color = _folded(color, sides, looks[facet])
    angle = np.pi * looks[facet][..., 4]
    canvas = _painted(color, angle, facet, paint)
    return picture(_outlined(canvas, facet, line, looks, paint))


def _cut(rng: np.random.Generator) -> Cut:
    x, y = 0.08 + 0.84 * rng.random(2)
    angle = rng.random() * np.pi
    return Cut(x, y, angle, rng.choice([0.0, 0.0, 0.9, -0.9]) * rng.random())


def _things(x: Field, y: Field, look: Field) -> tuple[Field, Field]:
    """Return color and drawn lines of what stands on the table, shifted and turned per facet."""
    turn = 0.34 * (look[..., 0] - 0.5)
    cos, sin = np.cos(turn), np.sin(turn)
    px = 0.5 + (x - 0.5) * cos - (y - 0.5) * sin + 0.085 * (look[..., 1] - 0.5)
    py = 0.5 + (x - 0.5) * sin + (y - 0.5) * cos + 0.085 * (look[..., 2] - 0.5)
    tint = FACETS[(look[..., 3] * len(FACETS)).astype(int)]
    table = py > 0.66 + 0.1 * (px - 0.5)
    at = np.clip(0.75 - 0.7 * py + 0.25 * look[..., 5], 0, 1)
    color = 0.30 * ramp(GROUND, at) + 0.70 * tint
    color = np.where(table[..., None], 0.5 * ramp(WOOD, 0.35 + 0.5 * look[..., 5]) + 0.5 * tint,
                     color)  # fmt: skip
    line = np.abs(py - (0.66 + 0.1 * (px - 0.5)))
    grain_lines = np.sin(150 * (py + 0.25 * px) + 5 * np.sin(9 * px))
    color = np.where((table & (grain_lines > 0.55))[..., None], 0.72 * color, color)
    for put in (_guitar, _bottle, _bowl, _sheet):
        color, line = put(color, line, px, py)
    return color.astype(np.float32), line.astype(np.float32)


def _guitar(color: Field, line: Field, x: Field, y: Field) -> tuple[Field, Field]:
    u = (x - 0.42) * np.cos(0.55) + (y - 0.56) * np.sin(0.55)
    v = (y - 0.56) * np.cos(0.55) - (x - 0.42) * np.sin(0.55)
    waist = 0.135 + 0.045 * np.cos(11.5 * (v - 0.02)) + 0.22 * v
    body = np.maximum(np.abs(u) - waist, np.abs(v - 0.03) - 0.245)
    neck = np.maximum(np.abs(u) - 0.022, np.abs(v + 0.42) - 0.26)
    hole = np.hypot(u, v + 0.02) - 0.058
    tone = np.clip(0.55 - 1.6 * u + 0.12 * np.sin(90 * u), 0, 1)
    color = np.where((body < 0)[..., None], ramp(WOOD, tone), color)
    color = np.where((neck < 0)[..., None], rgb("3a2018"), color)
    color = np.where((hole < 0)[..., None], LINE, color)
    strings = (np.abs((u / 0.0085) % 1 - 0.5) < 0.14) & (np.abs(u) < 0.021) & (v < 0.16)
    color = np.where((strings & (v > -0.66))[..., None], rgb("f3e6c0"), color)
    ring = np.abs(hole) - 0.010
    return color, np.minimum.reduce([line, np.abs(body), np.abs(neck), np.abs(ring)])


def _bottle(color: Field, line: Field, x: Field, y: Field) -> tuple[Field, Field]:
    half = np.where(y < 0.34, 0.026, 0.026 + 0.052 * smoothstep(0.34, 0.44, y))
    body = np.maximum(np.abs(x - 0.755) - half, np.abs(y - 0.47) - 0.29)
    tone = np.clip(0.45 + 5.5 * (0.755 - x) + 0.2 * np.sin(31 * y), 0, 1)
    color = np.where((body < 0)[..., None], ramp(GLASS, tone), color)
    label = np.maximum(np.abs(x - 0.755) - 0.066, np.abs(y - 0.585) - 0.065)
    color = np.where((label < 0)[..., None], rgb("efe2bd"), color)
    words = (np.sin(95 * y) > 0.35) & (np.sin(170 * x) > -0.4) & (label < -0.012)
    color = np.where(words[..., None], LINE, color)
    return color, np.minimum.reduce([line, np.abs(body), np.abs(label)])


def _bowl(color: Field, line: Field, x: Field, y: Field) -> tuple[Field, Field]:
    for cx, cy, r in ((0.60, 0.735, 0.062), (0.70, 0.725, 0.066), (0.655, 0.672, 0.060)):
        far = np.hypot(x - cx, y - cy)
        tone = np.clip(0.85 - 7.5 * np.hypot(x - cx + 0.02, y - cy + 0.025), 0, 1)
        color = np.where((far < r)[..., None], ramp(FRUIT, tone), color)
        line = np.where(far < r, 1.0, line)
        line = np.minimum(line, np.abs(far - r))
    bowl = np.maximum(np.hypot((x - 0.655) / 1.25, y - 0.765) - 0.115, 0.765 - y)
    stripe = np.where(np.sin(60 * (x - 0.655)) > 0, 0.85, 0.35)
    color = np.where((bowl < 0)[..., None], ramp(GROUND, stripe), color)
    return color, np.minimum(np.where(bowl < 0, 1.0, line), np.abs(bowl))


def _sheet(color: Field, line: Field, x: Field, y: Field) -> tuple[Field, Field]:
    u, v = x - 0.245 + 0.25 * (y - 0.83), y - 0.83 - 0.12 * (x - 0.245)
    sheet = np.maximum(np.abs(u) - 0.135, np.abs(v) - 0.085)
    color = np.where((sheet < 0)[..., None], rgb("f2e8cc"), color)
    staff = (np.abs((v / 0.011) % 1 - 0.5) < 0.10) & (np.sin(70 * v) > -0.35)
    notes = np.hypot(((u / 0.030) % 1 - 0.5) * 1.3, ((v / 0.040) % 1 - 0.5) * 1.9) < 0.27
    color = np.where(((staff | notes) & (sheet < -0.01))[..., None], LINE, color)
    return color, np.minimum(line, np.abs(sheet))


def _folded(color: Field, sides: list[Field], look: Field) -> Field:
    """Shade every facet from the cut nearest to it and from one more, light or dark as it falls."""
    stack = np.stack([np.abs(side) for side in sides])
    order = np.argsort(stack, axis=0)[:2]
    for rank, strength in ((0, 0.62), (1, 0.34)):
        near = np.take_along_axis(stack, order[rank : rank + 1], axis=0)[0]
        dark = look[..., rank] > 0.45
        fade = np.exp(-near / 0.075)
        toward = np.where(dark[..., None], 0.28 * color, 1 - 0.35 * (1 - color))
        color = color + (strength * fade)[..., None] * (toward - color)
    return color.astype(np.float32)


def _painted(
    color: Field, angle: Field, facet: NDArray[np.int64], rng: np.random.Generator
) -> Canvas:
    """Go over the facets with flat brushes, coarse then fine, each in the facet's direction."""
    size = len(color)
    unit = size / 1024
    canvas = Canvas(0.85 * color + 0.15 * rgb("8a6a45"))
    for length, width, pack in ((60, 22, 1.2), (40, 14, 1.3), (26, 9, 0.7)):
        tool = brush(
            max(4.0, length * unit), max(2.2, width * unit), rng, taper=0.12, dry=0.45, ragged=0.3
        )
        xs, ys = scattered(size, (tool.length * tool.width / (1.8 * pack)) ** 0.5, rng)
        rows, columns = ys.astype(int).clip(0, size - 1), xs.astype(int).clip(0, size - 1)
        colors = varied(color[rows, columns], rng, 0.10, 0.02, 0.12)
        angles = angle[rows, columns] + 0.10 * rng.standard_normal(len(xs))
        for i in range(len(xs)):
            reach = 0.5 * tool.length
            ends = [
                facet[int(np.clip(ys[i] + s * reach * np.sin(angles[i]), 0, size - 1)),
                      int(np.clip(xs[i] + s * reach * np.cos(angles[i]), 0, size - 1))]
                for s in (-1, 1)
            ]  # fmt: skip
            inside = all(end == facet[rows[i], columns[i]] for end in ends)
            canvas.stroke(
                tool, int(rng.integers(0, len(tool.cover))), xs[i], ys[i], angles[i], colors[i],
                scale=1.0 if inside else 0.55, opacity=0.95, streak=0.35,
            )  # fmt: skip
    return canvas


def _outlined(
    canvas: Canvas, facet: NDArray[np.int64], line: Field, looks: Field, rng: np.random.Generator
) -> Field:
    """Draw the contours in dry black, firm in some facets and lost in others."""
    size = canvas.size
    unit = size / 1024
    edge = np.zeros(facet.shape, bool)
    edge[:, 1:] |= facet[:, 1:] != facet[:, :-1]
    edge[1:, :] |= facet[1:, :] != facet[:-1, :]
    far = distance(edge, max(3, round(8 * unit)))
    drawn = looks[facet][..., 5]
    wander = noise(size, rng, 12, 3)
    press = 0.5 + 0.5 * np.tanh(1.5 * wander + 3.0 * (drawn - 0.45))
    dry = smoothstep(-1.3, 0.4, grain(size, rng, 0.8 * unit) + 1.8 * press - 0.4)
    seam = smoothstep(2.6 * unit + 0.4, 0.6 * unit, far) * press
    things = smoothstep(0.0044, 0.0016, line) * (0.45 + 0.55 * press)
    ink = np.clip(np.maximum(0.8 * seam, things) * dry, 0, 1)[..., None]
    color = canvas.color + ink * (LINE - canvas.color)
    weave = 0.05 * blur(grain(size, rng), 0.7)
    return relief(color, canvas.height + weave, 1.1, 0.08)
