"""Writes a network of the embedded one's shape with random weights: what training has bought."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from weights.distil.network import load_student, save_student
from weights.distil.painting import random_student

from .processes import answer_from
from .records import EMBEDDED_FILE

SEED = 0


def write(request: Mapping[str, Any]) -> Mapping[str, Any]:
    student = load_student(EMBEDDED_FILE, torch.device("cpu"))
    save_student(random_student(student, SEED), Path(request["file"]), {"seed": SEED})
    return {}


if __name__ == "__main__":
    answer_from(write)
