"""Where training pictures come from: crops of photographs and textures, strongly recolored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from .textures import textures

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
SHORT_SIDE = 256
TEXTURES = 150
TEXTURE_SIZE = 224


def _read(path: Path, least: int) -> Tensor | None:
    """A photo as H x W x 3 in uint8, its short side at most SHORT_SIDE; None if too small."""
    with Image.open(path) as opened:
        opened.draft("RGB", (SHORT_SIDE * 2, SHORT_SIDE * 2))
        picture = opened.convert("RGB")
    shrink = SHORT_SIDE / min(picture.size)
    if shrink < 1:
        size = (round(picture.width * shrink), round(picture.height * shrink))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(picture)) if min(picture.size) >= least else None


def recolored(pictures: Tensor, strength: float, random: torch.Generator) -> Tensor:
    """B x 3 x H x W with random color mixing, contrast, brightness and gamma, in [0, 1]."""
    count = len(pictures)

    def normal(*shape: int) -> Tensor:
        return torch.randn(count, *shape, generator=random)

    gamma = torch.exp(0.35 * strength * normal(1, 1, 1))
    pictures = pictures.clamp(1e-4, 1) ** gamma
    mix = torch.eye(3) + 0.25 * strength * normal(3, 3)
    # Rows keep their sum, so that gray stays near gray unless the tint below moves it.
    mix = mix / mix.sum(2, keepdim=True).abs().clamp_min(0.4)
    contrast = torch.exp(0.4 * strength * normal(1, 1, 1))
    tint = 0.5 + 0.12 * strength * normal(3, 1, 1)
    mixed = torch.einsum("bij,bjhw->bihw", mix, pictures - 0.5)
    return (mixed * contrast + tint).clamp(0, 1)


class Pictures:
    """Draws crops; everything random comes from the generator that `draw` is given."""

    def __init__(self, folder: Path, crop: int, seed: int) -> None:
        paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
        read = (_read(path, crop) for path in paths)
        self.photos = [photo for photo in read if photo is not None]
        if not self.photos:
            raise SystemExit(f"No photo of at least {crop} pixels a side in {folder}.")
        made = textures(seed, TEXTURES, max(TEXTURE_SIZE, crop))
        self.textures = [torch.from_numpy(np.array(texture)) for texture in made]
        self.crop = crop

    def _one(self, source: list[Tensor], random: torch.Generator) -> Tensor:
        """One crop of any scale between the full resolution and the whole picture."""

        def below(limit: int) -> int:
            return int(torch.randint(limit, (1,), generator=random))

        picture = source[below(len(source))]
        height, width = picture.shape[:2]
        side = self.crop + below(min(height, width) - self.crop + 1)
        if below(2):
            side = self.crop
        top, left = below(height - side + 1), below(width - side + 1)
        piece = picture[top : top + side, left : left + side].permute(2, 0, 1)[None].float() / 255
        if side > self.crop:
            piece = functional.interpolate(
                piece, size=(self.crop, self.crop), mode="bilinear", antialias=True
            )
        return piece.flip(3) if below(2) else piece

    def draw(
        self, count: int, random: torch.Generator, textured: float = 0.0, strength: float = 0.5
    ) -> Tensor:
        """`count` crops, that share of them textures, recolored; B x 3 x crop x crop."""
        made = torch.rand(count, generator=random) < textured
        crops = [self._one(self.textures if texture else self.photos, random) for texture in made]
        return recolored(torch.cat(crops), strength, random)


def color_matched(content: Tensor, style: Tensor) -> Tensor:
    """The content pictures with their style's color mean and covariance, in [0, 1]."""
    a, b = content.flatten(2), style.flatten(2)
    mean_a, mean_b = a.mean(2, keepdim=True), b.mean(2, keepdim=True)

    def root(values: Tensor, power: float) -> Tensor:
        covariance = values @ values.transpose(1, 2) / values.shape[2]
        spectrum, basis = torch.linalg.eigh(covariance)
        powers = spectrum.clamp_min(1e-5) ** power
        return basis @ torch.diag_embed(powers) @ basis.transpose(1, 2)

    change = root(b - mean_b, 0.5) @ root(a - mean_a, -0.5)
    return (change @ (a - mean_a) + mean_b).view_as(content).clamp(0, 1)
