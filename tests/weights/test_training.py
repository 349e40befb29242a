"""A whole training run in small: both stages, an interruption, the exported file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from weights.distil import data
from weights.distil.data import Pictures
from weights.distil.evaluate import cases
from weights.distil.losses import View, read_out, student_targets, student_view
from weights.distil.network import LAYERS, Student, forward, load_student, trained
from weights.distil.settings import Settings
from weights.distil.training import Training
from weights.distil.triples import Pool

pytestmark = pytest.mark.slow

SETTINGS = Settings(
    steps=6,
    time_limit=1e6,
    widths=(3, 4, 4, 5, 5),
    layer_weights=(1.0, 1.0, 1.0, 1.0, 1.0),
    crop=32,
    matching_batch=2,
    triples_batch=2,
    matching_share=0.5,
    warm_up_steps=20,
    slots=4,
    validate_every=3,
    checkpoint_every=3,
)


@pytest.fixture
def training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Training:
    monkeypatch.setattr(data, "TEXTURES", 5)
    monkeypatch.setattr(data, "TEXTURE_SIZE", 40)
    photos = tmp_path / "photos"
    photos.mkdir()
    noise = np.random.default_rng(0)
    for number in range(2):
        pixels = noise.integers(0, 255, (40, 50, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(photos / f"{number}.png")
    return _training(tmp_path)


def _training(folder: Path, begin: Path | None = None) -> Training:
    pictures = Pictures(folder / "photos", SETTINGS.crop, seed=0)
    random = torch.Generator().manual_seed(1)
    channels = (6, 6, 8, 8, 9)
    shape = Student(channels, channels, random)
    teacher = [(w.detach(), b.detach()) for w, b in shape.convolutions]
    validation = cases(pictures, teacher, seed=2)
    out = folder / "network.safetensors"
    return Training(SETTINGS, pictures, validation, teacher, folder, out, "noise", begin)


def _log(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_goes_on_after_an_interruption(
    training: Training, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: Training) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Training, "_imitate", interrupt)
        with pytest.raises(KeyboardInterrupt):
            training.run()
    report = _training(tmp_path).run()

    log = _log(tmp_path)
    assert [(entry["step"], entry["resumed"]) for entry in log if "resumed" in entry] == [
        (0, False),
        (3, True),
    ]
    assert log[-1]["step"] == SETTINGS.steps
    assert log[-1]["validation"] == report
    assert set(report["features"]) == set(LAYERS)


def test_exported_network_is_the_averaged_one(training: Training, tmp_path: Path) -> None:
    training.run()
    loaded = load_student(tmp_path / "network.safetensors", torch.device("cpu"))
    for position in range(len(LAYERS)):
        pairs = [
            (loaded.weights[position], training.averaged.weights[position]),
            (loaded.readout(position), training.averaged.readout(position)),
        ]
        for ours, theirs in pairs:  # stored in half precision
            assert torch.equal(ours, theirs.half().float())


def test_begins_with_a_network_that_is_given(training: Training, tmp_path: Path) -> None:
    training.run()
    network = tmp_path / "network.safetensors"
    (tmp_path / "checkpoint.pt").unlink()
    again = _training(tmp_path, begin=network)
    again.prepare()
    picture = again.pictures.draw(1, torch.Generator().manual_seed(3))
    seen, _ = forward(picture, training.averaged.convolutions)
    begun, _ = forward(picture, again.student.convolutions)
    for position in range(len(LAYERS)):
        # Layers are scaled anew, and their readouts take the scale back.
        ours = read_out(begun[position], again.student.readout(position))
        theirs = read_out(seen[position], training.averaged.readout(position))
        torch.testing.assert_close(ours, theirs, rtol=0.02, atol=0.02 * float(theirs.std()))

    again.run()
    assert trained(network)["from"]["from"] == "seeded random orthogonal initial values"


def test_the_student_paints_its_triples_on(training: Training) -> None:
    """By the student's own losses, which is where its paintings are nearly finished."""
    student = training.student
    for readout in student.readouts:
        torch.nn.init.normal_(readout, generator=torch.Generator().manual_seed(4))
    settings = dataclasses.replace(SETTINGS, teacher_paints=0.0)
    pool = Pool(training.pictures, training.teacher, settings, torch.Generator().manual_seed(5))
    pool.life[:] = 20
    slots = torch.arange(SETTINGS.slots)

    asked = student_targets(pool.content, pool.style, student)

    def seen() -> View:
        return student_view(pool.picture, asked, pool.content_weight, student)

    def style_losses() -> torch.Tensor:
        return sum(d.pow(2).flatten(1).mean(1) for d in seen().differences)

    before = style_losses()
    for _ in range(8):
        ours = seen()
        theirs = dataclasses.replace(ours, gradient=torch.zeros_like(ours.gradient))
        pool.paint(slots, theirs, ours, asked, student)
    assert (style_losses() < 0.1 * before).all()
    assert pool.strokes.tolist() == [8 * SETTINGS.strokes] * SETTINGS.slots


def test_matching_alone_lowers_the_feature_errors(training: Training) -> None:
    training.prepare()
    first, last = [], []
    for number in range(40):
        training.set_rates(0.1, matching=True)
        loss, _ = training.match()
        training.update(loss, matching=True)
        training.step += 1
        (first if number < 5 else last).append(loss.item())
    assert np.mean(last[-5:]) < 0.8 * np.mean(first)
