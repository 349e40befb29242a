"""A run of convolutions (with the pools between them), forward and backward, on a strip of rows.

A strip's own rows are exact, not approximate: each 3x3 convolution needs one more row on either
side of its input than it gives, so a strip starts from some rows beyond its own (its halo). Rows
beyond the picture are computed too and then overwritten: so all strips of a map have one shape, and
the CPU's convolutions, compiled and kept by shape, are few.

Beyond its edges each map goes on as it ends there (replicate padding). With the zeros that VGG-19
was trained with, the edge of a picture is a strong line in its features, and strokes stay away from
it: pictures had dull frames.

The backward pass is written out. Autograd computes the same, but keeps more maps, and fills whole
maps with zeros for the gradient of each slice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch.nn.grad import conv2d_input

from impasto.painting.network import Convolution

Visit = Callable[["Stage", torch.Tensor], None]
"""Called with a layer's stage and its features (before the ReLU) at the strip's own rows. Several
threads call it, each for a strip of its own."""
Slope = Callable[["Stage", torch.Tensor], torch.Tensor | None]
"""As Visit; returns the losses' own gradient at these features, None where there is none."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows [top, bottom) of a map of `height` rows; they may reach beyond it."""

    top: int
    bottom: int
    height: int

    @property
    def inside(self) -> slice:
        """The part of these rows that lies on the map."""
        return slice(max(0, self.top), min(self.height, self.bottom))

    def grown(self, rows: int) -> Rows:
        """These rows and `rows` more on either side."""
        return Rows(self.top - rows, self.bottom + rows, self.height)

    @property
    def count(self) -> int:
        """How many of these rows lie on the map."""
        return max(0, min(self.height, self.bottom) - max(0, self.top))

    def pooled(self) -> Rows:
        """Rows of the 2x2-pooled map, which lacks an odd last row."""
        return Rows(self.top // 2, self.bottom // 2, self.height // 2)

    def unpooled(self, height: int) -> Rows:
        """Rows that 2x2-pool to these, of a map of `height` rows."""
        return Rows(2 * self.top, 2 * self.bottom, height)

    def within(self, outer: Rows) -> slice:
        """Where these rows are in those of a larger range."""
        return slice(self.top - outer.top, self.bottom - outer.top)

    @property
    def clipped(self) -> Rows:
        """Those of these rows that lie on the map."""
        return Rows(self.inside.start, self.inside.start + self.count, self.height)

    @property
    def _beyond(self) -> tuple[int, int]:
        """How many of these rows lie above the map and below it."""
        return max(0, -self.top), max(0, self.bottom - self.height)

    def of(self, maps: torch.Tensor) -> torch.Tensor:
        """These rows of whole maps (1xCxHxW), zeros where they reach beyond."""
        rows = maps[:, :, self.inside]
        return F.pad(rows, (0, 0, *self._beyond)) if any(self._beyond) else rows

    def put(self, rows: torch.Tensor, maps: torch.Tensor, *, add: bool = False) -> None:
        """Writes (or adds) just these rows to whole maps; rows beyond them are dropped."""
        part = rows[:, :, max(0, -self.top) :][:, :, : self.count]
        if add:
            # Rounded first: so it does not matter which of two sums comes first.
            maps[:, :, self.inside] += part.to(maps.dtype)
        else:
            maps[:, :, self.inside] = part

    def extend(self, maps: torch.Tensor) -> torch.Tensor:
        """Repeats the map's edges in the rows beyond it, in place, in maps of just these rows."""
        above, below = self._beyond
        if above and self.count:
            maps[:, :, :above] = maps[:, :, above : above + 1]
        if below and self.count:
            maps[:, :, -below:] = maps[:, :, -below - 1 : -below]
        return maps

    def fold(self, gradient: torch.Tensor) -> torch.Tensor:
        """Turns the gradient at maps of just these rows after `extend` into that before it, in
        place."""
        above, below = self._beyond
        if above:
            if self.count:
                gradient[:, :, above] += gradient[:, :, :above].sum(2)
            gradient[:, :, :above] = 0
        if below:
            if self.count:
                gradient[:, :, -below - 1] += gradient[:, :, -below:].sum(2)
            gradient[:, :, -below:] = 0
        return gradient


class StripSize(NamedTuple):
    """How large strips are."""

    bytes: int
    """Of the largest maps of all strips that are computed side by side."""
    at_once: int
    """How many these are."""
    least_rows: int
    """Strips are not much lower, because their halos are computed twice."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The part of one convolution of a segment in one strip."""

    convolution: Convolution
    own: Rows
    """Rows of its output that belong to this strip: those of all strips make up the map."""
    output: Rows
    """Rows that it computes, so that the own rows of all later convolutions are exact."""

    @property
    def input(self) -> Rows:
        """Rows of its input that it needs."""
        return self.output.grown(1)


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive convolutions, computed strip by strip; only its input and output are whole."""

    convolutions: tuple[Convolution, ...]

    @property
    def ends_with_pool(self) -> bool:
        return self.convolutions[-1].pool

    @property
    def dtype(self) -> torch.dtype:
        """What it is computed in; whole maps may be stored in another precision."""
        return self.convolutions[0].weight.dtype

    def output_size(self, height: int, width: int) -> tuple[int, int, int]:
        """Channels, height and width of the output for an input of this size."""
        pools = sum(c.pool for c in self.convolutions)
        return self.convolutions[-1].weight.shape[0], height >> pools, width >> pools

    def strips(self, height: int, width: int, size: StripSize) -> Iterator[list[Stage]]:
        """The stages of each strip over an input of this size, from top to bottom; as many as can
        be shared out evenly between those that are computed side by side."""
        step = 2 ** sum(c.pool for c in self.convolutions)
        rows = size.bytes // size.at_once // (width * widest_pixel_bytes(self.convolutions))
        rounds = max(1, round(height / max(size.least_rows, rows) / size.at_once))
        rows = -(-height // (rounds * size.at_once))
        rows = -(-rows // step) * step
        for top in range(0, height, rows):
            yield self._stages(Rows(top, top + rows, height))

    def forward(
        self,
        maps: torch.Tensor,
        stages: list[Stage],
        visit: Visit,
        kept: Mapping[str, torch.Tensor],
    ) -> torch.Tensor | None:
        """Runs a strip of the input maps (1xCxHxW); returns the rows `stages[-1].output` after the
        pool, None where no pool ends the segment.

        Args:
            kept: whole maps of features, by layer, whose rows are to be filled.
        """
        x = _input(maps, stages)
        for stage in stages:
            features = _convolve(x, stage)
            own_features = features[:, :, stage.own.within(stage.output)]
            if stage.own.count:
                visit(stage, own_features)
            if stage.convolution.name in kept:
                stage.own.put(own_features, kept[stage.convolution.name])
            x = _activated(features, stage)
        return x if self.ends_with_pool else None

    def backward(
        self,
        maps: torch.Tensor,
        stages: list[Stage],
        above: torch.Tensor | None,
        slope: Slope,
        kept: Mapping[str, torch.Tensor],
    ) -> torch.Tensor:
        """Gradient at the rows `stages[0].input` of the segment's input.

        Args:
            maps: the segment's whole input.
            above: gradient at the segment's whole output; None where the network ends.
            kept: whole features of layers that need not be computed again.
        """
        features, own_slopes = self._again(maps, stages, slope, kept)
        gradient: torch.Tensor | None = None
        if above is not None:
            gradient = stages[-1].output.pooled().of(above).to(self.dtype)
        for stage in reversed(stages):
            feature, own_slope = features.pop(), own_slopes.pop()
            if gradient is None:  # the network's last layer: all its rows are the strip's own
                gradient = torch.zeros_like(feature)
            elif stage.convolution.pool:
                gradient = _through_pool(stage.output.pooled().fold(gradient), feature)
            else:
                gradient = torch.ops.aten.threshold_backward(gradient, feature, 0)
            gradient = stage.output.fold(gradient)
            if own_slope is not None:
                gradient[:, :, stage.own.within(stage.output)] += own_slope
            gradient = _convolve_back(gradient, stage)
        assert gradient is not None  # noqa: S101  (a segment has at least one convolution)
        return stages[0].input.fold(gradient)

    def _again(
        self,
        maps: torch.Tensor,
        stages: list[Stage],
        slope: Slope,
        kept: Mapping[str, torch.Tensor],
    ) -> tuple[list[torch.Tensor], list[torch.Tensor | None]]:
        """Features of each stage's output rows, before or after the ReLU, and the losses' own
        gradients at its own rows."""
        features: list[torch.Tensor] = []
        own_slopes: list[torch.Tensor | None] = []
        x: torch.Tensor | None = None
        for number, stage in enumerate(stages):
            whole = kept.get(stage.convolution.name)
            if whole is not None:
                feature = stage.output.extend(stage.output.of(whole).to(self.dtype))
            elif x is not None:
                feature = _convolve(x, stage)
            else:
                feature = _convolve(_input(maps, stages), stage)
            own_feature = feature[:, :, stage.own.within(stage.output)]
            own_slopes.append(slope(stage, own_feature) if stage.own.count else None)
            if number + 1 < len(stages) and stages[number + 1].convolution.name not in kept:
                # What is kept must stay as it is; what was computed anew is changed in place.
                x = _activated(feature if whole is None else feature.clone(), stage)
            features.append(feature)
        return features, own_slopes

    def _stages(self, strip: Rows) -> list[Stage]:
        """The stages of a strip with these rows of the input: first each convolution's own rows,
        then the rows needed for them."""
        owns = []
        for convolution in self.convolutions:
            owns.append(strip)
            strip = strip.pooled() if convolution.pool else strip
        stages: list[Stage] = []
        output = owns[-1]
        for convolution, own in zip(reversed(self.convolutions), reversed(owns), strict=True):
            if stages:
                output = stages[-1].input
                if convolution.pool:
                    output = output.unpooled(own.height)
            stages.append(Stage(convolution, own.clipped, output))
        stages.reverse()
        return stages


def split_at_pools(convolutions: tuple[Convolution, ...]) -> tuple[Segment, ...]:
    """Segments that each but the last end with a pool."""
    runs: list[list[Convolution]] = [[]]
    for convolution in convolutions:
        runs[-1].append(convolution)
        if convolution.pool:
            runs.append([])
    return tuple(Segment(tuple(run)) for run in runs if run)


def widest_pixel_bytes(convolutions: Iterable[Convolution]) -> int:
    """Bytes of the largest map of convolutions that follow each other, for each pixel of their
    input."""
    widest, scale = 1.0, 1.0
    for convolution in convolutions:
        widest = max(widest, convolution.pixel_bytes * scale)
        scale /= 4 if convolution.pool else 1
    return int(widest)


def _input(maps: torch.Tensor, stages: list[Stage]) -> torch.Tensor:
    """The rows of a segment's input that its stages need."""
    rows = stages[0].input
    return rows.extend(rows.of(maps).to(stages[0].convolution.weight.dtype))


def _convolve(x: torch.Tensor, stage: Stage) -> torch.Tensor:
    """A convolution's output rows from its input rows."""
    weight, bias = stage.convolution.weight, stage.convolution.bias
    y = F.conv2d(x, weight, bias, padding=(0, 1))
    windows = _edges(x, stage).unfold(2, 3, 1).transpose(2, 3).flatten(1, 2)
    _add_to_edges(y, stage.convolution.beside @ windows)
    return stage.output.extend(y)


def _activated(features: torch.Tensor, stage: Stage) -> torch.Tensor:
    """After the ReLU and the pool, if one follows; in place, where none does."""
    if not stage.convolution.pool:
        return F.relu_(features)
    return stage.output.pooled().extend(F.relu_(_pooled(features)))


def _pooled(features: torch.Tensor) -> torch.Tensor:
    """2x2 max-pooling, row pairs first: half the time of `max_pool2d`, which finds indices too."""
    height, width = features.shape[-2] // 2 * 2, features.shape[-1] // 2 * 2
    rows = torch.maximum(features[:, :, 0:height:2], features[:, :, 1:height:2])
    return torch.maximum(rows[..., 0:width:2], rows[..., 1:width:2])


def _convolve_back(gradient: torch.Tensor, stage: Stage) -> torch.Tensor:
    """The gradient at a convolution's input rows from that at its output rows."""
    weight = stage.convolution.weight
    height, width = gradient.shape[-2:]
    back: torch.Tensor = conv2d_input(  # type: ignore[no-untyped-call]
        (1, weight.shape[1], height + 2, width), weight, gradient, padding=(0, 1)
    )
    parts = stage.convolution.beside.mT @ _edges(gradient, stage)
    parts = parts.view(2, -1, 3, height)
    columns = parts.new_zeros((*parts.shape[:2], height + 2))
    for row in range(3):
        columns[..., row : row + height] += parts[:, :, row]
    _add_to_edges(back, columns)
    return back


def _edges(maps: torch.Tensor, stage: Stage) -> torch.Tensor:
    """2xCxh: the first and the last column of 1xCxhxW maps. At least float32: unlike bfloat16 ones,
    products of such are not compiled anew for each size."""
    return torch.stack([maps[0, ..., 0], maps[0, ..., -1]]).to(stage.convolution.beside.dtype)


def _add_to_edges(maps: torch.Tensor, columns: torch.Tensor) -> None:
    """Adds 2xCxh to the first and the last column of 1xCxhxW maps, in place."""
    maps[0, ..., 0] += columns[0]
    maps[0, ..., -1] += columns[1]


def _through_pool(above: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    """The gradient before ReLU and 2x2 max-pool, from that after them and the features, before or
    after the ReLU."""
    pooled, winners = F.max_pool2d(features, 2, return_indices=True)
    alive = torch.ops.aten.threshold_backward(above, pooled, 0)
    gradient: torch.Tensor = torch.ops.aten.max_pool2d_with_indices_backward(
        alive, features, [2, 2], [2, 2], [0, 0], [1, 1], False, winners
    )
    return gradient
