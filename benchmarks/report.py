"""`docs/performance.md`, its data beside it, its plots, and the page about the small network: all
from figures, nothing measured."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from . import figures as computing
from . import machine, network_page
from .baseline import Baseline
from .figures import Figures
from .must_show import rows
from .pairs import SharedData
from .plots import PLOTS, draw, plots_of
from .records import Records
from .tables import table, yes

MOST_OTHERS = 0.1
"""Share of the CPUs that other programs may take before the report warns."""
IMAGES = Path("images") / "performance"


def write_report(folder: Path, docs: Path) -> None:
    """From what was measured in `folder`; where nothing was, from the data in `docs`.

    Raises:
        FileNotFoundError: neither is there.
    """
    data = docs / "performance.json"
    measured = folder / "measurements.jsonl"
    if measured.is_file():
        # What is recorded of the baseline needs no shared data to be read.
        baseline = Baseline(SharedData(Path()), folder / "baseline", threads=1)
        figures = computing.compute(Records(measured), baseline, machine.describe())
        data.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    if not data.is_file():
        raise FileNotFoundError(f"there is neither {measured} nor {data}: measure first")
    figures = json.loads(data.read_text())
    (docs / "performance.md").write_text(as_markdown(figures))
    pictures = sorted((docs / "images" / "network").glob("*.jpg"))
    page = network_page.as_markdown(figures, [str(file.relative_to(docs)) for file in pictures])
    (docs / network_page.PAGE).write_text(page)
    draw(figures, docs / IMAGES)


def as_markdown(figures: Figures) -> str:
    """The whole page."""
    parts = [
        _introduction(figures),
        "## What was asked for",
        table(
            ["figure", "asked", "measured", "reached"],
            ([r.figure, r.asked, r.measured, yes(r.reached)] for r in rows(figures)),
        ),
        "## Beside the baseline",
        _BESIDE,
        *(f"![{PLOTS[name]}]({(IMAGES / name).as_posix()})" for name in plots_of(figures)),
        *(_pair_table(pair) for pair in figures["pairs"]),
        "## The painting process",
        _WORKER,
        _worker_table(figures["worker"]),
        "## The whole bot",
        _BOT,
        _bot_table(figures["bot"]),
    ]
    if figures["gpu"]:
        parts += ["## On a GPU", _GPU, _gpu_table(figures["gpu"])]
    return "\n\n".join(parts) + "\n"


def _introduction(figures: Figures) -> str:
    facts, (first, last) = figures["machine"], figures["measured"]
    when = first if first == last else f"{first} to {last}"
    gpu = f" and {facts['gpu']}" if "gpu" in facts else ""
    others = figures["others"]
    sentences = [
        f"Measured {when} by `make bench` on {facts['cores']} cores of {facts['cpu']}{gpu}, "
        f"{facts['memory_gb']} GB of memory, {facts['system']}, Python {facts['python']}, "
        f"torch {facts['torch']}, aiogram {facts['aiogram']}.",
        "Figures are medians, with the least and the largest behind them. MB are 2^20 bytes.",
        f"Other programs took {others['median']:.0%} of the CPUs meanwhile "
        f"({others['largest']:.0%} at most).",
    ]
    if others["largest"] > MOST_OTHERS:
        sentences.append("**That is much: some of the seconds below are too many.**")
    mixed = [scope for scope, codes in figures["code"].items() if len(codes) > 1]
    if mixed:
        sentences.append(f"**Measured of different states of the code: {', '.join(mixed)}.**")
    return "# Speed, memory and quality\n\n" + "\n".join(sentences)


_BESIDE = """\
The baseline is one-scale style transfer as it is usually done: VGG-19's first five convolutions in
float32, torch's L-BFGS, the photo as start. `single` is its loss at full size, `multi` the sum over
full, half and quarter size; both are computed by the baseline's own code from pictures of 8 bits.
All painters get photo and style squeezed to the size. The baseline's losses were recorded once; its
seconds are its evaluations times what one took just before each of our runs, which flatters it by
some percent. Seconds of ours count from the moment a warm worker takes the job, reading the
pictures included. "Sooner" is against the baseline's whole run; "than it itself" is against the
time after which the baseline was at the same loss."""
_WORKER = """\
The painting process as the bot drives it, a photo of just that many pixels. "First preview" and
"painted" count from the moment it is told, files written included; the peak is its largest resident
set (VmHWM), "idle" the same before its first job."""
_BOT = """\
`impasto run` with a person who sends a photo of 1280 x 960 and taps the first preset, over HTTP on
the same machine. Memory is the sum of proportional set sizes of all its processes, polled 20 times
a second. Seconds count from the moment the job was taken until the person sees it."""
_GPU = """\
The painting process on the GPU; the first job of a process, and the median of those after it."""


_PAIR_HEADER = (
    *("painter", "seconds", "times faster"),
    *("to the baseline's `multi`", "to 1.1 times its `single`", "than it itself"),
    *("`single`", "`multi`", "peak MB"),
)


def _pair_table(pair: Figures) -> str:
    baseline = pair["baseline"]
    title = (
        f"**{pair['pair'].replace(':', ' x ')}, {pair['size'].replace('x', ' x ')}**: the baseline "
        f"made {baseline['evaluations']} evaluations of {_spread(baseline['pace'], 2)} s"
    )
    lines = [_baseline_line(baseline), *map(_painter_line, pair["painters"])]
    return f"{title}\n\n{table(_PAIR_HEADER, lines)}"


def _baseline_line(baseline: Figures) -> list[str]:
    losses = [f"{baseline['single']:.3g}", f"{baseline['multi']:.4g}"]
    seconds, peak = f"{baseline['seconds']:.0f}", f"{baseline['peak_mb']:.0f}"
    return ["baseline", seconds, "1", "", "", "", *losses, peak]


def _painter_line(painter: Figures) -> list[str]:
    return [
        painter["painter"],
        _spread(painter["whole"]["seconds"], 1),
        _sooner(painter["whole"]),
        _reaching(painter["to_multi"]),
        _reaching(painter["to_single"]),
        _sooner(painter["to_single_alike"]),
        f"{painter['single']:.3g}",
        f"{painter['multi']:.4g}",
        f"{painter['peak_mb']['largest']:.0f}",
    ]


def _worker_table(workers: Iterable[Figures]) -> str:
    return table(
        ["network", "pixels", "start, s", "first preview, s", "painted, s", "idle MB", "peak MB"],
        (
            [
                worker["painter"],
                _pixels(worker["pixels"], worker["painted_pixels"]),
                _spread(worker["start_seconds"], 1),
                _spread(worker["first_preview_seconds"], 2),
                _spread(worker["seconds"], 1),
                f"{worker['idle_mb']['median']:.0f}",
                _spread(worker["peak_mb"], 0),
            ]
            for worker in sorted(workers, key=lambda w: (w["painter"], w["pixels"]))
        ),
    )


def _pixels(asked: int, painted: float) -> str:
    """What does not fit the memory is scaled down; a percent is lost to whole rows and columns."""
    return f"{asked:,}" if painted > 0.98 * asked else f"{asked:,} (painted {painted:,.0f})"


def _bot_table(bots: Iterable[Figures]) -> str:
    return table(
        [
            *("network", "pixels", "aiogram", "first preview, s", "ready, s"),
            *("peak MB", "of which the bot", "of which the painter"),
        ],
        (
            [
                bot["network"],
                _pixels(bot["pixels"], bot["painted_pixels"]["least"]),
                bot["aiogram"],
                _spread(bot["taken_to_preview_seconds"], 2),
                _spread(bot["taken_to_ready_seconds"], 1),
                _spread(bot["peak_mb"], 0),
                f"{bot['bot_mb']['median']:.0f}",
                f"{bot['painter_mb']['median']:.0f}",
            ]
            for bot in bots
        ),
    )


def _gpu_table(runs: Iterable[Figures]) -> str:
    return table(
        ["network", "pixels", "first job, s", "later jobs, s"],
        (
            [
                run["painter"],
                f"{run['pixels']:,}",
                _spread(run["first_seconds"], 2),
                _spread(run["later_seconds"], 2),
            ]
            for run in runs
        ),
    )


def _spread(values: Figures | None, digits: int) -> str:
    if values is None:
        return "none"
    median = f"{values['median']:.{digits}f}"
    if values["count"] == 1:
        return median
    return f"{median} ({values['least']:.{digits}f} to {values['largest']:.{digits}f})"


def _sooner(reaching: Figures | None) -> str:
    return f"{_spread(reaching['sooner'], 1)}" if reaching else "never"


def _reaching(reaching: Figures | None) -> str:
    if reaching is None:
        return "never"
    return f"{reaching['seconds']['median']:.1f} s, {_sooner(reaching)} sooner"
