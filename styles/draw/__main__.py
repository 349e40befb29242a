"""Redraw the preset pictures: `python -m draw [NAME ...] [--size PIXELS]`, run from styles/."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from PIL import Image

from . import PRESETS, draw_preset

LARGEST_PNG = 1_200_000
"""Bytes; a picture whose PNG is larger is kept as a JPEG."""


def save(image: Image.Image, folder: Path, name: str) -> Path:
    """Write the picture as a PNG, or as a JPEG of quality 90 where the PNG would be large."""
    png, jpeg = folder / f"{name}.png", folder / f"{name}.jpg"
    image.save(png, optimize=True)
    if png.stat().st_size <= LARGEST_PNG:
        jpeg.unlink(missing_ok=True)
        return png
    png.unlink()
    image.save(jpeg, quality=90, subsampling=0)
    return jpeg


def main() -> None:
    """Draw what the command line asks for and say where it went."""
    parser = argparse.ArgumentParser(prog="python -m draw", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(PRESETS)}")
    parser.add_argument("--size", type=int, default=1024, help="pixels a side (default: 1024)")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent.parent)
    asked = parser.parse_args()
    unknown = sorted(set(asked.names) - set(PRESETS))
    if unknown:
        parser.error(f"no preset is called {', '.join(unknown)}; there are {', '.join(PRESETS)}")
    asked.out.mkdir(parents=True, exist_ok=True)
    for name in asked.names or PRESETS:
        started = time.perf_counter()
        path = save(draw_preset(name, asked.size), asked.out, name)
        kilobytes = path.stat().st_size // 1024
        print(f"{path.name}: {kilobytes} KB, {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
