"""Pictures for `docs/small-network.md`: one photo by VGG-19, the small network, and others.

    python -m benchmarks.network_pictures

Photo and presets are ours, so that the pictures may stand in the repository.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from PIL import Image

from impasto import PaintOptions, PaintRequest, open_picture, paint
from impasto.data_folders import styles_folder
from impasto.painting.catalogue import load_catalogue
from impasto.painting.painter import Painting
from impasto.settings import Settings
from impasto_styles import read_presets

from . import processes
from .painters import DEFAULT, EMBEDDED, FINE, OF_RANDOM_WEIGHTS, RANDOM, VGG, NetworkFiles, Painter
from .pairs import SharedData
from .records import REPOSITORY
from .sheets import side_by_side

PRESETS: Final = ("night", "mosaic", "palette_knife")
PHOTO: Final = REPOSITORY / "docs" / "images" / "gallery" / "photo.jpg"
FOLDER: Final = REPOSITORY / "docs" / "images" / "network"


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        random_network = Path(place) / "random.safetensors"
        processes.ask("random_network", {"file": str(random_network)})
        files = {VGG: SharedData(REPOSITORY.parent / "shared").vgg, RANDOM: random_network}
        for name in PRESETS:
            paintings = []
            for painter in (DEFAULT, EMBEDDED, FINE, OF_RANDOM_WEIGHTS):
                paintings.append(Path(place) / f"{name}-{painter.name}.png")
                painted(painter, name, files).save(paintings[-1])
            side_by_side(paintings).save(FOLDER / f"{name}.jpg", quality=88, optimize=True)


def painted(painter: Painter, preset_name: str, files: NetworkFiles) -> Image.Image:
    """The gallery's photo after a preset, as the preset wishes."""
    request = painter.request(files, threads=0)
    request["settings"]["painting"]["memory_mb"] = 0  # several networks are loaded here
    settings = Settings.model_validate(request["settings"])
    preset = next(p for p in read_presets(styles_folder()) if p.name == preset_name)
    options = PaintOptions(
        **request["options"],
        style_weight=settings.painting.style_weight * preset.strength,
        brush_size=preset.brush_size,
    )
    asked = PaintRequest(
        content=open_picture(PHOTO),
        styles=[(open_picture(preset.picture), 1.0)],
        options=options,
    )
    *_, painting = paint(asked, load_catalogue(settings))
    assert isinstance(painting, Painting)
    return painting.picture


if __name__ == "__main__":
    main()
