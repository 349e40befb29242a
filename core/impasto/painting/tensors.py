"""From picture to tensor and back, and tensors at other sizes."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image


def to_tensor(picture: Image.Image) -> torch.Tensor:
    """An RGB picture as a 1x3xHxW float32 tensor in [0, 1]."""
    values = torch.from_numpy(np.array(picture.convert("RGB")))
    return values.permute(2, 0, 1)[None].float().div_(255).contiguous()


def to_picture(image: torch.Tensor) -> Image.Image:
    """A 1x3xHxW tensor as an RGB picture; values are clamped to [0, 1]."""
    values = image.detach()[0].clamp(0, 1).mul(255).round().byte()
    return Image.fromarray(values.permute(1, 2, 0).cpu().numpy())


def resize(image: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """A 1x3xHxW tensor at another (height, width), bicubic, antialiased where it shrinks.

    Values may leave [0, 1] a little, as bicubic interpolation overshoots.
    """
    if image.shape[-2:] == torch.Size(size):
        return image
    return F.interpolate(image, size=size, mode="bicubic", antialias=True)


def shrink(image: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """A 1x3xHxW tensor at a smaller (height, width), each pixel the mean of those it covers."""
    if not _is_half(size, image):
        return F.adaptive_avg_pool2d(image, size)
    rows = image[:, :, 0::2] + image[:, :, 1::2]
    return (rows[..., 0::2] + rows[..., 1::2]).div_(4)


def add_through_shrinking(total: torch.Tensor, gradient: torch.Tensor) -> None:
    """Adds to the gradient at an image (`total`, 1x3xHxW) what follows from that at its shrunk
    copy."""
    size = (gradient.shape[-2], gradient.shape[-1])
    if _is_half(size, total):
        share = gradient / 4
        for row in (0, 1):
            for column in (0, 1):
                total[:, :, row::2, column::2] += share
        return
    with torch.enable_grad():
        image = torch.zeros_like(total, requires_grad=True)  # it is linear: any image will do
        # Not `grad(..., gradient)`: torch would import sympy to check shapes, for 40 MB.
        product = (shrink(image, size) * gradient).sum()
    (back,) = torch.autograd.grad(product, image)
    total.add_(back)


def _is_half(size: tuple[int, int], image: torch.Tensor) -> bool:
    """Whether each pixel at this (height, width) covers just four of the image: slices take a
    quarter of the time that torch's pooling does."""
    return image.shape[-2:] == (2 * size[0], 2 * size[1])


def image_of(picture: Image.Image, size: tuple[int, int], device: torch.device) -> torch.Tensor:
    """A picture as 1x3xHxW float32 in [0, 1], shrunk to (height, width), on a device."""
    return shrink(to_tensor(picture).to(device), size)
