"""Painting with and without a yardstick, and the yardstick beside the baseline's own score."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks import subjects
from benchmarks.painting_process import Yardstick, answer, load_baseline
from benchmarks.records import REPOSITORY
from benchmarks.subjects import Pair, SharedData
from PIL import Image
from safetensors.torch import load_file, save_file

from ..core.painting.conftest import random_weights

SHARED = SharedData(REPOSITORY.parent / "shared")
BRIGHTNESS = '''
"""A baseline that a test can work out: its losses are mean squares of pixels."""
import numpy, torch
from PIL import Image

def read(path, size):
    picture = Image.open(path).convert("RGB").resize((size[1], size[0]))
    return torch.from_numpy(numpy.array(picture)).permute(2, 0, 1)[None].float() / 255

def targets(content, style, weights):
    return content, style

def losses(x, target, weights):
    content, style = target
    return ((x - style) ** 2).mean(), ((x - content) ** 2).mean()

def run(content, style, weights, evaluations, report):
    x = content.clone().requires_grad_()
    for _ in range(20):
        sum(losses(x, (content, style), weights)).backward()
'''


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Enough for pictures this small."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """A baseline, weights and two pictures of 40 x 48 pixels."""
    (tmp_path / "baseline.py").write_text(BRIGHTNESS)
    save_file(random_weights((4, 4, 8, 8, 8)), tmp_path / "network.safetensors")
    random = np.random.default_rng(0)
    for name, top in (("content", 100), ("style", 250)):
        pixels = random.integers(0, top, (48, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    names = ("baseline.py", "network.safetensors", "content.png", "style.png")
    return {name.partition(".")[0]: str(tmp_path / name) for name in names}


def request(files: dict[str, str], **more: Any) -> dict[str, Any]:
    painting = {
        "network": files["network"],
        "device": "cpu",
        "memory_mb": 0,
        "enlarge": 1,
        "threads": 1,
    }
    return {
        "settings": {"painting": painting},
        "options": {"steps": 8},
        "content": files["content"],
        "style": files["style"],
        **more,
    }


def test_a_timed_run_says_when_each_step_was_made(files: dict[str, str]) -> None:
    timed = answer(request(files))
    assert 1 <= len(timed["steps"]) <= 8
    assert timed["steps"] == sorted(timed["steps"])
    assert 0 < timed["steps"][0] <= timed["steps"][-1] <= timed["seconds"]
    assert "scores" not in timed


def test_a_scored_run_makes_the_same_steps_and_keeps_its_picture(
    files: dict[str, str], tmp_path: Path
) -> None:
    picture = tmp_path / "picture.png"
    scored = answer(
        request(files, picture=str(picture), baseline=files["baseline"], weights=files["network"])
    )
    assert len(scored["steps"]) == len(answer(request(files))["steps"])
    assert len(scored["scores"]) == len(scored["steps"]) + 1, "of the finished picture, too"
    single, multi = scored["scores"][-1]
    painted, content, style = (
        np.asarray(Image.open(file), float) / 255
        for file in (picture, files["content"], files["style"])
    )
    assert painted.shape == (48, 40, 3)
    expected = np.square(painted - style).mean() + np.square(painted - content).mean()
    assert single == pytest.approx(expected, rel=1e-5)
    assert multi > single
    named = {name: files[name] for name in ("baseline", "content", "style")}
    finished = answer({"finished": str(picture), "weights": files["network"], **named})
    assert finished == {"single": single, "multi": multi}


def test_the_pace_is_that_of_the_evaluations_asked_for(files: dict[str, str]) -> None:
    pace = answer(
        {
            **{name: files[name] for name in ("baseline", "content", "style")},
            "weights": files["network"],
            "side": 48,
            "threads": torch.get_num_threads(),
            "evaluations": 3,
        }
    )
    assert 0 < pace["seconds"] < 60


@pytest.mark.skipif(not SHARED.baseline.is_file(), reason=f"there is no {SHARED.folder}")
def test_the_yardstick_scores_as_the_baseline_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subjects, "SIDE", 48)
    pair = Pair("tubingen", "starry_night")
    content, style = pair.squeezed(SHARED, tmp_path)
    picture = Image.open(content).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    picture.save(tmp_path / "picture.png")
    single, multi = Yardstick(SHARED.baseline, SHARED.vgg, content, style).score(picture)

    module = load_baseline(SHARED.baseline)
    originals = (SHARED.photo(pair.content), SHARED.style(pair.style))
    images = [module.read(path, (48, 48)) for path in (tmp_path / "picture.png", *originals)]
    expected = module.score(*images, load_file(SHARED.vgg))
    assert single == pytest.approx(expected["single"], rel=1e-5)
    assert multi == pytest.approx(expected["multi"], rel=1e-5)
