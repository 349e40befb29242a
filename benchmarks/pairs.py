"""The photos and styles that are painted, and at which sizes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

Size = tuple[int, int]
"""Height and width in pixels."""


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

    def painting(self, name: str) -> Path:
        return self.folder / "data" / "paintings" / f"{name}.jpg"

    def check(self) -> None:
        """Raises FileNotFoundError that says what to do."""
        for file in (self.baseline, self.vgg):
            if not file.is_file():
                raise FileNotFoundError(f"{file} is not there; name its folder with --shared")


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """A photo and a style of the shared data, at a size to which both are squeezed: so does the
    yardstick."""

    content: str
    style: str
    size: Size

    @property
    def name(self) -> str:
        return f"{self.content}:{self.style}"

    @property
    def pixels(self) -> int:
        return self.size[0] * self.size[1]

    @property
    def size_name(self) -> str:
        """HEIGHTxWIDTH, as the baseline takes it."""
        return "x".join(map(str, self.size))

    @property
    def file_name(self) -> str:
        """The stem of files about this pair."""
        return f"{self.content}-{self.style}-{self.size_name}"

    def squeezed(self, shared: SharedData, folder: Path) -> tuple[Path, Path]:
        """Both pictures at the size, as files: pixel for pixel what the baseline reads."""
        files = []
        for name, source in (
            (self.content, shared.photo(self.content)),
            (self.style, shared.painting(self.style)),
        ):
            file = folder / f"{name}-{self.size_name}.png"
            if not file.is_file():
                folder.mkdir(parents=True, exist_ok=True)
                with Image.open(source) as picture:
                    size = (self.size[1], self.size[0])
                    squeezed = picture.convert("RGB").resize(size, Image.Resampling.BICUBIC)
                unfinished = file.with_suffix(".part")
                squeezed.save(unfinished, "PNG")
                unfinished.replace(file)
            files.append(file)
        return files[0], files[1]


def parse_pair(text: str, size: Size) -> Pair:
    """`content:style`. Raises ValueError."""
    content, colon, style = text.partition(":")
    if not (content and colon and style):
        raise ValueError(f"a pair is CONTENT:STYLE, not {text!r}")
    return Pair(content, style, size)


def parse_size(text: str) -> Size:
    """`HEIGHTxWIDTH`. Raises ValueError."""
    height, times, width = text.partition("x")
    if not (times and height.isdecimal() and width.isdecimal()):
        raise ValueError(f"a size is HEIGHTxWIDTH, not {text!r}")
    return int(height), int(width)


MAIN_SIZE: Size = (480, 480)
OTHER_SIZES: tuple[Size, ...] = ((240, 240), (320, 320))
PAIRS = (
    "tubingen:starry_night",
    "golden_gate:the_scream",
    "chicago:mosaic",
    "ballerina:seated_nude",
    "flowers:composition_vii",
    "hoover_tower_night:great_wave",
)
PAIRS_AT_OTHER_SIZES = PAIRS[:2]


def standard_pairs() -> list[Pair]:
    """All pairs at the main size, then some at the others."""
    main = [parse_pair(name, MAIN_SIZE) for name in PAIRS]
    return main + [parse_pair(name, size) for size in OTHER_SIZES for name in PAIRS_AT_OTHER_SIZES]
