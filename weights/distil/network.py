"""The teacher (VGG-19's first five convolutions), the thin student, and their files.

Both are the same stack: 3x3 convolutions with zero padding, as VGG-19 was trained (painting repeats
the edges of maps instead), ReLU, and 2x2 max-pooling after the second and the fourth. `backward` is
written out with transposed convolutions, because differentiating it again by plain backpropagation
costs half of what autograd's double backward costs on a CPU.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

LAYERS = ("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1")
INDICES = (0, 2, 5, 7, 10)
"""Of the convolutions in torchvision's `vgg19().features`."""
POOLED = (1, 3)
"""Positions in LAYERS whose output is pooled."""
CONTENT = 3
"""Position in LAYERS of the content layer, conv2_2."""
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)

Convolutions = Sequence[tuple[Tensor, Tensor]]
"""Weight [out, in, 3, 3] and bias [out] of each layer."""


def _channels(values: Iterable[float], like: Tensor) -> Tensor:
    return torch.tensor(tuple(values), dtype=like.dtype, device=like.device).view(1, 3, 1, 1)


def forward(picture: Tensor, convolutions: Convolutions) -> tuple[list[Tensor], list[Tensor]]:
    """Features before the ReLUs, and the pools' argmax indices, of B x 3 x H x W in [0, 1]."""
    x = (picture - _channels(MEAN, picture)) / _channels(DEVIATION, picture)
    x = x.contiguous(memory_format=torch.channels_last)
    features, indices = [], []
    for position, (weight, bias) in enumerate(convolutions):
        x = functional.conv2d(x, weight, bias, padding=1)
        features.append(x)
        if position + 1 < len(convolutions):
            x = functional.relu(x)
        if position in POOLED:
            x, index = functional.max_pool2d(x, 2, return_indices=True)
            indices.append(index)
    return features, indices


def backward(
    features: Sequence[Tensor],
    indices: Sequence[Tensor],
    gradients: Sequence[Tensor],
    convolutions: Convolutions,
) -> Tensor:
    """Gradient with respect to the picture, from the gradients with respect to the features.

    Differentiable with respect to `gradients` and the weights, not through the ReLUs' and the
    pools' switches, whose derivative is zero almost everywhere.
    """
    remaining = list(indices)
    total = gradients[-1]
    for position in reversed(range(len(convolutions))):
        total = functional.conv_transpose2d(total, convolutions[position][0], padding=1)
        if position:
            below = features[position - 1]
            if position - 1 in POOLED:
                total = functional.max_unpool2d(
                    total, remaining.pop(), [2, 2], output_size=list(below.shape[-2:])
                )
            total = total * (below > 0) + gradients[position - 1]
    return total / _channels(DEVIATION, total)


def load_teacher(path: Path, device: torch.device) -> list[tuple[Tensor, Tensor]]:
    """The teacher's convolutions from a safetensors file with torchvision's names."""
    with safe_open(path, framework="pt", device=str(device)) as file:
        return [
            (
                file.get_tensor(f"features.{i}.weight")
                .float()
                .contiguous(memory_format=torch.channels_last),
                file.get_tensor(f"features.{i}.bias").float(),
            )
            for i in INDICES
        ]


class Student(nn.Module):
    """The thin network and its readouts to the teacher's channels.

    The readouts are kept divided by the teacher's typical feature size (`scales`, one a layer), so
    that one learning rate fits all parameters.
    """

    scales: Tensor

    def __init__(
        self, widths: Sequence[int], teacher_channels: Sequence[int], generator: torch.Generator
    ) -> None:
        super().__init__()
        inputs = (3, *widths[:-1])
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        self.readouts = nn.ParameterList()
        for fan_in, width, channels in zip(inputs, widths, teacher_channels, strict=True):
            weight = torch.empty(width, fan_in, 3, 3)
            nn.init.orthogonal_(weight, gain=2**0.5, generator=generator)
            self.weights.append(weight.contiguous(memory_format=torch.channels_last))
            self.biases.append(torch.zeros(width))
            self.readouts.append(torch.zeros(channels, width + 1))
        self.register_buffer("scales", torch.ones(len(widths)))

    @property
    def convolutions(self) -> list[tuple[Tensor, Tensor]]:
        return list(zip(self.weights, self.biases, strict=True))

    def readout(self, position: int) -> Tensor:
        """[A b] of a layer: teacher channels x (width + 1)."""
        return self.readouts[position] * self.scales[position]

    def all_readouts(self) -> list[Tensor]:
        """`readout` of every layer."""
        return [self.readout(position) for position in range(len(self.readouts))]

    @torch.no_grad()
    def set_readout(self, position: int, readout: Tensor) -> None:
        self.readouts[position].copy_(readout / self.scales[position])

    @torch.no_grad()
    def rescale(self, scales: Tensor) -> None:
        """Set `scales`, without changing what the readouts do."""
        kept = self.all_readouts()
        self.scales.copy_(scales)
        for position, readout in enumerate(kept):
            self.set_readout(position, readout)

    @torch.no_grad()
    def balance(self, pictures: Tensor) -> None:
        """Scale each layer so that its features have unit variance on `pictures`.

        What follows a layer takes the scale back, so that the outputs of the readouts stay.
        """
        for position in range(len(self.weights)):
            features, _ = forward(pictures, self.convolutions[: position + 1])
            size = features[-1].std()
            self.weights[position].div_(size)
            self.biases[position].div_(size)
            self.readouts[position][:, :-1].mul_(size)
            if position + 1 < len(self.weights):
                self.weights[position + 1].mul_(size)

    def tensors(self) -> dict[str, Tensor]:
        """Everything a painter needs, under torchvision's names and `readout.<layer>`, in half
        precision: painters compute in bfloat16, which is coarser, or in float32."""
        named = {}
        for position, (layer, index) in enumerate(zip(LAYERS, INDICES, strict=True)):
            readout = self.readout(position)
            named[f"features.{index}.weight"] = self.weights[position]
            named[f"features.{index}.bias"] = self.biases[position]
            named[f"readout.{layer}.weight"] = readout[:, :-1]
            named[f"readout.{layer}.bias"] = readout[:, -1]
        return {name: value.detach().half().cpu().contiguous() for name, value in named.items()}


def save_student(student: Student, path: Path, trained: dict[str, object]) -> None:
    """Write the network file, replacing an older one in a single step."""
    description = {
        "format": 1,
        "name": "embedded",
        "style_layers": dict.fromkeys(LAYERS, 1.0),
        "content_layers": {LAYERS[CONTENT]: 1.0},
        "teacher": "torchvision VGG-19 IMAGENET1K_V1, features[0:11] (BSD-3-Clause)",
        "trained": trained,
        "licence": "MIT for the weights as ours; see weights/README.md for what the teacher and "
        "the pictures of the training come under",
    }
    partial = path.with_name(path.name + ".partial")
    save_file(student.tensors(), partial, metadata={"impasto": json.dumps(description)})
    partial.chmod(0o644)
    partial.replace(path)


def load_student(path: Path, device: torch.device) -> Student:
    """A network file as a student again, to score it or to train it on."""
    with safe_open(path, framework="pt", device=str(device)) as file:
        tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    widths = [len(tensors[f"features.{i}.bias"]) for i in INDICES]
    channels = [len(tensors[f"readout.{layer}.bias"]) for layer in LAYERS]
    student = Student(widths, channels, torch.Generator().manual_seed(0)).to(device)
    with torch.no_grad():
        for position, (layer, index) in enumerate(zip(LAYERS, INDICES, strict=True)):
            student.weights[position].copy_(tensors[f"features.{index}.weight"])
            student.biases[position].copy_(tensors[f"features.{index}.bias"])
            matrix, bias = tensors[f"readout.{layer}.weight"], tensors[f"readout.{layer}.bias"]
            student.set_readout(position, torch.cat((matrix, bias[:, None]), dim=1))
    return student


def trained(path: Path) -> dict[str, object]:
    """What a network file says of its training."""
    with safe_open(path, framework="pt") as file:
        told: dict[str, object] = json.loads(file.metadata()["impasto"])["trained"]
    return told
