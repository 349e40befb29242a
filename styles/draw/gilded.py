"""A tree of gold whose branches end in spirals, over a meadow of ornament, on squares of gold leaf.

Ornament grows at three scales: the tree's great scrolls; disks packed between them with spirals,
rings, eyes and wedges; and the small squares of leaf, each beaten, scratched and a little off its
neighbor.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from .curves import Sheet
from .fields import Field, blur, grain, grid, noise, smoothstep
from .palette import luminance, palette, ramp, rgb
from .strokes import picture, relief

GOLD = palette("6f4312 a86d1c d69a2e f0c04f fbe08a")
UMBER = rgb("2b160f")
JEWELS = palette("b3202f e4572e 1e5fa8 2a9d8f 6b2d82 f4efe0 17203f d94f86 3f7f3a")
HORIZON = 0.735


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the tree at `size` by `size` pixels."""
    hand, leaf = rng.spawn(2)
    gold = _leaf(size, leaf)
    sheet = Sheet(gold)
    _meadow(sheet, hand)
    _packed(sheet, hand, 0.04, HORIZON - 0.06, (0.034, 0.025, 0.017, 0.011, 0.007), 150)
    _tree(sheet, hand)
    return picture(_gilded(sheet.color(), gold, leaf))


def _leaf(size: int, rng: np.random.Generator) -> Field:
    """Lay squares of gold leaf, each with its own tone, smaller ones in some places."""
    x, y = grid(size)
    tones = rng.random((128, 128)).astype(np.float32)
    coarse = tones[(y * 24).astype(int), (x * 24).astype(int)]
    fine = tones[(y * 72).astype(int) + 24, (x * 72).astype(int) + 24]
    clouds = noise(size, rng, 5, 4)
    mixed = np.where(clouds > 0.15, fine, coarse)
    worn = noise(size, rng, 120, 3, stretch=(0.3, 1.0))
    at = 0.50 + 0.42 * (mixed - 0.5) + 0.13 * clouds + 0.06 * worn
    cells = np.where(clouds > 0.15, 72, 24)
    seam = np.minimum(np.abs((x * cells + 0.5) % 1 - 0.5), np.abs((y * cells + 0.5) % 1 - 0.5))
    dark = smoothstep(0.0016, 0.0004, seam / cells)
    return ramp(GOLD, np.clip(at - 0.38 * dark, 0, 1))


def _packed(
    sheet: Sheet,
    rng: np.random.Generator,
    top: float,
    bottom: float,
    radii: tuple[float, ...],
    tries: int,
) -> None:
    """Throw disks from large to small and keep those that touch no other."""
    kept: list[tuple[float, float, float]] = []
    for radius in radii:
        for _ in range(tries):
            x, y = rng.random(), rng.uniform(top, bottom)
            if all(np.hypot(x - a, y - b) > 1.08 * (radius + r) for a, b, r in kept):
                kept.append((x, y, radius))
                _medal(sheet, rng, x, y, radius)


def _medal(sheet: Sheet, rng: np.random.Generator, x: float, y: float, radius: float) -> None:
    """Fill one disk with a spiral, rings, an eye or wedges."""
    first, second, third = JEWELS[rng.choice(len(JEWELS), 3, replace=False)]
    sheet.disks([(x, y, radius)], UMBER)
    sheet.disks([(x, y, 0.90 * radius)], GOLD[3])
    kind = rng.random()
    if kind < 0.34:
        sheet.disks([(x, y, 0.80 * radius)], first if rng.random() < 0.5 else GOLD[4])
        curve = _spiral(x, y, 0.78 * radius, rng.random() * 6.3, 2.6, rng.choice([-1, 1]))
        sheet.line(curve, 0.15 * radius, UMBER if kind < 0.2 else second)
    elif kind < 0.62:
        for share, ink in ((0.82, first), (0.62, GOLD[4]), (0.50, second), (0.32, UMBER),
                           (0.20, third)):  # fmt: skip
            sheet.disks([(x, y, share * radius)], ink)
    elif kind < 0.80:
        turn = rng.random() * np.pi
        t = np.linspace(0, 2 * np.pi, 48, dtype=np.float32)
        u, v = 0.82 * np.cos(t), 0.46 * np.sin(t) * np.abs(np.sin(t)) ** 0.3
        cos, sin = np.cos(turn), np.sin(turn)
        lid = np.stack([u * cos - v * sin, u * sin + v * cos], axis=1)
        sheet.disks([(x, y, 0.82 * radius)], first)
        sheet.polygon(np.array([x, y], np.float32) + radius * lid, JEWELS[5])
        sheet.disks([(x, y, 0.36 * radius)], second)
        sheet.disks([(x, y, 0.18 * radius)], UMBER)
    else:
        sheet.disks([(x, y, 0.82 * radius)], first)
        count = int(rng.integers(5, 10))
        for k in range(count):
            a, b = 2 * np.pi * (k + 0.08) / count, 2 * np.pi * (k + 0.55) / count
            wedge = [(x, y)] + [
                (x + 0.80 * radius * np.cos(c), y + 0.80 * radius * np.sin(c))
                for c in np.linspace(a, b, 5)
            ]
            sheet.polygon(np.array(wedge, np.float32), second if k % 2 else GOLD[4])
        sheet.disks([(x, y, 0.25 * radius)], third)


def _spiral(
    x: float, y: float, radius: float, turn: float, rounds: float, hand: int, samples: int = 120
) -> Field:
    """Return a spiral (n, 2) from its rim at the angle `turn` inwards."""
    t = np.linspace(0, 1, samples, dtype=np.float32)
    far = radius * (1 - t) ** 0.9 + 0.02 * radius
    around = turn + hand * 2 * np.pi * rounds * t
    return np.stack([x + far * np.cos(around), y + far * np.sin(around)], 1).astype(np.float32)


def _meadow(sheet: Sheet, rng: np.random.Generator) -> None:
    """Sow the ground with flowers so dense that it is a carpet."""
    x = np.linspace(-0.02, 1.02, 80, dtype=np.float32)
    edge = HORIZON + 0.020 * np.sin(7 * x) + 0.012 * np.sin(17 * x + 1)
    ground = np.concatenate([np.stack([x, edge], 1), [[1.02, 1.02], [-0.02, 1.02]]])
    sheet.polygon(ground.astype(np.float32), rgb("1d4a38"))
    for k in range(900):
        at = np.array([rng.random(), rng.uniform(HORIZON + 0.01, 1.0)])
        turn, reach = rng.random() * np.pi, rng.uniform(0.010, 0.024)
        way = reach * np.array([np.cos(turn), np.sin(turn)])
        blade = np.stack([at - way, at, at + way]).astype(np.float32)
        tint = ramp(palette("123a34 2f7f4f 86a83a d9b23a"), rng.random())
        sheet.line(blade, np.array([0.001, 0.006, 0.001]), tint if k % 5 else JEWELS[2])
    _packed(sheet, rng, HORIZON + 0.03, 1.0, (0.030, 0.021, 0.014, 0.009), 130)


def _tree(sheet: Sheet, rng: np.random.Generator) -> None:
    """Grow the trunk and its scrolls, each branch an arc that rolls up, with lesser ones on it."""
    trunk = np.array([(0.50, 1.0), (0.49, 0.86), (0.505, 0.72), (0.50, 0.55), (0.50, 0.40)])
    t = np.linspace(0, 1, 60)
    curve = np.stack([np.interp(t, np.linspace(0, 1, 5), trunk[:, k]) for k in (0, 1)], 1)
    _bough(sheet, curve.astype(np.float32), 0.085 - 0.050 * t.astype(np.float32))
    for x, y, radius, hand, thick in (
        (0.26, 0.30, 0.140, 1, 0.026), (0.74, 0.27, 0.145, -1, 0.026),
        (0.20, 0.56, 0.098, 1, 0.020), (0.81, 0.55, 0.100, -1, 0.020),
        (0.50, 0.165, 0.105, 1, 0.022), (0.09, 0.13, 0.075, 1, 0.014),
        (0.92, 0.10, 0.070, -1, 0.014), (0.38, 0.50, 0.050, 1, 0.012),
        (0.63, 0.47, 0.052, -1, 0.012), (0.07, 0.40, 0.052, 1, 0.011),
        (0.94, 0.36, 0.050, -1, 0.011),
    ):  # fmt: skip
        turn = np.pi / 2 if abs(x - 0.5) < 0.1 else (0.35 if x < 0.5 else np.pi - 0.35)
        scroll = _spiral(x, y, radius, turn, 2.3, hand, 160)
        foot = np.array([0.5, min(0.62, y + 0.25)])
        s = np.linspace(0, 1, 40)[:, None]
        bend = np.array([0.5 * (0.5 + x), max(y, 0.2) + 0.12])
        arm = (1 - s) ** 2 * foot + 2 * s * (1 - s) * bend + s**2 * scroll[0]
        whole = np.concatenate([arm, scroll[1:]]).astype(np.float32)
        width = thick * np.linspace(1.25, 0.28, len(whole), dtype=np.float32)
        _bough(sheet, whole, width)
        for i in rng.integers(12, len(whole) - 60, 5):
            out = rng.uniform(0.018, 0.032)
            side = rng.choice([-1, 1])
            cx, cy = whole[i] + side * out * np.array([0.6, -0.8])
            curl = _spiral(cx, cy, out, rng.random() * 6.3, 1.7, side, 60)
            _bough(sheet, curl, 0.32 * thick * np.linspace(1, 0.4, 60, dtype=np.float32))


def _bough(sheet: Sheet, curve: Field, width: Field) -> None:
    """Draw a bough: dark rim, gold body, a row of dark dashes along its middle."""
    sheet.line(curve, width + 0.0055, UMBER)
    sheet.line(curve, width, GOLD[2])
    sheet.line(curve - 0.12 * width[:, None], 0.42 * width, GOLD[4])
    for start in range(3, len(curve) - 4, 6):
        dash = curve[start : start + 3]
        sheet.line(dash, 0.30 * width[start : start + 3], UMBER if start % 4 else JEWELS[0])


def _gilded(color: Field, gold: Field, rng: np.random.Generator) -> Field:
    """Raise the drawing as gesso, scratch and beat the metal, craze the paint."""
    size = len(color)
    unit = size / 1024
    raised = smoothstep(0.03, 0.25, np.abs(luminance(color) - luminance(gold)))
    beaten = noise(size, rng, 90, 3, gain=0.7)
    scratches = smoothstep(1.6, 2.6, noise(size, rng, 200, 1, stretch=(0.08, 1.0)))
    crazed = np.abs(noise(size, rng, 34, 3))
    crack = smoothstep(0.05, 0.0, crazed) * 0.30
    height = 0.9 * blur(raised, 1.6 * unit) + 0.28 * beaten + 0.10 * grain(size, rng, 0.8 * unit)
    tone = 1 + 0.06 * beaten + 0.05 * grain(size, rng, 0.7) - crack + 0.12 * scratches
    return relief(color * tone[..., None], height, 1.0, 0.45)
