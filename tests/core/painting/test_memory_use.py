"""What painting leaves behind in memory."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

from impasto.jobs.painter_process import COMPILED_AND_KEPT

has_mallinfo = sys.platform == "linux" and hasattr(ctypes.CDLL(None), "mallinfo2")

PAINT_MANY_SIZES = """
import ctypes
from PIL import Image
from impasto import PaintOptions, PaintRequest, paint
from impasto.painting.catalogue import load_catalogue
from impasto.settings import Settings

class MallInfo(ctypes.Structure):  # mallinfo(3)
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks",
        "fordblks", "keepcost")]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype = MallInfo
picture = Image.effect_noise((600, 600), 90).convert("RGB")
catalogue = load_catalogue(Settings.model_validate({"painting": {"device": "cpu", "steps": 3}}))
for width in (384, 380, 372, 356, 340, 308):
    content = picture.resize((width, 600 - width))
    for _ in paint(PaintRequest(content=content, styles=[(picture, 1.0)],
                                options=PaintOptions()), catalogue):
        pass
    now = libc.mallinfo2()
    print(now.uordblks + now.hblkhd)
"""


@pytest.mark.slow
@pytest.mark.skipif(not has_mallinfo, reason="needs glibc 2.33 or newer")
def test_pictures_of_many_sizes_leave_little_behind() -> None:
    """Compiled by oneDNN and kept were 15 MB for each size of a picture: a bot grew until it was
    killed."""
    result = subprocess.run(
        [sys.executable, "-c", PAINT_MANY_SIZES],
        env=os.environ | COMPILED_AND_KEPT,
        capture_output=True,
        text=True,
        check=True,
    )
    taken = [int(line) / 2**20 for line in result.stdout.split()]
    megabytes_a_size = (taken[-1] - taken[1]) / (len(taken) - 2)
    assert megabytes_a_size < 3, taken
