"""Truncated VGG-like networks: 3x3 convolutions with ReLUs, in blocks that end with 2x2 max-pools.

Simonyan and Zisserman, "Very Deep Convolutional Networks" (arXiv:1409.1556). Widths and depth come
from a safetensors file with torchvision's parameter names (`features.0.weight`, ...): two
convolutions whose numbers differ by 2 follow each other after a ReLU, by 3 after a ReLU and a pool.

A layer may have a *readout*, a linear map (with bias) from its channels to those of the network
that taught it. Losses then are those of the teacher's channels, at the cost of the own ones: see
`objective.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open

from impasto.errors import WeightsError

IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
IMAGENET_STD: Final = (0.229, 0.224, 0.225)
"""Per RGB channel: what torchvision's networks were trained with, and ours."""
METADATA_KEY: Final = "impasto"
FORMAT: Final = 1

_BASELINE_STYLE = ("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1")
_BASELINE_CONTENT = "conv2_2"
_GATYS_STYLE = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
_GATYS_CONTENT = "conv4_2"


@dataclass(frozen=True, slots=True)
class Convolution:
    """A 3x3 convolution, whose output is as large as its input, and what follows it."""

    name: str
    """`conv<block>_<number in block>`, as in the papers."""
    weight: torch.Tensor
    """C_out x C_in x 3 x 3."""
    bias: torch.Tensor
    """C_out."""
    pool: bool
    """Whether a 2x2 max-pool follows its ReLU."""
    beside: torch.Tensor = field(init=False, repr=False, compare=False)
    """2 x C_out x 3 C_in, at least float32: the columns of the weight that lie beside a map where
    the convolution gives the map's first and last column."""

    def __post_init__(self) -> None:
        columns = self.weight[..., ::2].permute(3, 0, 1, 2).flatten(2)
        wide = torch.promote_types(columns.dtype, torch.float32)
        object.__setattr__(self, "beside", columns.to(wide))

    @property
    def channels(self) -> int:
        """Of its output."""
        return self.weight.shape[0]

    @property
    def pixel_bytes(self) -> int:
        """Bytes of one pixel of its output, all channels, in the precision it is computed in."""
        return self.channels * self.weight.element_size()


@dataclass(frozen=True, slots=True)
class Readout:
    """Teacher channels as a linear function of a layer's own: weight @ f + bias."""

    weight: torch.Tensor
    """C_teacher x C."""
    bias: torch.Tensor
    """C_teacher."""


@dataclass(frozen=True, slots=True)
class Network:
    """Convolutions in order, the layers whose outputs the losses look at, and their weights."""

    name: str
    """As its source is named."""
    convolutions: tuple[Convolution, ...]
    """In their order; the last is the deepest that a loss looks at."""
    style_layers: Mapping[str, float]
    """Weight in the style loss by the name of the convolution."""
    content_layers: Mapping[str, float]
    """The same for the content loss."""
    readouts: Mapping[str, Readout]
    """By the name of the convolution; empty where losses look at the features themselves."""

    def to(self, device: torch.device, dtype: torch.dtype) -> Network:
        """The network on a device, its convolutions (channels-last) in a precision.

        Readouts stay at least float32: they are applied to small matrices only.
        """
        convolutions = tuple(
            replace(
                c,
                weight=c.weight.to(device, dtype, memory_format=torch.channels_last),
                bias=c.bias.to(device, dtype),
            )
            for c in self.convolutions
        )
        wide = torch.promote_types(dtype, torch.float32)
        readouts = {
            name: Readout(r.weight.to(device, wide), r.bias.to(device, wide))
            for name, r in self.readouts.items()
        }
        return replace(self, convolutions=convolutions, readouts=readouts)

    @property
    def dtype(self) -> torch.dtype:
        """Of the convolutions' weights."""
        return self.convolutions[0].weight.dtype

    @property
    def device(self) -> torch.device:
        """Of the convolutions' weights."""
        return self.convolutions[0].weight.device

    @property
    def pixel_work(self) -> float:
        """Multiplications for each pixel of an image: about what a step costs."""
        work, share = 0.0, 1.0
        for convolution in self.convolutions:
            work += share * convolution.weight.numel()
            if convolution.pool:
                share /= 4
        return work

    def normalized(self, image: torch.Tensor) -> torch.Tensor:
        """The network's input for a 1x3xHxW image in [0, 1]."""
        mean = image.new_tensor(IMAGENET_MEAN).view(1, 3, 1, 1)
        std = image.new_tensor(IMAGENET_STD).view(1, 3, 1, 1)
        return ((image - mean) / std).to(self.dtype, memory_format=torch.channels_last)

    def features(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Outputs before the ReLU of all style and content layers, 1xCxH'xW' each, by layer name.

        Beyond its edges each map goes on as it ends there. Differentiable; nothing is computed past
        the deepest layer that is wanted.
        """
        wanted = set(self.style_layers) | set(self.content_layers)
        found: dict[str, torch.Tensor] = {}
        maps = self.normalized(image)
        for convolution in self.convolutions:
            maps = F.pad(maps, (1, 1, 1, 1), mode="replicate")
            maps = F.conv2d(maps, convolution.weight, convolution.bias)
            if convolution.name in wanted:
                found[convolution.name] = maps
                if len(found) == len(wanted):
                    break
            maps = F.relu(maps)
            if convolution.pool:
                maps = F.max_pool2d(maps, 2)
        return found


def load_network(path: Path, name: str | None = None) -> Network:
    """A network from a safetensors file; its metadata says which layers the losses look at.

    A file without our metadata is taken for a slice of torchvision's VGG: down to conv5_1 it gets
    the layers of Gatys et al. (CVPR 2016), a shorter one its first five convolutions, content at
    the fourth.

    Raises:
        WeightsError: no such file, damaged, or not such a network.
    """
    try:
        with safe_open(path, framework="pt") as file:
            manifest = json.loads((file.metadata() or {}).get(METADATA_KEY, "{}"))
            tensors = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError) as error:
        raise WeightsError(f"{path} cannot be read as a safetensors file: {error}") from None
    if manifest and manifest.get("format") != FORMAT:
        raise WeightsError(
            f"{path} has format {manifest.get('format')!r}; this version reads {FORMAT}"
        )
    convolutions = _convolutions(tensors, path)
    names = [c.name for c in convolutions]
    style, content = _default_layers(names)
    style = manifest.get("style_layers", style)
    content = manifest.get("content_layers", content)
    for layer in [*style, *content]:
        if layer not in names:
            raise WeightsError(f"{path} names layer {layer!r} but has only {', '.join(names)}")
    deepest = max(names.index(layer) for layer in [*style, *content])
    return Network(
        name=name or manifest.get("name") or path.stem,
        convolutions=convolutions[: deepest + 1],
        style_layers=style,
        content_layers=content,
        readouts=_readouts(tensors, convolutions, path),
    )


def _convolutions(tensors: Mapping[str, torch.Tensor], path: Path) -> tuple[Convolution, ...]:
    suffix = ".weight"
    numbers = sorted(
        int(key.removeprefix("features.").removesuffix(suffix))
        for key in tensors
        if key.startswith("features.") and key.endswith(suffix)
    )
    if not numbers:
        raise WeightsError(f"{path} has no convolutions named features.<number>.weight")
    convolutions: list[Convolution] = []
    block, in_block, channels = 1, 1, 3
    for number, following in zip(numbers, [*numbers[1:], None], strict=True):
        weight = tensors[f"features.{number}.weight"]
        bias = tensors.get(f"features.{number}.bias")
        if weight.shape[1:] != (channels, 3, 3) or bias is None or bias.shape != weight.shape[:1]:
            raise WeightsError(
                f"{path}: features.{number} should be a 3x3 convolution of {channels} channels "
                f"with a bias, but its weight has the shape {tuple(weight.shape)}"
            )
        gap = 2 if following is None else following - number
        if gap not in (2, 3):
            raise WeightsError(f"{path}: what is between features.{number} and the next one?")
        pool = gap == 3
        convolutions.append(Convolution(f"conv{block}_{in_block}", weight, bias, pool))
        block, in_block = (block + 1, 1) if pool else (block, in_block + 1)
        channels = weight.shape[0]
    return tuple(convolutions)


def _default_layers(names: list[str]) -> tuple[dict[str, float], dict[str, float]]:
    if _GATYS_STYLE[-1] in names:
        return dict.fromkeys(_GATYS_STYLE, 1.0), {_GATYS_CONTENT: 1.0}
    style = [name for name in _BASELINE_STYLE if name in names]
    content = _BASELINE_CONTENT if _BASELINE_CONTENT in names else names[-1]
    return dict.fromkeys(style, 1.0), {content: 1.0}


def _readouts(
    tensors: Mapping[str, torch.Tensor], convolutions: tuple[Convolution, ...], path: Path
) -> dict[str, Readout]:
    readouts: dict[str, Readout] = {}
    for convolution in convolutions:
        weight = tensors.get(f"readout.{convolution.name}.weight")
        bias = tensors.get(f"readout.{convolution.name}.bias")
        if weight is None or bias is None:
            continue
        channels = convolution.weight.shape[0]
        if weight.shape != (bias.shape[0], channels):
            raise WeightsError(
                f"{path}: readout.{convolution.name} does not fit {channels} channels"
            )
        readouts[convolution.name] = Readout(weight, bias)
    return readouts
