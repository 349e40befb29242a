"""What a choice means is seen in the painting: painted small, by the network that comes along."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from impasto import resources
from impasto.painting.painter import Painting, PaintRequest, paint
from impasto.painting.toolbox import load_toolbox
from impasto.settings import PaintingSettings, Settings
from impasto_dialog.looks import Colors, Look, Quality, Strength, paint_options

pytestmark = pytest.mark.slow

PAINTING = PaintingSettings(steps=24, max_pixels_cpu=3000, memory_mb=4000)
OFFERED = (Strength.SUBTLE, Strength.BALANCED, Strength.STRONG)


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    """Green land below a red sky, with soft forms."""
    light = Image.radial_gradient("L").resize((96, 72))
    sky = Image.linear_gradient("L").resize((96, 72))
    return Image.merge("RGB", (light, sky, Image.new("L", (96, 72), 60)))


@pytest.fixture(scope="module")
def painted(photo: Image.Image) -> Callable[[Look], Painting]:
    """Paints the photo as a wave, once for each look."""
    toolbox = load_toolbox(Settings(painting=PAINTING))
    style = Image.open(resources.styles_folder() / "wave.jpg").convert("RGB")

    @functools.cache
    def paint_once(look: Look) -> Painting:
        options = paint_options(look, [], PAINTING, PAINTING.max_pixels_cpu)
        request = PaintRequest(content=photo, styles=[(style, 1.0)], options=options)
        *_, last = paint(request, toolbox)
        assert isinstance(last, Painting)
        return last

    return paint_once


def test_each_strength_has_more_of_the_style(painted: Callable[[Look], Painting]) -> None:
    distances = []
    for strength in OFFERED:
        look = Look(strength=strength)
        weight = paint_options(look, [], PAINTING, 1024).style_weight
        assert weight is not None
        distances.append(painted(look).losses.style / weight)
    assert all(nearer < farther for farther, nearer in itertools.pairwise(distances))


def test_own_colors_are_the_photos(painted: Callable[[Look], Painting], photo: Image.Image) -> None:
    own = same_hue(painted(Look(colors=Colors.OWN)).picture, photo)
    assert own > 0.95
    assert own > same_hue(painted(Look()).picture, photo) + 0.2


def test_quick_is_less_work_and_a_smaller_picture(painted: Callable[[Look], Painting]) -> None:
    quick, standard = painted(Look(quality=Quality.QUICK)), painted(Look())
    assert quick.steps < standard.steps
    assert quick.picture.width < standard.picture.width


def same_hue(one: Image.Image, other: Image.Image) -> float:
    """Mean cosine between the chroma (a, b) of CIE Lab, where there is any; 1 is the same hue."""
    left, right = chroma(one), chroma(other.resize(one.size))
    size = np.linalg.norm(left, axis=-1) * np.linalg.norm(right, axis=-1)
    colored = size > 25
    return float(((left * right).sum(axis=-1)[colored] / size[colored]).mean())


def chroma(picture: Image.Image) -> NDArray[np.float64]:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    converted = ImageCms.profileToProfile(picture.convert("RGB"), srgb, lab, outputMode="LAB")
    assert converted is not None
    return np.asarray(converted)[..., 1:].astype(np.int8).astype(np.float64)
