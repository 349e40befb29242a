"""What is painted, by which painters: photos and styles, named sets of options and settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from PIL import Image

SIDE: Final = 480
"""Of the squares to which photo and style of a pair are squeezed, in pixels: as the
baseline does."""


@dataclass(frozen=True, slots=True)
class SharedData:
    """The folder with the baseline, VGG's weights and the pictures, which is not part of this
    repository."""

    folder: Path

    @property
    def baseline(self) -> Path:
        return self.folder / "reference" / "tutorial_nst.py"

    @property
    def vgg(self) -> Path:
        return self.folder / "data" / "weights" / "vgg19-features-0-10.safetensors"

    def photo(self, name: str) -> Path:
        return self.folder / "data" / "photos" / f"{name}.jpg"

    def style(self, name: str) -> Path:
        return self.folder / "data" / "paintings" / f"{name}.jpg"

    def check(self) -> None:
        """Raises FileNotFoundError that says what to do."""
        for file in (self.baseline, self.vgg):
            if not file.is_file():
                raise FileNotFoundError(f"{file} is not there; name its folder with --shared")


@dataclass(frozen=True, slots=True)
class Pair:
    """A photo and a style of the shared data."""

    content: str
    style: str

    @classmethod
    def parse(cls, text: str) -> Pair:
        """`content:style`. Raises ValueError."""
        content, colon, style = text.partition(":")
        if not (content and colon and style):
            raise ValueError(f"a pair is CONTENT:STYLE, not {text!r}")
        return cls(content, style)

    @property
    def name(self) -> str:
        return f"{self.content}:{self.style}"

    @property
    def title(self) -> str:
        return f"{self.content} x {self.style}"

    @property
    def file_name(self) -> str:
        """The stem of files about this pair."""
        return f"{self.content}-{self.style}"

    def squeezed(self, shared: SharedData, folder: Path) -> tuple[Path, Path]:
        """Both pictures as squares, as files: pixel for pixel what the baseline reads."""
        sources = (self.content, shared.photo(self.content)), (self.style, shared.style(self.style))
        folder.mkdir(parents=True, exist_ok=True)
        for name, source in sources:
            with Image.open(source) as picture:
                square = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
            square.save(folder / f"{name}.png")
        return folder / f"{self.content}.png", folder / f"{self.style}.png"


PAIRS: Final = (
    Pair("tubingen", "starry_night"),
    Pair("golden_gate", "the_scream"),
    Pair("chicago", "mosaic"),
    Pair("ballerina", "seated_nude"),
    Pair("flowers", "composition_vii"),
    Pair("hoover_tower_night", "great_wave"),
)

VGG: Final = "VGG"
"""Stands for the file with VGG-19's first convolutions, wherever it lies."""


BASELINE_OBJECTIVE: Final = {"style_weight": 1e6, "color_coherence": 0.0, "simplify": 0.0}
"""Settings with which the product minimises what the baseline does."""


@dataclass(frozen=True, slots=True)
class Painter:
    """A way of painting that is compared with others."""

    name: str
    options: Mapping[str, Any]
    """Fields of `impasto.PaintOptions`."""
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """Of the section `painting`."""

    def request(self, vgg: Path, pixels: int, threads: int) -> dict[str, Any]:
        """Options and settings as plain values, for pictures of that many pixels."""

        def with_file(values: Mapping[str, Any]) -> dict[str, Any]:
            return {name: str(vgg) if value == VGG else value for name, value in values.items()}

        options = with_file(self.options)
        painting = {
            "threads": threads,
            "device": "cpu",
            "memory_mb": USUAL_MEMORY_MB,
            "network": options["network"],  # a warm worker has it loaded
            **BASELINE_OBJECTIVE,
            **with_file(self.settings),
            **settings_for(pixels),
        }
        return {"options": options, "settings": {"painting": painting}}


_ROOM_FOR_VGG: Final = {"memory_mb": 372}
"""VGG-19's maps are larger than the default leaves room for."""

EMBEDDED: Final = Painter("embedded", {"network": "embedded"})
FINE: Final = Painter(
    "embedded, fine",
    {"network": "auto", "fine": True},
    {"fine_network": VGG, **_ROOM_FOR_VGG},
)
"""The last steps on VGG-19."""
OF_VGG: Final = Painter("VGG", {"network": VGG}, _ROOM_FOR_VGG)
CUT: Final = Painter("VGG, cut", {"network": VGG, "steps": 22}, _ROOM_FOR_VGG)
"""In about the seconds that the embedded network takes."""
PAINTERS: Final = (EMBEDDED, FINE, OF_VGG, CUT)

USUAL_MEMORY_MB: Final = 300
"""What painting may take, as on a small host: left to itself, it takes more where there is more."""
_MEMORY_MB: Final = ((250_000, None), (1_000_000, 440))
"""What painting may take for a picture of at most that many pixels; None is as usual. A bot for
larger pictures must be given more, or it scales them down."""


def settings_for(pixels: int) -> dict[str, int]:
    """The section `painting` for whoever wants pictures of that many pixels."""
    memory = next(memory for most, memory in _MEMORY_MB if pixels <= most)
    return {"max_pixels_cpu": pixels} | ({} if memory is None else {"memory_mb": memory})


def painter_named(name: str) -> Painter:
    """Raises ValueError."""
    for painter in PAINTERS:
        if painter.name == name:
            return painter
    raise ValueError(f"there is no painter {name!r} among {[p.name for p in PAINTERS]}")
