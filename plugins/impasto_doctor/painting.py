"""What painting needs: torch, a device, a network, and enough memory. A process of its own looks,
so that this one stays without torch."""

from __future__ import annotations

import contextlib
import importlib.metadata
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from impasto.contracts import PIXEL_BOUNDS, Finding
from impasto.errors import OwnerError
from impasto.jobs.painter_process import at_work, how_it_ended
from impasto.lean_aiogram import build_models_on_use
from impasto.memory import (
    LEAST_FOR_PAINTING,
    MEGABYTE,
    memory_limit,
    return_free_memory,
    unreclaimable_bytes,
)
from impasto.messages import Entered, Probe, Probed
from impasto.plugins import settings_for_painting, without_plugins
from impasto.settings import AUTO
from impasto.settings.variables import environment_without_settings
from impasto_doctor.bot import advice_for

if TYPE_CHECKING:
    from impasto.settings import PaintingSettings, Settings

PROBE: Final = (sys.executable, "-P", "-m", "impasto.painting", "probe")
PROBE_SECONDS: Final = 120.0
RESERVE_MB: Final = 40
"""For the program code that the bot runs through, and what the kernel keeps for two processes."""
LEAST_PAINTING_MB: Final = LEAST_FOR_PAINTING // MEGABYTE


def check(settings: Settings) -> Iterator[Finding]:
    # From here on this process is as a bot that waits for updates: its plugins are loaded.
    build_models_on_use()
    return_free_memory()
    limit, bot = memory_limit(), unreclaimable_bytes()
    budgets = (settings.painting.memory_mb, room_beside(bot, limit))
    try:
        probed = ask(settings, [mb for mb in budgets if mb and mb != AUTO])
    except OwnerError as error:
        advice = "install torch anew; docs/deploying.md says which build"
        yield Finding.problem("torch", f"painting cannot be tried: {error}", advice)
        return
    yield check_packages(probed.torch)
    for name, problem in probed.failed_plugins.items():
        says = _with_places(problem, name, settings)
        yield Finding.warning(f"plugin {name}", says, advice_for(problem))
    if probed.problem:
        advice = "correct the setting that names it; `impasto plugins` lists what plugins offer"
        yield Finding.problem("painting", probed.problem, advice)
        return
    yield describe_device(probed)
    says = f"network {probed.network}, optimizer {probed.optimizer}, {probed.threads} threads"
    yield Finding.ok("painting", says)
    yield check_fine(settings.painting, probed)
    if probed.fitting_pixels:
        yield check_memory(settings.painting, probed, limit, bot)


def _with_places(problem: str, plugin: str, settings: Settings) -> str:
    """What the painting process tells of a plugin's settings, with where they are written: it was
    handed their values alone."""
    return re.sub(
        rf"(?:^|(?<=; ))plugins\.{re.escape(plugin)}\.[\w.]+",
        lambda found: found[0] + settings.place(found[0]),
        problem,
    )


def ask(settings: Settings, budgets: list[int]) -> Probed:
    """What the probe answers; where a plugin brings it down, what it answers without that one.

    Raises:
        OwnerError: it answers nothing; the message says why.
    """
    question = Probe(settings=settings_for_painting(settings), budgets=budgets)
    fatal: dict[str, str] = {}
    while True:
        try:
            found = _ask(question)
            return found.model_copy(update={"failed_plugins": fatal | found.failed_plugins})
        except _ProbeLost as loss:
            if not loss.plugin or loss.plugin in fatal:
                raise
            fatal[loss.plugin] = str(loss)
            values = without_plugins(question.settings, [loss.plugin])
            question = question.model_copy(update={"settings": values})


class _ProbeLost(OwnerError):
    """The probe has ended without an answer."""

    def __init__(self, why: str, output: str) -> None:
        """`output`: what it has said until then."""
        entered: list[Entered] = []
        for line in output.splitlines():
            with contextlib.suppress(ValidationError):
                entered.append(Entered.model_validate_json(line))
        at = at_work(entered)
        self.plugin = at.plugin if at is not None else ""
        super().__init__(f"{why}, in {at.what!r}" if at is not None else why)


def _ask(question: Probe) -> Probed:
    try:
        ended = subprocess.run(  # noqa: S603  (our own program)
            PROBE,
            input=question.model_dump_json(),
            capture_output=True,
            env=environment_without_settings(),
            encoding="utf-8",
            errors="replace",
            timeout=PROBE_SECONDS,
            check=False,
        )
        return Probed.model_validate_json(ended.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired as late:
        why = f"it took longer than {PROBE_SECONDS:g} s"
        said = (late.stdout or b"").decode(errors="replace")  # bytes, whatever was asked for
        raise _ProbeLost(why, said) from None
    except (IndexError, ValidationError):
        last_lines = ended.stderr.strip().splitlines()[-1:]
        # A crash of machine code leaves its stack there.
        is_explained = ended.returncode > 0 and last_lines
        why = last_lines[0] if is_explained else f"the process {how_it_ended(ended.returncode)}"
        raise _ProbeLost(why, ended.stdout) from None


def check_packages(torch: str) -> Finding:
    """Versions, and whether torchvision is the one that goes with torch. Only fetching networks
    uses it, so a wrong one keeps nothing from starting."""
    says = f"torch {torch}, aiogram {importlib.metadata.version('aiogram')}"
    try:
        torchvision = importlib.metadata.version("torchvision")
        requirements = importlib.metadata.requires("torchvision") or []
    except importlib.metadata.PackageNotFoundError:
        advice = "`impasto weights fetch` needs it; nothing else does"
        return Finding.warning("packages", f"{says}, no torchvision", advice)
    says = f"{says}, torchvision {torchvision}"
    pins = [pin[1] for line in requirements if (pin := re.match(r"torch\s*\(?==\s*([\w.]+)", line))]
    if pins and pins[0] != torch.partition("+")[0]:
        advice = "`impasto weights fetch` may fail; install the two that go together"
        return Finding.warning("packages", f"{says}, which goes with torch {pins[0]}", advice)
    return Finding.ok("packages", says)


def describe_device(probed: Probed) -> Finding:
    others = "".join(f"; not {name}: {why}" for name, why in probed.unusable_devices.items())
    precision = probed.precision
    if probed.device == "cpu" and precision == "float32":
        precision = "float32, as this CPU has no bfloat16 units: slower, not worse"
    return Finding.ok("device", f"{probed.device} in {precision}{others}")


def check_fine(painting: PaintingSettings, probed: Probed) -> Finding:
    """Whether pictures can be finished on a better network; a matter of concern only where the
    settings want it of all pictures."""
    if probed.why_not_fine is None:
        which = "all of them" if painting.fine else "on request"
        return Finding.ok("fine pictures", f"finished on {painting.fine_network}: {which}")
    says = f"none: {probed.why_not_fine}"
    if not painting.fine:
        return Finding.ok("fine pictures", says)
    advice = "painting.fine asks for them; until then pictures are painted as usual"
    return Finding.warning("fine pictures", says, advice)


def check_memory(
    painting: PaintingSettings, probed: Probed, limit: int | None, bot: int | None
) -> Finding:
    """Whether bot and painting go into this host together, and how large a picture may be.

    Args:
        limit: bytes that both may take together.
        bot: bytes of the bot's memory that the kernel cannot take back.
    """
    asked = (probed.auto_mb or 0) if painting.memory_mb == AUTO else painting.memory_mb
    fitting, cap = probed.fitting_pixels.get(asked), painting.max_pixels_cpu
    room = room_beside(bot, limit)
    if limit is None or bot is None or room is None:
        return _fits("this host does not tell its memory", fitting, cap)
    says = f"{limit // MEGABYTE:,} MB here, of which the bot keeps about {bot // MEGABYTE}"
    if room < LEAST_PAINTING_MB:
        says = f"{says}; painting needs {LEAST_PAINTING_MB} MB more"
        return Finding.problem("memory", says, "take a host with 512 MB or more")
    if painting.memory_mb == AUTO:
        return _automatic(says, asked, fitting or 0)
    largest = _size(min(probed.fitting_pixels[room], PIXEL_BOUNDS[1]))
    most = f"with {room}, the largest safe painting.max_pixels_cpu is {largest}"
    if not asked or asked > room:
        allowed = f"allows {asked}" if asked else "is no limit"
        says = f"{says}, and painting.memory_mb {allowed}: the system may end either of them"
        return Finding.warning("memory", says, f"set painting.memory_mb to {room} or less; {most}")
    says = f"{says} and painting up to {asked}"
    return _fits(says, fitting, cap, most)


def _automatic(says: str, megabytes: int, fitting: int) -> Finding:
    """How large a picture may be in the memory that is left now."""
    largest = _size(min(fitting, PIXEL_BOUNDS[1]))
    says = f"{says} and painting now up to {megabytes:,} (auto); the largest picture is {largest}"
    if megabytes > LEAST_PAINTING_MB:
        return Finding.ok("memory", says)
    advice = "end other programs, a bot that runs already for one, or take a larger host"
    return Finding.warning("memory", f"{says}, as no more memory is free", advice)


def _fits(says: str, fitting: int | None, cap: int, most: str = "") -> Finding:
    """Whether pictures at the pixel cap fit; `most` says how large they could be here."""
    if fitting is not None and fitting < cap:
        says = f"{says}; pictures are painted at {_size(fitting)}, not at the cap of {cap:,}"
        advice = "raise painting.memory_mb or lower painting.max_pixels_cpu"
        return Finding.warning("memory", says, "; ".join(filter(None, [advice, most])))
    parts = [says, f"the cap of {cap:,} pixels fits", most]
    return Finding.ok("memory", "; ".join(filter(None, parts)))


def room_beside(bot: int | None, limit: int | None) -> int | None:
    """MB that painting may take beside the bot; None where that is not known."""
    if limit is None or bot is None:
        return None
    return max(0, (limit - bot) // MEGABYTE - RESERVE_MB)


def _size(pixels: int) -> str:
    side = math.isqrt(pixels)
    return f"{pixels:,} ({side} x {side})"
