"""torch's meta kernels wait until somebody needs them."""

from __future__ import annotations

import subprocess
import sys

import pytest

PRELUDE = """
from impasto.painting.torch_import import postpone_meta_kernels
postpone_meta_kernels()
import sys
import torch
def are_loaded():
    return "torch._refs" in sys.modules
assert not are_loaded()
"""

TRACED = """
def flipped(x):
    return torch.linalg.cross(x, x.roll(1, 0)).cumsum(-1).flip(0)
pictures = torch.arange(12.0).reshape(4, 3)
"""


def run(program: str) -> None:
    whole = PRELUDE + TRACED + program
    result = subprocess.run(
        [sys.executable, "-c", whole], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def test_painting_does_without_them() -> None:
    run("""
import torch.nn.functional as F
import impasto.painting.child
maps = F.conv2d(torch.ones(1, 3, 8, 8, requires_grad=True), torch.ones(4, 3, 3, 3))
maps.square().sum().backward()
torch.fft.rfft2(torch.ones(8, 8))
assert not are_loaded()
""")


def test_who_takes_a_name_of_them_has_them_all() -> None:
    run("""
from torch._meta_registrations import meta_mm
assert are_loaded()
assert torch._meta_registrations.meta_mm is meta_mm
""")


@pytest.mark.parametrize(
    "trace",
    [
        pytest.param("torch.compile(flipped, backend='aot_eager')(pictures)", id="compile"),
        pytest.param(
            "torch.export.export(Module(), (pictures,)).module()(pictures)",
            id="export",
        ),
    ],
)
def test_tracers_find_them(trace: str) -> None:
    run(f"""
class Module(torch.nn.Module):
    def forward(self, x):
        return flipped(x)
traced = {trace}
assert are_loaded()
assert torch.equal(traced, flipped(pictures))
""")


def test_after_torch_it_changes_nothing() -> None:
    program = """
import torch
before = torch._meta_registrations.meta_mm
from impasto.painting.torch_import import postpone_meta_kernels
postpone_meta_kernels()
from torch._meta_registrations import meta_mm
assert meta_mm is before
"""
    subprocess.run([sys.executable, "-c", program], check=True)
