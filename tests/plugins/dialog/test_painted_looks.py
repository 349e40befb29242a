"""What a choice means is seen in the painting: painted small, by the network that comes along."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from impasto import data_folders
from impasto.painting.catalogue import Catalogue, load_catalogue
from impasto.painting.painter import Painting, PaintRequest, paint
from impasto.settings import PaintingSettings, Settings
from impasto_dialog.looks import Brush, Colors, Look, Quality, Strength, paint_options

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("painted looks")]

PAINTING = PaintingSettings(steps=24, max_pixels_cpu=3000, memory_mb=4000)
OFFERED = (Strength.SUBTLE, Strength.BALANCED, Strength.STRONG)
COLORED = 25.0
"""Chroma from which a pixel has a hue worth comparing, in units of CIE Lab."""
COARSEST_MARK = 64
"""Pixels: what repeats more slowly belongs to the photo's own forms."""


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    """Green land below a red sky, with soft forms."""
    light = Image.radial_gradient("L").resize((96, 72))
    sky = Image.linear_gradient("L").resize((96, 72))
    return Image.merge("RGB", (light, sky, Image.new("L", (96, 72), 60)))


@pytest.fixture(scope="module")
def painted(photo: Image.Image) -> Callable[[Look], Painting]:
    """Paints the photo as a wave, once for each look."""
    catalogue = load_catalogue(Settings(painting=PAINTING))
    return functools.cache(functools.partial(painted_with, catalogue, photo))


def painted_with(catalogue: Catalogue, photo: Image.Image, look: Look) -> Painting:
    painting = catalogue.settings.painting
    options = paint_options(look, [], painting, painting.max_pixels_cpu)
    style = Image.open(data_folders.styles_folder() / "wave.jpg").convert("RGB")
    *_, last = paint(PaintRequest(content=photo, styles=[(style, 1.0)], options=options), catalogue)
    assert isinstance(last, Painting)
    return last


def test_each_strength_has_more_of_the_style(painted: Callable[[Look], Painting]) -> None:
    distances = []
    for strength in OFFERED:
        look = Look(strength=strength)
        weight = paint_options(look, [], PAINTING, 1024).style_weight
        assert weight is not None
        distances.append(painted(look).losses.style / weight)
    assert all(nearer < farther for farther, nearer in itertools.pairwise(distances))


def test_a_broader_brush_leaves_larger_marks(photo: Image.Image) -> None:
    settings = Settings(painting=PAINTING.model_copy(update={"max_pixels_cpu": 120_000}))
    catalogue = load_catalogue(settings)
    large = photo.resize((400, 300))
    # Strong, as so few steps would leave marks of the photo's own between weaker ones.
    looks = [Look(brush=brush, strength=Strength.STRONG) for brush in Brush]
    spacings = [mark_spacing(painted_with(catalogue, large, look).picture) for look in looks]
    assert all(finer < broader for finer, broader in itertools.pairwise(spacings))


def test_own_colors_are_the_photos(painted: Callable[[Look], Painting], photo: Image.Image) -> None:
    own = hue_agreement(painted(Look(colors=Colors.OWN)).picture, photo)
    assert own > 0.95
    assert own > hue_agreement(painted(Look()).picture, photo) + 0.2


def test_quick_is_less_work_and_a_smaller_picture(painted: Callable[[Look], Painting]) -> None:
    quick, standard = painted(Look(quality=Quality.QUICK)), painted(Look())
    assert quick.steps < standard.steps
    assert quick.picture.width < standard.picture.width


def mark_spacing(picture: Image.Image) -> float:
    """Mean wavelength of a picture's lightness in pixels, of waves up to COARSEST_MARK: each
    counts as its power times its frequency, as a picture's coarse waves are its strongest."""
    lightness = np.asarray(picture.convert("L"), dtype=np.float64)
    power = np.abs(np.fft.rfft2(lightness - lightness.mean())) ** 2
    rows = np.fft.fftfreq(lightness.shape[0])[:, None]
    columns = np.fft.rfftfreq(lightness.shape[1])[None]
    frequency = np.hypot(rows, columns)
    fine = frequency >= 1 / COARSEST_MARK
    weight = power[fine] * frequency[fine]
    return float(weight.sum() / (weight * frequency[fine]).sum())


def hue_agreement(one: Image.Image, other: Image.Image) -> float:
    """Mean cosine between the chroma (a, b) of CIE Lab, where there is any; 1 is the same hue."""
    left, right = _chroma(one), _chroma(other.resize(one.size))
    size = np.linalg.norm(left, axis=-1) * np.linalg.norm(right, axis=-1)
    colored = size > COLORED
    return float(((left * right).sum(axis=-1)[colored] / size[colored]).mean())


def _chroma(picture: Image.Image) -> NDArray[np.float64]:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    converted = ImageCms.profileToProfile(picture.convert("RGB"), srgb, lab, outputMode="LAB")
    assert converted is not None
    return np.asarray(converted)[..., 1:].astype(np.int8).astype(np.float64)
