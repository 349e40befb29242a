"""Pictures become tensors and back, and tensors other sizes."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from impasto.painting.tensors import resize, shrink, to_picture, to_tensor


def test_pictures_and_tensors_convert_without_loss() -> None:
    picture = Image.effect_noise((40, 33), 80).convert("RGB")
    tensor = to_tensor(picture)
    assert tensor.shape == (1, 3, 33, 40)
    assert to_picture(tensor).tobytes() == picture.tobytes()
    assert to_picture(torch.full((1, 3, 32, 32), 1.7)).getpixel((0, 0)) == (255, 255, 255)


def test_resizing_keeps_the_mean() -> None:
    image = torch.rand(1, 3, 120, 90, generator=torch.Generator().manual_seed(0))
    assert resize(image, (60, 45)).mean().item() == pytest.approx(image.mean().item(), abs=0.01)
    assert resize(image, (120, 90)) is image


@pytest.mark.parametrize("size", [(20, 15), (21, 15), (20, 14), (40, 30)])
def test_a_shrunk_pixel_is_the_mean_of_those_it_covers(size: tuple[int, int]) -> None:
    image = torch.rand(1, 3, 40, 30, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(shrink(image, size), F.adaptive_avg_pool2d(image, size))
