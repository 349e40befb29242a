"""`docs/small-network.md`: how the embedded network does beside VGG-19, from figures alone."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .figures import Figures
from .must_show import Row, of_painter, over_pairs
from .painters import CUT, DEFAULT, EMBEDDED, FINE, OF_RANDOM_WEIGHTS
from .tables import table, yes

_COMPARED: Final = (DEFAULT, CUT, EMBEDDED, FINE, OF_RANDOM_WEIGHTS)
MOST_BYTES: Final = 1_000_000
PAGE: Final = "small-network.md"

_INTRODUCTION: Final = """\
# The small network

A fresh machine has no pretrained weights, and VGG-19's are large and slow. So the repository has a
network of its own: VGG-19's first five convolutions with far fewer channels, trained to see
pictures as they do. What a style or a photo is to VGG-19, a small matrix tells from what the small
network sees; the losses keep VGG-19's scale, and steps cost a fraction.

`weights/README.md` in the repository says what it was trained on, how, and under which terms.

`single` and `multi` are losses under VGG-19 of the finished picture, at full size and summed over
full, half and quarter size, by the code of the [baseline](performance.md): lower is nearer to what
was asked for. All painters have the same number of steps but two: "VGG, cut" has about the seconds
that the small network takes, and "fine" has some more at the end, which VGG-19 makes.
Photos and styles are none that the training saw."""

_PICTURES: Final = """\
## The pictures

The gallery's photo by VGG-19, by the small network, by the small network with a fine finish, and by
a network of its shape with random weights:"""

_YOUR_OWN: Final = """\
## Train one of your own

Any folder of pictures will do, and VGG-19 as `impasto weights fetch vgg19` stores it; `make distil`
trains, and `weights/README.md` says with which arguments. An hour on two cores makes a usable
network; a GPU is used where there is one. Every choice is in `weights/distil/settings.py`, what
came of each step in the run's log. The option `--network` of `impasto paint`, or the setting
`painting.network`, takes the file that comes out."""


def as_markdown(figures: Figures, pictures: list[str]) -> str:
    """The whole page.

    Args:
        pictures: paths of pictures to be looked at, relative to the page.
    """
    measured = [[row.figure, row.asked, row.measured, yes(row.reached)] for row in rows(figures)]
    parts = [
        _INTRODUCTION,
        "## What was asked for",
        table(["figure", "asked", "measured", "reached"], measured),
        "## Pair by pair",
        table(["pair", *(painter.name for painter in _COMPARED)], _by_pair(figures)),
        "Seconds; `single`; `multi`.",
    ]
    if pictures:
        parts += [_PICTURES, *(f"![{Path(file).stem}]({file})" for file in pictures)]
    return "\n\n".join([*parts, _YOUR_OWN]) + "\n"


def rows(figures: Figures) -> Iterator[Row]:
    """The figures that were asked for, each beside what was measured."""
    size = figures["embedded_bytes"]
    yield Row("file", "at most 1 MB", f"{size / 1e6:.2f} MB", size <= MOST_BYTES)
    yield _step(figures)
    yield _against_vgg(figures, EMBEDDED.name, {"multi": 1.15, "single": 2.0})
    yield _against_vgg(figures, FINE.name, {"multi": 1.1, "single": 1.1})
    yield _against_baseline(figures)
    yield _against_cut(figures)


def _step(figures: Figures) -> Row:
    figure = "a step against VGG-19's, same strips, in turn: all features kept; none kept"
    asked = "4 times faster"
    if not figures["steps"]:
        return Row(figure, asked)
    ratio = figures["steps"]["ratio"]
    measured = f"{ratio['all kept']:.1f} times; {ratio['nothing kept']:.1f} times"
    return Row(figure, asked, measured, min(ratio.values()) >= 4)


def _losses(figures: Figures, painter: str, loss: str) -> list[float]:
    return [found[loss] for _, found in of_painter(figures, painter)]


def _against_vgg(figures: Figures, painter: str, most: dict[str, float]) -> Row:
    """Losses over those of VGG-19's painting with the same steps, medians over the pairs."""
    figure = f"{painter}: its losses over VGG-19's"
    asked = "; ".join(f"`{loss}` at most {bound:g}" for loss, bound in most.items())
    ratios = {
        loss: [
            ours / theirs
            for ours, theirs in zip(
                _losses(figures, painter, loss), _losses(figures, DEFAULT.name, loss), strict=False
            )
        ]
        for loss in most
    }
    if not all(ratios.values()):
        return Row(figure, asked)
    measured = "; ".join(
        f"`{loss}` {statistics.median(found):.2f} ({min(found):.2f} to {max(found):.2f})"
        for loss, found in ratios.items()
    )
    reached = all(statistics.median(ratios[loss]) <= bound for loss, bound in most.items())
    return Row(figure, asked, measured, reached)


def _against_baseline(figures: Figures) -> Row:
    figure = "default picture against the baseline, its `multi` at most a quarter of the baseline's"
    asked = "40 times faster"
    speeds = over_pairs(figures, EMBEDDED.name, "whole")
    if not speeds:
        return Row(figure, asked)
    share = statistics.median(
        found["multi"] / pair["baseline"]["multi"]
        for pair, found in of_painter(figures, EMBEDDED.name)
    )
    median = statistics.median(speeds)
    measured = f"{median:.1f} times faster; `multi` {share:.2f} of the baseline's"
    return Row(figure, asked, measured, median >= 40 and share <= 0.25)


def _against_cut(figures: Figures) -> Row:
    """In how many pairs a VGG-19 painting of as many seconds is beaten."""
    figure = "VGG-19 cut to the same seconds"
    asked = "beaten in `single` and in `multi`"
    beaten = {
        loss: [
            ours < theirs
            for ours, theirs in zip(
                _losses(figures, EMBEDDED.name, loss),
                _losses(figures, CUT.name, loss),
                strict=False,
            )
        ]
        for loss in ("single", "multi")
    }
    if not all(beaten.values()):
        return Row(figure, asked)
    measured = "; ".join(
        f"`{loss}` in {sum(found)} of {len(found)} pairs" for loss, found in beaten.items()
    )
    return Row(figure, asked, measured, all(map(all, beaten.values())))


def _by_pair(figures: Figures) -> Iterator[list[str]]:
    found = {
        painter.name: {pair["pair"]: one for pair, one in of_painter(figures, painter.name)}
        for painter in _COMPARED
    }
    for name in found[DEFAULT.name]:
        yield [name.replace(":", " x "), *(_cell(found[p.name].get(name)) for p in _COMPARED)]


def _cell(painter: Figures | None) -> str:
    if painter is None:
        return ""
    seconds = painter["whole"]["seconds"]["median"]
    return f"{seconds:.1f}; {painter['single']:.3g}; {painter['multi']:.4g}"
