"""The plot of the report: losses against time, by pair, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .report import Compared

_COLUMNS: Final = 3
_BASELINE: Final[dict[str, Any]] = {"color": "0.45"}
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


def draw_losses(pairs: Sequence[Compared], file: Path) -> None:
    """Two rows of panels for each row of pairs: `single` and `multi`, both axes logarithmic."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.use("svg")
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = -(-len(pairs) // _COLUMNS)
    columns = min(_COLUMNS, len(pairs))
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(3.4 * columns, 2.4 * 2 * rows), layout="constrained")
        axes = figure.subplots(2 * rows, columns, squeeze=False)
        for panel in axes.flat:
            panel.set_visible(False)
        for index, pair in enumerate(pairs):
            row, column = divmod(index, _COLUMNS)
            _draw_pair(pair, axes[2 * row][column], axes[2 * row + 1][column])
        axes[0][0].legend()
        figure.savefig(file, metadata={"Date": None}, bbox_inches="tight")


def _draw_pair(pair: Compared, single: Axes, multi: Axes) -> None:
    """Of the baseline's `multi` only the end is known."""
    for axes, loss in ((single, "single"), (multi, "multi")):
        axes.set_visible(True)
        axes.set_title(f"{pair.pair.title}: {loss}")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("seconds")
    recording = pair.recording
    evaluations, losses = zip(*recording.single_by_evaluation, strict=True)
    seconds = [pair.pace * evaluation for evaluation in evaluations]
    single.plot(seconds, losses, label="baseline", **_BASELINE)
    multi.plot(seconds[-1], recording.multi, "o", **_BASELINE)
    multi.axhline(recording.multi, linestyle="--", linewidth=0.8, **_BASELINE)
    for painted in pair.painters:
        singles, multis = zip(*painted.scores, strict=True)
        single.plot(painted.moments, singles, label=painted.painter)
        multi.plot(painted.moments, multis, label=painted.painter)
