"""The sum over sizes and its gradient."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from impasto.painting.multiscale import Multiscale, shrink
from impasto.painting.network import load_network
from impasto.painting.objective import Objective, gram_matrices

SIZES = [(45, 64), (23, 32)]


def image(size: tuple[int, int], seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, 3, *size, generator=generator, dtype=torch.float64)


def test_loss_and_gradient_are_those_of_the_weighted_sum(tiny_network: Path) -> None:
    network = load_network(tiny_network).to(torch.device("cpu"), torch.float64)
    content, style, x = (image((45, 64), seed) for seed in range(3))
    terms = [
        Objective(network, shrink(content, size), gram_matrices(network, shrink(style, size)), 1e6)
        for size in SIZES
    ]
    weights = (1.0, 0.3)
    both = Multiscale(list(zip(terms, SIZES, weights, strict=True)))

    def loss(at: torch.Tensor) -> float:
        scales = zip(terms, SIZES, weights, strict=True)
        return sum(weight * term.losses(shrink(at, size)).total for term, size, weight in scales)

    found = both.evaluate(x)
    assert found.loss.item() == pytest.approx(loss(x), rel=1e-9)
    for seed in range(3, 6):
        direction = image((45, 64), seed) - 0.5
        step = 1e-6 * direction
        slope = (found.gradient * direction).sum().item()
        assert (loss(x + step) - loss(x - step)) / 2e-6 == pytest.approx(slope, rel=1e-4)


def test_evaluating_does_not_import_sympy() -> None:
    """torch does so for gradients of tensors that are not scalars, and takes 40 MB for it."""
    program = (
        "import sys, torch\n"
        "from impasto.contracts import Evaluation\n"
        "from impasto.painting.multiscale import Multiscale\n"
        "class Sum:\n"
        "    def evaluate(self, x):\n"
        "        return Evaluation(x.sum(), torch.ones_like(x))\n"
        "both = Multiscale([(Sum(), (40, 40), 1.0), (Sum(), (20, 20), 0.5)])\n"
        "both.evaluate(torch.rand(1, 3, 40, 40))\n"
        "sys.exit('sympy' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
