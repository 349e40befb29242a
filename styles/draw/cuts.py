"""A canvas cut in two again and again: shapes whose halves differ in tone, and contours between."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .fields import Field, blur, grid, smoothstep

Tone = TypeVar("Tone")


def cut_in_two(
    size: int,
    count: int,
    least: float,
    directions: NDArray[np.float64],
    first: Tone,
    rng: np.random.Generator,
    across: Callable[[Field, Field, float, np.random.Generator], Field],
    other: Callable[[Tone, np.random.Generator], Tone],
) -> tuple[NDArray[np.intp], list[Tone]]:
    """Cut a canvas of `size` by `size` pixels until there are `count` shapes.

    A shape smaller than `least`, a share of the canvas, is cut no more. `across` gives, at the x
    and y of a shape's points, how far they lie on one side of a cut in a direction in radians. The
    canvas has the tone `first`; of a shape that is cut one half keeps its tone, and `other` gives
    that of the other half.

    Returns the number of the shape at each pixel, and the tones of the shapes.
    """
    x, y = grid(size)
    shape = np.zeros((size, size), np.intp)
    areas, tones = [1.0], [first]
    # Each shape has a chance of its own: of two sizes of a picture, which round areas differently,
    # one may cut a shape sooner, but no other shape changes by that.
    hands, eager = [rng], [0.0]
    while len(areas) < count:
        # A large one, though not always the largest, so that sizes differ widely.
        wish = np.where(np.array(areas) > least, eager + 2 * np.log(areas), -np.inf)
        chosen = int(wish.argmax())
        hands[chosen], hand = hands[chosen].spawn(2)
        where = shape == chosen
        px, py = x[where], y[where]
        # Across a long shape rather than along it, which would leave slivers.
        fit = np.square(np.sin(directions - _spread(px, py)))
        angle = float(hand.choice(directions, p=fit**2 / np.sum(fit**2)))
        side = across(px, py, angle, hand)
        beyond = side > float(np.quantile(side, hand.uniform(0.3, 0.7)))
        shape[where] = np.where(beyond, len(areas), chosen)
        share = float(beyond.mean())
        areas.append(areas[chosen] * share)
        areas[chosen] *= 1 - share
        tones.append(other(tones[chosen], hand))
        hands.append(hand)
        eager[chosen] = float(hands[chosen].gumbel())
        eager.append(float(hand.gumbel()))
    return shape, tones


def contours(tone: Field, half_width: float, faint: float, firm: float) -> Field:
    """Return how firm contours are, 0 to 1, where tones differ: none up to `faint`, all from `firm`
    on. `half_width` is a share of the side."""
    reach = half_width * len(tone)
    slope = np.hypot(*np.gradient(blur(tone, reach))) * reach
    return smoothstep(faint, firm, slope)


def _spread(x: Field, y: Field) -> float:
    """Return the direction in radians in which points spread most."""
    dx, dy = x - x.mean(), y - y.mean()
    return float(0.5 * np.arctan2(2 * (dx * dy).mean(), (dx * dx).mean() - (dy * dy).mean()))
