"""The plots of the report, as SVG: loss against time, time and memory against pixels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .figures import Figures
from .pairs import MAIN_SIZE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOSSES: Final = "losses.svg"
PIXELS: Final = "pixels.svg"
PLOTS: Final = {
    LOSSES: "Losses against time, by pair, beside the baseline",
    PIXELS: "Time and memory against pixels",
}
_COLUMNS = 3
_BASELINE_COLOR = "0.45"
_MAIN_SIZE = "x".join(map(str, MAIN_SIZE))
_STYLE: Final[dict[Any, Any]] = {
    "svg.hashsalt": "impasto",  # the same figures give the same file
    "svg.fonttype": "none",
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.frameon": False,
}


def plots_of(figures: Figures) -> list[str]:
    """File names of the plots for which there are figures."""
    there = {LOSSES: bool(_main_pairs(figures)), PIXELS: bool(figures["worker"])}
    return [name for name in PLOTS if there[name]]


def draw(figures: Figures, folder: Path) -> None:
    """Writes the plots for which there are figures."""
    import matplotlib as mpl

    mpl.use("svg")
    folder.mkdir(parents=True, exist_ok=True)
    make = {LOSSES: _losses, PIXELS: _pixels}
    with mpl.rc_context(_STYLE):
        for name in plots_of(figures):
            figure = make[name](figures)
            figure.savefig(folder / name, metadata={"Date": None}, bbox_inches="tight")


def _main_pairs(figures: Figures) -> list[Figures]:
    return [pair for pair in figures["pairs"] if pair["size"] == _MAIN_SIZE]


def _losses(figures: Figures) -> Figure:
    """Two rows of panels for each row of pairs: `single` and `multi`, both axes logarithmic."""
    from matplotlib.figure import Figure as NewFigure

    pairs = _main_pairs(figures)
    lines = -(-len(pairs) // _COLUMNS)
    columns = min(_COLUMNS, len(pairs))
    figure = NewFigure(figsize=(3.4 * columns, 2.4 * 2 * lines), layout="constrained")
    axes = figure.subplots(2 * lines, columns, squeeze=False)
    for panel in axes.flat:
        panel.set_visible(False)
    for index, pair in enumerate(pairs):
        line, column = divmod(index, _COLUMNS)
        single, multi = axes[2 * line][column], axes[2 * line + 1][column]
        _panel(single, f"{pair['pair'].replace(':', ' x ')}: single")
        _panel(multi, f"{pair['pair'].replace(':', ' x ')}: multi")
        _baseline_losses(single, multi, pair["baseline"])
        for number, painter in enumerate(pair["painters"]):
            seconds, singles, multis = zip(*painter["curve"], strict=True)
            color = f"C{number}"
            single.plot(seconds, singles, color=color, label=painter["painter"])
            multi.plot(seconds, multis, color=color, label=painter["painter"])
    axes[0][0].legend()
    return figure


def _baseline_losses(single: Axes, multi: Axes, baseline: Figures) -> None:
    """Of `multi` only the end is known."""
    seconds, losses = zip(*baseline["curve"], strict=True)
    single.plot(seconds, losses, color=_BASELINE_COLOR, label="baseline")
    multi.plot(baseline["seconds"], baseline["multi"], "o", color=_BASELINE_COLOR)
    multi.axhline(baseline["multi"], color=_BASELINE_COLOR, linestyle="--", linewidth=0.8)


def _panel(axes: Axes, title: str) -> None:
    axes.set_visible(True)
    axes.set_title(title)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("seconds")


def _pixels(figures: Figures) -> Figure:
    from matplotlib.figure import Figure as NewFigure

    figure = NewFigure(figsize=(7, 2.8), layout="constrained")
    time, memory = figure.subplots(1, 2)
    by_painter: dict[str, list[Figures]] = {}
    for worker in sorted(figures["worker"], key=lambda w: int(w["painted_pixels"])):
        by_painter.setdefault(worker["painter"], []).append(worker)
    for painter, workers in sorted(by_painter.items()):
        pixels = [worker["painted_pixels"] for worker in workers]
        time.plot(pixels, [w["seconds"]["median"] for w in workers], "o-", label=painter)
        memory.plot(pixels, [w["peak_mb"]["largest"] for w in workers], "o-", label=painter)
    _baseline_by_pixels(time, memory, figures["pairs"])
    time.set_ylabel("seconds")
    memory.set_ylabel("peak of the painting process, MB")
    time.set_yscale("log")
    memory.set_ylim(bottom=0)
    for axes in (time, memory):
        axes.set_xscale("log")
        axes.set_xlabel("pixels")
    time.legend()
    return figure


def _baseline_by_pixels(time: Axes, memory: Axes, pairs: list[Figures]) -> None:
    """A point for each pair and size."""
    style: dict[str, Any] = {"color": _BASELINE_COLOR, "linestyle": "", "marker": "x"}
    pixels = [pair["pixels"] for pair in pairs]
    seconds = [pair["baseline"]["seconds"] for pair in pairs]
    peaks = [pair["baseline"]["peak_mb"] for pair in pairs]
    time.plot(pixels, seconds, label="baseline", **style)
    memory.plot(pixels, peaks, label="baseline", **style)
