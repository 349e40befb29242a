"""The ways of painting that are compared: named sets of options and settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

VGG: Final = "VGG"
"""Stands for the file with VGG-19's first convolutions, wherever it lies."""
RANDOM: Final = "random"
"""Stands for a file with a network of the embedded one's shape and random weights."""
NetworkFiles = Mapping[str, Path]
"""The files that VGG and RANDOM stand for."""


@dataclass(frozen=True, slots=True)
class Painter:
    """A name and what it stands for."""

    name: str
    options: Mapping[str, Any]
    """Fields of `impasto.PaintOptions`."""
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    """Sections of the settings."""
    thorough: bool = False
    """Whether it is timed apart from being scored, several times, and also at other sizes than the
    main one. Of the others the run that is scored is the one that is timed; it is slower by what it
    takes to keep the pictures."""

    def request(self, files: NetworkFiles, threads: int, device: str = "cpu") -> dict[str, Any]:
        """Options and settings as plain values."""
        options = _with_files(self.options, files)
        settings = {name: _with_files(values, files) for name, values in self.settings.items()}
        painting = {"threads": threads, "device": device, **settings.get("painting", {})}
        if "network" in options:  # a warm worker has it loaded
            painting["network"] = options["network"]
        return {"options": options, "settings": {**settings, "painting": painting}}


def _with_files(values: Mapping[str, Any], files: NetworkFiles) -> dict[str, Any]:
    return {
        name: str(files[value]) if name.endswith("network") and value in files else value
        for name, value in values.items()
    }


_FOR_VGG: Final = {"painting": {"memory_mb": 372}}
"""VGG-19's maps are larger than what the default leaves room for."""

DEFAULT: Final = Painter("VGG", {"network": VGG}, _FOR_VGG, thorough=True)
EMBEDDED: Final = Painter("embedded", {"network": "embedded"}, thorough=True)
FINE: Final = Painter(
    "embedded, fine",
    {"network": "auto", "fine": True},
    {"painting": {"fine_network": VGG, "memory_mb": 372}},
)
"""The last steps on VGG-19."""
CUT: Final = Painter("VGG, cut", {"network": VGG, "steps": 22}, _FOR_VGG)
"""In about the seconds that the embedded network takes."""
OF_RANDOM_WEIGHTS: Final = Painter("random weights", {"network": RANDOM})
"""What a painting owes to the network's shape alone."""
LOWEST_SINGLE: Final = Painter(
    "VGG, lowest single",
    {"network": VGG, "steps": 200},
    {"painting": {"memory_mb": 0, "coarse_weight": 0, "least_gain": 0.01}},
)
"""For whom the loss at full size counts alone, and memory not: more steps than a good picture
needs."""

_MEMORY_MB: Final = ((250_000, None), (1_000_000, 440), (50_000_000, 2500))
"""What the painting process may take for a picture of at most so many pixels; None is the default.
A bot for larger pictures must be given more, or it scales them down."""

PAINTERS: Final = (DEFAULT, EMBEDDED, FINE, CUT, OF_RANDOM_WEIGHTS, LOWEST_SINGLE)


def settings_for(pixels: int) -> dict[str, int]:
    """The section `painting` for whoever wants pictures of that many pixels."""
    memory = next(memory for most, memory in _MEMORY_MB if pixels <= most)
    allowed = {} if memory is None else {"memory_mb": memory}
    return {"max_pixels_cpu": max(1024, pixels), "max_pixels_gpu": max(1024, pixels), **allowed}


def painter_named(name: str) -> Painter:
    """Raises ValueError."""
    for painter in PAINTERS:
        if painter.name == name:
            return painter
    raise ValueError(f"there is no painter {name!r} among {[p.name for p in PAINTERS]}")
