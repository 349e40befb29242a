"""What a picture is painted towards at each of its sizes, under one network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from PIL import Image

from impasto.contracts import Losses
from impasto.painting.catalogue import Catalogue, Tools, WeightedPicture, image_of
from impasto.painting.multiscale import Multiscale
from impasto.painting.network import Network
from impasto.painting.objective import mix
from impasto.painting.pyramid import size_weights
from impasto.painting.strips.network import Buffers
from impasto.painting.strips.objective import StripObjective
from impasto.painting.strips.plan import Budget

Size = tuple[int, int]
"""Height and width."""


@dataclass(slots=True, kw_only=True)
class Targets:
    """The objectives of one picture under one network, each made when it is first needed.

    Args:
        content, styles: prepared.
        sizes: of the picture, the full one first, each half of the one before.
        budget: how to run the network at the full size.
    """

    catalogue: Catalogue
    tools: Tools
    network: Network
    budget: Budget
    content: Image.Image
    styles: Sequence[WeightedPicture]
    sizes: Sequence[Size]
    _buffers: Buffers = field(default_factory=Buffers, init=False)
    _objectives: dict[Size, StripObjective] = field(default_factory=dict, init=False)

    def at(self, size: Size) -> Multiscale:
        """The objective at one of the sizes, along with those of the coarser ones."""
        weights = size_weights(self.tools.coarse_weight)
        first = self.sizes.index(size)
        wanted = self.sizes[first : first + len(weights)]
        kept = self._objectives
        self._objectives = {s: kept[s] if s in kept else self._objective(s) for s in wanted}
        terms = zip(self._objectives.values(), wanted, weights, strict=False)
        return Multiscale(list(terms))

    def losses(self, image: torch.Tensor) -> Losses:
        """Of a 1x3xHxW image, at the size that `at` was last asked for, and that one alone."""
        return self._objectives[image.shape[-2], image.shape[-1]].losses(image)

    def let_go(self) -> None:
        """Gives back the memory of all maps."""
        self._objectives, self._buffers = {}, Buffers()

    def _objective(self, size: Size) -> StripObjective:
        """The loss at one size; styles shrink as the picture does, so strokes keep theirs."""
        halvings = self.sizes.index(size)
        device = self.tools.device
        styles = [
            (self.catalogue.style_grams(self.network, device, picture, halvings), weight)
            for picture, weight in self.styles
        ]
        return StripObjective(
            self.network,
            image_of(self.content, size, device),
            mix(styles),
            self.tools.style_weight,
            self.budget.plan,
            buffers=self._buffers,
        )
