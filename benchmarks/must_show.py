"""The figures that were asked for, each beside what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .figures import Figures
from .measuring import LEAN, NEWEST
from .painters import DEFAULT, EMBEDDED, LOWEST_SINGLE
from .pairs import MAIN_SIZE

_MAIN_SIZE = "x".join(map(str, MAIN_SIZE))
UNKNOWN = "not measured"


@dataclass(frozen=True, slots=True)
class Row:
    """A figure, what was asked of it, and what was measured."""

    figure: str
    asked: str
    measured: str = UNKNOWN
    reached: bool | None = None
    """None: not measured."""


def rows(figures: Figures) -> list[Row]:
    """One for each figure, in the order in which they were asked for."""
    make: tuple[Callable[[Figures], Row], ...] = (
        _to_multi,
        _to_single,
        _default_picture,
        _first_preview,
        _painter_memory,
        _bot_memory,
        _large_bot_memory,
        _on_gpu,
    )
    return [one(figures) for one in make]


def _to_multi(figures: Figures) -> Row:
    figure = f"time to the baseline's final `multi`, {DEFAULT.name}"
    values = over_pairs(figures, DEFAULT.name, "to_multi")
    return _at_least(figure, 60, values)


def _to_single(figures: Figures) -> Row:
    """By the better of the painters: any schedule was allowed."""
    figure = "time to 1.1 times the baseline's final `single`"
    found = {
        name: over_pairs(figures, name, "to_single") for name in (DEFAULT.name, LOWEST_SINGLE.name)
    }
    best = max(found, key=lambda name: statistics.median(found[name] or [0]))
    return _at_least(f"{figure}, {best}", 12, found[best])


def _default_picture(figures: Figures) -> Row:
    figure = f"default picture, {DEFAULT.name}, its `multi` at most a fifth of the baseline's"
    speeds = over_pairs(figures, DEFAULT.name, "whole")
    row = _at_least(figure, 20, speeds)
    if not speeds:
        return row
    shares = [
        painter["multi"] / pair["baseline"]["multi"]
        for pair, painter in of_painter(figures, DEFAULT.name)
    ]
    share = statistics.median(shares)
    measured = f"{row.measured}; `multi` {share:.2f} of the baseline's (at most {max(shares):.2f})"
    return Row(figure, row.asked, measured, bool(row.reached) and share <= 0.2)


def _first_preview(figures: Figures) -> Row:
    figure = "first preview after the job is taken, in the chat"
    found = _bots(figures, EMBEDDED.name, 230_400, NEWEST)
    seconds = [bot["taken_to_preview_seconds"]["median"] for bot in found]
    return _at_most(figure, [1.0], seconds, "s", 2)


def _painter_memory(figures: Figures) -> Row:
    figure = "peak of the painting process at 230,400 pixels: VGG; embedded network"
    peaks = [
        worker["peak_mb"]["largest"]
        for name in (DEFAULT.name, EMBEDDED.name)
        for worker in figures["worker"]
        if worker["painter"] == name and worker["pixels"] == 230_400
    ]
    return _at_most(figure, [360, 300], peaks, "MB")


def _bot_memory(figures: Figures) -> Row:
    return _bot_peaks(figures, 230_400, 480)


def _large_bot_memory(figures: Figures) -> Row:
    return _bot_peaks(figures, 921_600, 640)


def _bot_peaks(figures: Figures, pixels: int, asked: float) -> Row:
    figure = (
        f"peak of the whole bot at {pixels:,} pixels: embedded network and the newest aiogram; "
        "VGG and a leaner aiogram"
    )
    wanted = ((EMBEDDED.name, NEWEST), (DEFAULT.name, LEAN))
    peaks = [
        bot["peak_mb"]["largest"]
        for network, aiogram in wanted
        for bot in _bots(figures, network, pixels, aiogram)
    ]
    return _at_most(figure, [asked, asked], peaks, "MB")


def _on_gpu(figures: Figures) -> Row:
    figure = f"on a GPU, {DEFAULT.name}: 1 megapixel; 12 megapixels"
    seconds = [
        run["later_seconds"]["median"]
        for run in sorted(figures["gpu"], key=lambda run: int(run["pixels"]))
        if run["painter"] == DEFAULT.name
    ]
    return _at_most(figure, [1, 10], seconds, "s", 2)


def of_painter(figures: Figures, painter: str) -> list[tuple[Figures, Figures]]:
    """Pairs at the main size and what the painter did there."""
    return [
        (pair, found)
        for pair in figures["pairs"]
        if pair["size"] == _MAIN_SIZE
        for found in pair["painters"]
        if found["painter"] == painter
    ]


def over_pairs(figures: Figures, painter: str, name: str) -> list[float]:
    """How much sooner than the baseline, by pair; 0 where it was never there."""
    found = [of_painter[name] for _, of_painter in of_painter(figures, painter)]
    return [reaching["sooner"]["median"] if reaching else 0.0 for reaching in found]


def _bots(figures: Figures, network: str, pixels: int, aiogram: str) -> list[Figures]:
    wanted = (network, pixels, aiogram)
    return [b for b in figures["bot"] if (b["network"], b["pixels"], b["aiogram"]) == wanted]


def _at_least(figure: str, asked: float, values: Sequence[float]) -> Row:
    """The median over pairs of how many times sooner."""
    wanted = f"{asked:g} times sooner"
    if not values:
        return Row(figure, wanted)
    median = statistics.median(values)
    measured = f"{median:.1f} times sooner ({min(values):.1f} to {max(values):.1f})"
    return Row(figure, wanted, measured, median >= asked)


def _at_most(
    figure: str, asked: Sequence[float], values: Sequence[float], unit: str, digits: int = 0
) -> Row:
    """Several values, each with its own bound."""
    wanted = "; ".join(f"{bound:g} {unit}" for bound in asked)
    if len(values) != len(asked):
        return Row(figure, wanted)
    measured = "; ".join(f"{value:.{digits}f} {unit}" for value in values)
    return Row(
        figure,
        wanted,
        measured,
        all(value <= bound for value, bound in zip(values, asked, strict=True)),
    )
