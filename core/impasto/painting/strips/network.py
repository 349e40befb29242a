"""A network run in strips of rows: forward and backward in a fraction of the memory.

Whole feature maps of a picture are what makes style transfer large. Here the network runs segment
by segment (`rows.py`) and strip by strip: going forward, each strip's features are shown to a
visitor, which takes from them what it needs; going backward, they are computed once more, unless
there was memory to keep them (`plan.py` decides).
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping

import torch

from impasto.painting.network import IMAGENET_STD, Network
from impasto.painting.objective import Grams, Metric, gram_sum, metrics
from impasto.painting.strips.plan import Plan, lean_plan
from impasto.painting.strips.rows import Slope, Stage, Visit
from impasto.painting.threads import share_out


class Buffers:
    """Memory for the maps that every pass overwrites, allocated once: the allocator need not find
    room for something large again and again, and passes over several sizes take turns in it."""

    def __init__(self) -> None:
        self._blocks: dict[str, torch.Tensor] = {}

    def maps(
        self, name: str, shape: tuple[int, int, int], dtype: torch.dtype, device: torch.device
    ) -> torch.Tensor:
        """Uninitialised channels-last maps, 1xCxHxW; in the same memory as all others of this
        name."""
        channels, height, width = shape
        length = channels * height * width
        block = self._blocks.get(name)
        if block is None or len(block) < length:
            self._blocks.pop(name, None)
            del block
            block = self._blocks[name] = torch.empty(length, dtype=dtype, device=device)
        return block[:length].view(1, height, width, channels).permute(0, 3, 1, 2)


class StripNetwork:
    """A network and the maps that stay between its passes.

    Args:
        buffers: shared by networks whose passes do not overlap; by default it has its own.
    """

    def __init__(self, network: Network, plan: Plan, buffers: Buffers | None = None) -> None:
        self.network = network
        self._plan = plan
        self._segments = plan.segments
        self._buffers = buffers or Buffers()
        self._adding = threading.Lock()

    def forward(self, image: torch.Tensor, visit: Visit) -> list[torch.Tensor]:
        """Shows each layer's features of a 1x3xHxW image in [0, 1], strip by strip; returns the
        whole inputs of the segments, valid until the next pass."""
        maps = self._normalized(image)
        inputs = []
        for number, segment in enumerate(self._segments):
            inputs.append(maps)
            height, width = maps.shape[-2:]
            following = None
            if number + 1 < len(self._segments):
                following = self._buffer(f"input {number + 1}", *segment.output_size(height, width))
            self._forward(number, maps, visit, following)
            if following is not None:
                maps = following
        return inputs

    def backward(self, inputs: list[torch.Tensor], slope: Slope) -> torch.Tensor:
        """The gradient at the image (1x3xHxW, at least float32), from the losses' own gradients at
        the layers and what `forward` returned."""
        gradient: torch.Tensor | None = None
        for number in reversed(range(len(self._segments))):
            gradient = self._backward(number, inputs[number], gradient, slope)
        assert gradient is not None  # noqa: S101  (a network has at least one segment)
        return gradient.div_(gradient.new_tensor(IMAGENET_STD).view(1, 3, 1, 1))

    def _normalized(self, image: torch.Tensor) -> torch.Tensor:
        """The network's input, strip by strip: what is in between is as large as the image."""
        _, channels, height, width = image.shape
        maps = self._buffer("input 0", channels, height, width)

        def fill(stages: list[Stage]) -> None:
            rows = stages[0].own.inside
            maps[:, :, rows] = self.network.normalized(image[:, :, rows])

        share_out(self._segments[0].strips(height, width, self._plan.strip), fill, maps.device)
        return maps

    def _forward(
        self, number: int, maps: torch.Tensor, visit: Visit, following: torch.Tensor | None
    ) -> None:
        """Runs a segment on its input maps; fills the input of the one that follows."""
        segment = self._segments[number]
        height, width = maps.shape[-2:]
        kept = self._kept(height, width, number)

        def run(stages: list[Stage]) -> None:
            pooled = segment.forward(maps, stages, visit, kept)
            if following is not None and pooled is not None:
                stages[-1].own.pooled().put(pooled, following)

        share_out(segment.strips(height, width, self._plan.strip), run, maps.device)

    def _backward(
        self, number: int, maps: torch.Tensor, above: torch.Tensor | None, slope: Slope
    ) -> torch.Tensor:
        """Gradient at a segment's input maps, from that at its output (None after the last one)."""
        segment = self._segments[number]
        _, channels, height, width = maps.shape
        if number == 0:  # the image's is summed in the image's precision
            wide = torch.promote_types(self.network.dtype, torch.float32)
            gradient = torch.zeros((1, channels, height, width), dtype=wide, device=maps.device)
        else:
            gradient = self._buffer(f"gradient {number}", channels, height, width).zero_()
        kept = self._kept(height, width, number)

        def run(stages: list[Stage]) -> None:
            part = segment.backward(maps, stages, above, slope, kept)
            with self._adding:  # where halos overlap; a sum of two is the same in either order
                stages[0].input.put(part, gradient, add=True)

        share_out(segment.strips(height, width, self._plan.strip), run, maps.device)
        return gradient

    def _kept(self, height: int, width: int, number: int) -> dict[str, torch.Tensor]:
        """Buffers for the features of a segment's layers that stay for the backward pass."""
        buffers = {}
        for convolution in self._segments[number].convolutions:
            if convolution.name in self._plan.keep:
                channels = convolution.weight.shape[0]
                buffers[convolution.name] = self._buffer(convolution.name, channels, height, width)
            if convolution.pool:
                height, width = height // 2, width // 2
        return buffers

    def _buffer(self, name: str, channels: int, height: int, width: int) -> torch.Tensor:
        shape = channels, height, width
        return self._buffers.maps(name, shape, self._plan.stored, self.network.device)


@torch.no_grad()
def strip_features(
    network: Network,
    image: torch.Tensor,
    layers: Collection[str],
    strip_bytes: int,
    dtype: torch.dtype,
) -> dict[str, torch.Tensor]:
    """Whole features (before the ReLU) of some layers at a 1x3xHxW image in [0, 1], channels-last,
    in this precision."""
    found: dict[str, torch.Tensor] = {}

    def visit(stage: Stage, features: torch.Tensor) -> None:
        layer = stage.convolution.name
        if layer in layers:
            if layer not in found:
                _, channels, _, width = features.shape
                shape = channels, stage.own.height, width
                maps = Buffers().maps(layer, shape, dtype, network.device)
                found.setdefault(layer, maps)  # another thread may have been here, too
            stage.own.put(features, found[layer])

    StripNetwork(network, lean_plan(network, strip_bytes)).forward(image, visit)
    return found


@torch.no_grad()
def strip_grams(network: Network, image: torch.Tensor, strip_bytes: int) -> Grams:
    """G(F) of each style layer at a 1x3xHxW image in [0, 1], whatever its size: all that the
    objective needs of a style image."""
    sums = GramSums(network, metrics(network))
    StripNetwork(network, lean_plan(network, strip_bytes)).forward(image, sums.add)
    return sums.grams()


class StripSum:
    """A sum over strips, added up from top to bottom in whatever order threads came to the strips:
    rounded in the same way each time, the same request gives the same picture."""

    def __init__(self) -> None:
        self._parts: dict[int, torch.Tensor] = {}

    def add(self, stage: Stage, part: torch.Tensor) -> None:
        """What a strip contributes."""
        self._parts[stage.own.top] = part

    def total(self) -> torch.Tensor:
        """Of all strips, once all have been added."""
        first, *others = (part for _, part in sorted(self._parts.items()))
        total = first.clone()
        for part in others:
            total.add_(part)
        return total


class GramSums:
    """Gram matrices summed up over strips."""

    def __init__(self, network: Network, by_layer: Mapping[str, Metric]) -> None:
        self._metrics = by_layer
        self._sums = {layer: StripSum() for layer in network.style_layers}
        self._pixels: dict[str, int] = {}

    def add(self, stage: Stage, features: torch.Tensor) -> None:
        """Features of a strip's own rows, 1xCxhxW."""
        layer = stage.convolution.name
        if layer in self._sums:
            self._sums[layer].add(stage, gram_sum(features, self._metrics[layer]))
            self._pixels[layer] = stage.own.height * features.shape[-1]

    def grams(self) -> Grams:
        """Of the whole map, once all strips have been added."""
        return {layer: sums.total() / self.divisor(layer) for layer, sums in self._sums.items()}

    def divisor(self, layer: str) -> int:
        """F F^T over this is the Gram matrix."""
        return self._metrics[layer].channels * self._pixels[layer]
