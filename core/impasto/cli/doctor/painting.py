"""What painting needs: torch, a device, a network, and enough memory. A process of its own looks,
so that this one stays without torch."""

from __future__ import annotations

import importlib.metadata
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, Field, ValidationError

from impasto.cli.doctor.machine import MEGABYTE, memory_limit, memory_now
from impasto.contracts import Finding
from impasto.lean_aiogram import build_models_on_use
from impasto.memory import return_free_memory
from impasto.plugins import settings_for_painting
from impasto.settings.sources import environment_without_settings

if TYPE_CHECKING:
    from impasto.settings import PaintingSettings, Settings

PROBE: Final = (sys.executable, "-m", "impasto.painting", "probe")
PATIENCE: Final = 120.0
RESERVE_MB: Final = 16
"""For what the system keeps for two processes."""
MOST_PIXELS: Final = 50_000_000
"""More is not to be set."""
LEAST_PAINTING_MB: Final = 260
"""Less is not enough to load torch and paint anything."""


class Probed(BaseModel):
    """`impasto.painting.process.probe.Answer`, on this side of the pipe."""

    torch: str
    problem: str
    failed_plugins: dict[str, str]
    device: str
    not_used: dict[str, str]
    precision: str
    threads: int
    network: str
    why_not_fine: str | None
    optimizer: str
    device_pixels: int | None
    fitting_pixels: dict[int, int]


class _Question(BaseModel):
    settings: dict[str, object]
    budgets: list[int] = Field(default_factory=list)


def check(settings: Settings) -> Iterator[Finding]:
    # From here on this process is as a bot that waits for updates: its plugins are loaded.
    build_models_on_use()
    return_free_memory()
    limit, bot = memory_limit(), memory_now()
    room = _room(limit, bot)
    asked = sorted({mb for mb in (settings.painting.memory_mb, room) if mb})
    probed = ask(settings, asked)
    if isinstance(probed, Finding):
        yield probed
        return
    yield packages(probed.torch)
    for name, error in probed.failed_plugins.items():
        yield Finding(
            name=f"plugin {name}",
            verdict="warning",
            says=error,
            advice="mend it, or name it in plugins.deny",
        )
    if probed.problem:
        yield Finding(
            name="painting",
            verdict="problem",
            says=probed.problem,
            advice="correct the setting that names it; `impasto plugins` says what there is",
        )
        return
    yield device(probed)
    yield Finding(
        name="painting",
        verdict="ok",
        says=f"network {probed.network}, optimizer {probed.optimizer}, {probed.threads} threads",
    )
    yield fine(settings.painting, probed)
    if probed.fitting_pixels:
        yield memory(settings, probed, limit, bot, room)


def ask(settings: Settings, budgets: list[int]) -> Probed | Finding:
    """What the probe says, or why it says nothing."""
    question = _Question(settings=settings_for_painting(settings), budgets=budgets)
    try:
        ended = subprocess.run(  # noqa: S603  (our own program)
            PROBE,
            input=question.model_dump_json(),
            capture_output=True,
            env=environment_without_settings(),
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return Probed.model_validate_json(ended.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        why = f"loading torch took longer than {PATIENCE:g} s"
    except (IndexError, ValidationError):
        why = (ended.stderr.strip().splitlines() or [f"it ended with {ended.returncode}"])[-1]
    return Finding(
        name="torch",
        verdict="problem",
        says=f"painting cannot be tried: {why}",
        advice="install torch anew; docs/deploying.md says which build",
    )


def packages(torch: str) -> Finding:
    """Versions, and whether torchvision is the one that goes with torch. It is used to fetch
    networks only, so a wrong one keeps nothing from starting."""
    aiogram = importlib.metadata.version("aiogram")
    says = f"torch {torch}, aiogram {aiogram}"
    try:
        torchvision = importlib.metadata.version("torchvision")
        wanted = importlib.metadata.requires("torchvision") or []
    except importlib.metadata.PackageNotFoundError:
        return Finding(
            name="packages",
            verdict="warning",
            says=f"{says}, no torchvision",
            advice="`impasto weights fetch` needs it; nothing else does",
        )
    pins = [match[1] for line in wanted if (match := re.match(r"torch\s*\(?==\s*([\w.]+)", line))]
    if pins and pins[0] != torch.partition("+")[0]:
        return Finding(
            name="packages",
            verdict="warning",
            says=f"{says}, torchvision {torchvision}, which goes with torch {pins[0]}",
            advice="`impasto weights fetch` may fail; install the two that go together",
        )
    return Finding(name="packages", verdict="ok", says=f"{says}, torchvision {torchvision}")


def device(probed: Probed) -> Finding:
    others = "".join(f"; not {name}: {why}" for name, why in probed.not_used.items())
    precision = probed.precision
    if probed.device == "cpu" and precision == "float32":
        precision = "float32, as this CPU has no bfloat16 units: slower, not worse"
    return Finding(name="device", verdict="ok", says=f"{probed.device} in {precision}{others}")


def fine(painting: PaintingSettings, probed: Probed) -> Finding:
    """Whether pictures can be finished on a better network. That they cannot is as it may be,
    unless the settings want it of all."""
    if probed.why_not_fine is None:
        which = "all of them" if painting.fine else "for who asks for one"
        says = f"finished on {painting.fine_network}: {which}"
        return Finding(name="fine pictures", verdict="ok", says=says)
    says = f"none: {probed.why_not_fine}"
    if not painting.fine:
        return Finding(name="fine pictures", verdict="ok", says=says)
    return Finding(
        name="fine pictures",
        verdict="warning",
        says=says,
        advice="painting.fine asks for them; until then pictures are painted as usual",
    )


def memory(
    settings: Settings, probed: Probed, limit: int | None, bot: int | None, room: int | None
) -> Finding:
    """Whether bot and painting go into this host together, and how large a picture may be."""
    asked, cap = settings.painting.memory_mb, settings.painting.max_pixels_cpu
    if limit is None or bot is None or room is None:
        fits = probed.fitting_pixels.get(asked)
        return _pixels("this host does not tell its memory", fits, cap, None)
    says = f"{limit // MEGABYTE:,} MB here, of which the bot takes about {bot // MEGABYTE}"
    if room < LEAST_PAINTING_MB:
        return Finding(
            name="memory",
            verdict="problem",
            says=f"{says}; painting needs {LEAST_PAINTING_MB} MB more",
            advice="take a host with 512 MB or more",
        )
    most = min(probed.fitting_pixels[room], MOST_PIXELS)
    largest = f"the largest safe painting.max_pixels_cpu is {_size(most)}"
    if not asked or asked > room:
        allowed = f"allows {asked}" if asked else "is no limit"
        return Finding(
            name="memory",
            verdict="warning",
            says=f"{says}, and painting.memory_mb {allowed}: the system may end either of them",
            advice=f"set painting.memory_mb to {room} or less; with {room}, {largest}",
        )
    return _pixels(
        f"{says} and painting up to {asked}",
        probed.fitting_pixels[asked],
        cap,
        f"with painting.memory_mb at {room}, {largest}",
    )


def _pixels(says: str, fits: int | None, cap: int, more: str | None) -> Finding:
    if fits is not None and fits < cap:
        return Finding(
            name="memory",
            verdict="warning",
            says=f"{says}; pictures are painted at {_size(fits)}, not at the cap of {cap:,}",
            advice=f"raise painting.memory_mb or lower painting.max_pixels_cpu; {more or 'try it'}",
        )
    told = [says, f"the cap of {cap:,} pixels fits", more]
    return Finding(name="memory", verdict="ok", says="; ".join(filter(None, told)))


def _room(limit: int | None, bot: int | None) -> int | None:
    """MB that painting may take beside the bot."""
    if limit is None or bot is None:
        return None
    return max(0, (limit - bot) // MEGABYTE - RESERVE_MB)


def _size(pixels: int) -> str:
    side = math.isqrt(pixels)
    return f"{pixels:,} ({side} x {side})"
