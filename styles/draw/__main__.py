"""Redraw the preset pictures: `python -m draw [NAME ...] [--size PIXELS]`, run from styles/."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from PIL import Image

from . import PRESETS, draw_preset

KEPT_SIZE = 768
"""Pixels a side of the kept pictures. They are drawn larger, so that marks keep clean edges."""
QUALITY = 88


def save(image: Image.Image, folder: Path, name: str, size: int) -> Path:
    """Shrink the picture to `size` by `size` pixels and write it as a JPEG."""
    path = folder / f"{name}.jpg"
    kept = image.resize((size, size), Image.Resampling.LANCZOS)
    kept.save(path, quality=QUALITY, optimize=True, progressive=True)
    return path


def main() -> None:
    """Draw what the command line asks for and say where it went."""
    parser = argparse.ArgumentParser(prog="python -m draw", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(PRESETS)}")
    parser.add_argument("--size", type=int, default=KEPT_SIZE, help="pixels a side of the files")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent.parent)
    asked = parser.parse_args()
    unknown = sorted(set(asked.names) - set(PRESETS))
    if unknown:
        parser.error(f"no preset is called {', '.join(unknown)}; there are {', '.join(PRESETS)}")
    asked.out.mkdir(parents=True, exist_ok=True)
    for name in asked.names or PRESETS:
        started = time.perf_counter()
        path = save(draw_preset(name, max(1024, asked.size)), asked.out, name, asked.size)
        kilobytes = path.stat().st_size // 1024
        print(f"{path.name}: {kilobytes} KB, {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
