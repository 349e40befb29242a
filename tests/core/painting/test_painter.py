"""paint(): progress, previews, cancellation, options, and plugins that fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from impasto import Iterate, PaintOptions, PaintRequest, paint
from impasto.errors import NotAvailable, PluginError
from impasto.painting.catalogue import Catalogue, load_catalogue
from impasto.painting.painter import Painting, PaintProgress, warm
from impasto_cpu import Cpu

Maker = Callable[..., Image.Image]


def request(picture: Maker, size: tuple[int, int] = (64, 48), **options: object) -> PaintRequest:
    return PaintRequest(
        content=picture(*size, seed=1),
        styles=[(picture(50, 70, seed=2), 1.0)],
        options=PaintOptions(**options),
    )


def finished(events: list[PaintProgress | Painting]) -> Painting:
    *progress, last = events
    assert isinstance(last, Painting)
    assert all(isinstance(event, PaintProgress) for event in progress)
    return last


@pytest.mark.parametrize(
    "weights",
    [[], [0.0], [0.0, 0.0], [-1.0], [1.0, -1.0], [float("nan")], [float("inf"), 1.0]],
)
def test_style_weights_that_mean_nothing_are_the_arguments_fault(
    picture: Maker, weights: list[float]
) -> None:
    styles = [(picture(50, 70, seed=2), weight) for weight in weights]
    with pytest.raises(ValueError, match="styles"):
        PaintRequest(content=picture(64, 48, seed=1), styles=styles)


def test_a_style_may_have_no_weight_beside_one_that_has(
    catalogue: Catalogue, picture: Maker
) -> None:
    styles = [(picture(50, 70, seed=2), 0.0), (picture(50, 70, seed=3), 2.0)]
    options = PaintOptions(steps=2)
    asked = PaintRequest(content=picture(64, 48, seed=1), styles=styles, options=options)
    both = finished(list(paint(asked, catalogue)))
    alone = PaintRequest(content=asked.content, styles=[(styles[1][0], 1.0)], options=options)
    assert both.picture.tobytes() == finished(list(paint(alone, catalogue))).picture.tobytes()


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_painting_lowers_the_loss_and_reports_every_step(
    catalogue: Catalogue, picture: Maker, optimizer: str
) -> None:
    events = list(paint(request(picture, (150, 120), steps=24, optimizer=optimizer), catalogue))
    painting = finished(events)
    progress = [event for event in events if isinstance(event, PaintProgress)]
    assert [event.step for event in progress] == list(range(1, 25))
    last_level = [event for event in progress if event.level == event.levels]
    assert painting.losses.total < last_level[0].loss
    assert painting.picture.size == (150, 120)
    assert painting.steps == 24


@pytest.mark.parametrize("size", [(33, 32), (640, 32), (32, 301), (97, 131)])
def test_odd_and_long_sizes_are_painted_whole(
    catalogue: Catalogue, picture: Maker, size: tuple[int, int]
) -> None:
    painting = finished(list(paint(request(picture, size, steps=3), catalogue)))
    assert painting.picture.size == size


def test_previews_have_the_size_and_the_detail_of_the_result(
    catalogue: Catalogue, picture: Maker
) -> None:
    content = picture(300, 240, seed=1)
    lines = np.asarray(content) // 2
    lines[::2] += 100  # no smaller size of the picture can show these
    asked = request(picture, steps=6)
    asked = replace(asked, content=Image.fromarray(lines))
    first = next(paint(asked, catalogue))
    assert isinstance(first, PaintProgress)
    assert first.level < first.levels
    preview = first.picture()
    assert preview.size == (300, 240)
    rows = np.asarray(preview, float).mean(axis=(1, 2))
    assert np.abs(np.diff(rows)).mean() > 20


def test_closing_the_iterator_cancels_between_two_steps(
    catalogue: Catalogue, picture: Maker
) -> None:
    closed: list[int] = []

    class Endless:
        name = "endless"

        def minimize(self, problem, steps):
            try:
                for step in range(1, steps + 1):
                    yield Iterate(step, 1.0, problem.start)
            finally:
                closed.append(step)

    catalogue = with_optimizer(catalogue, Endless())
    events = paint(request(picture, steps=500, optimizer="endless"), catalogue)
    for _ in range(3):
        next(events)
    events.close()
    assert closed == [3]


def with_optimizer(catalogue: Catalogue, optimizer: object) -> Catalogue:
    other = Catalogue(catalogue.host)
    other.optimizers[optimizer.name] = optimizer
    return other


@pytest.mark.parametrize(
    ("loss", "sentence"), [(float("nan"), "loss of nan"), (None, "ValueError: broken inside")]
)
def test_an_optimizer_that_fails_is_named(
    catalogue: Catalogue, picture: Maker, loss: float | None, sentence: str
) -> None:
    class Broken:
        name = "broken"

        def minimize(self, problem, steps):
            if loss is None:
                raise ValueError("broken inside")
            yield Iterate(1, loss, problem.start)

    catalogue = with_optimizer(catalogue, Broken())
    with pytest.raises(PluginError, match=sentence):
        list(paint(request(picture, optimizer="broken"), catalogue))


@pytest.mark.parametrize(
    ("yields", "sentence"),
    [
        ("a picture", "must yield Iterate, not str"),
        (Iterate(1, 1.0, torch.zeros(1, 3, 5, 5)), "must yield images of the shape"),
        (Iterate(1, 1.0, None), "must yield images of the shape"),
    ],
    ids=["no iterate", "wrong shape", "no image"],
)
def test_an_optimizer_that_yields_nonsense_is_named(
    catalogue: Catalogue, picture: Maker, yields: object, sentence: str
) -> None:
    class Nonsense:
        name = "nonsense"

        def minimize(self, problem, steps):
            yield yields

    with pytest.raises(PluginError, match=sentence):
        list(paint(request(picture, optimizer="nonsense"), with_optimizer(catalogue, Nonsense())))


def test_the_best_iterate_is_kept_where_an_optimizer_ends_on_a_worse_one(
    catalogue: Catalogue, picture: Maker
) -> None:
    class Wanderer:
        name = "wanderer"

        def minimize(self, problem, steps):
            image = problem.start.clone()
            yield Iterate(1, problem.evaluate(image).loss, image)
            image.fill_(0.0)
            yield Iterate(2, problem.evaluate(image).loss, image)

    catalogue = with_optimizer(catalogue, Wanderer())
    painting = finished(list(paint(request(picture, optimizer="wanderer", steps=2), catalogue)))
    assert np.asarray(painting.picture).max() > 0


def test_keeping_colors_gives_the_photos_hues(catalogue: Catalogue, picture: Maker) -> None:
    asked = request(picture, (96, 96), steps=8, keep_colors=True)
    painting = finished(list(paint(asked, catalogue)))
    _, *hues = painting.picture.convert("YCbCr").split()
    _, *photo_hues = asked.content.convert("YCbCr").split()
    for hue, photo_hue in zip(hues, photo_hues, strict=True):
        difference = np.abs(np.asarray(hue, int) - np.asarray(photo_hue, int))
        assert np.median(difference) <= 2


def test_the_pixel_cap_scales_down_and_keeps_the_ratio(
    catalogue: Catalogue, picture: Maker
) -> None:
    painting = finished(
        list(paint(request(picture, (400, 100), steps=2, max_pixels=10_000), catalogue))
    )
    assert painting.picture.size == (200, 50)


@pytest.mark.parametrize("color", ["black", "white", "gray", "red"])
def test_one_color_pictures_are_painted(catalogue: Catalogue, picture: Maker, color: str) -> None:
    plain = Image.new("RGB", (64, 48), color)
    for content, style in ((plain, picture()), (picture(), plain), (plain, plain)):
        asked = PaintRequest(content=content, styles=[(style, 1.0)], options=PaintOptions(steps=6))
        painting = finished(list(paint(asked, catalogue)))
        assert np.isfinite(painting.losses.total)


@pytest.mark.parametrize("kind", ["network", "optimizer", "device"])
def test_asking_for_what_is_not_there_says_what_is(
    catalogue: Catalogue, picture: Maker, kind: str
) -> None:
    with pytest.raises(NotAvailable, match=f"{kind} 'nonsense' is not available"):
        paint(request(picture, **{kind: "nonsense"}), catalogue)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_cuda_is_refused_with_a_reason_where_there_is_none(
    catalogue: Catalogue, picture: Maker
) -> None:
    with pytest.raises(NotAvailable, match=r"no CUDA|no NVIDIA GPU"):
        paint(request(picture, device="cuda"), catalogue)


def test_the_same_request_gives_the_same_picture(catalogue: Catalogue, picture: Maker) -> None:
    first, second = (
        finished(list(paint(request(picture, steps=5, seed=7), catalogue))) for _ in range(2)
    )
    assert first.picture.tobytes() == second.picture.tobytes()


def test_a_network_file_can_be_named(
    catalogue: Catalogue, picture: Maker, tiny_network_with_readouts: Path
) -> None:
    asked = request(picture, steps=2, network=str(tiny_network_with_readouts))
    assert finished(list(paint(asked, catalogue))).network == "tiny"


def test_finishing_early_gives_the_picture_as_it_is_at_full_size(
    catalogue: Catalogue, picture: Maker
) -> None:
    asked = request(picture, (300, 240), steps=60)
    steps = 0

    def after_five() -> bool:
        return steps >= 5

    for event in paint(asked, catalogue, finish_now=after_five):
        steps += isinstance(event, PaintProgress)
    assert isinstance(event, Painting)
    assert event.steps == steps == 5
    assert event.picture.size == (300, 240)
    assert np.asarray(event.picture).std() > 10


@pytest.mark.slow
def test_a_level_that_no_longer_pays_ends_before_its_steps(
    catalogue: Catalogue, picture: Maker
) -> None:
    painting = finished(list(paint(request(picture, (150, 120), steps=2000), catalogue)))
    assert painting.steps < 1000


@pytest.mark.parametrize(("coarse_weight", "others_count"), [(1.0, True), (0.0, False)])
def test_coarser_sizes_have_a_say_unless_their_weight_is_nothing(
    catalogue: Catalogue, picture: Maker, coarse_weight: float, others_count: bool
) -> None:
    changes = {"coarse_weight": coarse_weight, "color_coherence": 0}
    section = catalogue.settings.painting.model_copy(update=changes)
    catalogue = load_catalogue(catalogue.settings.model_copy(update={"painting": section}))
    *_, last, painting = paint(request(picture, (240, 200), steps=12), catalogue)
    at_full_size_alone = painting.losses.total
    assert (last.loss > 1.01 * at_full_size_alone) == others_count


def test_a_picture_too_large_for_the_memory_is_painted_smaller_and_says_so(
    catalogue: Catalogue, picture: Maker
) -> None:
    catalogue = with_memory(catalogue, 60_000_000)
    painting = finished(list(paint(request(picture, (900, 600), steps=3), catalogue)))
    assert painting.reduced
    width, height = painting.picture.size
    assert 100 < width < 900
    assert width / height == pytest.approx(1.5, rel=0.02)
    less = with_memory(catalogue, 59_000_000)
    again = finished(list(paint(request(picture, (900, 600), steps=3), less)))
    assert again.picture.size == (width, height), "for a little less memory nothing is made anew"
    small = finished(list(paint(request(picture, (90, 60), steps=3), catalogue)))
    assert not small.reduced
    assert small.picture.size == (90, 60)


def test_the_same_picture_comes_out_in_much_and_in_little_memory(
    catalogue: Catalogue, picture: Maker
) -> None:
    asked = request(picture, (200, 160), steps=6)
    plenty = finished(list(paint(asked, catalogue)))
    little = finished(list(paint(asked, with_memory(catalogue, 16_000_000))))
    assert not little.reduced
    difference = np.abs(np.asarray(plenty.picture, float) - np.asarray(little.picture, float))
    assert difference.mean() < 2


def test_without_memory_painting_says_so(catalogue: Catalogue, picture: Maker) -> None:
    with pytest.raises(MemoryError, match="too few"):
        list(paint(request(picture), with_memory(catalogue, 1000)))


def with_memory(catalogue: Catalogue, memory: int) -> Catalogue:
    """The catalogue with a CPU that has so many bytes and works in low strips: in tiles."""

    class SmallCpu(Cpu):
        def memory(self) -> int:
            return memory

        def strip_bytes(self) -> int:
            return 20_000

    other = Catalogue(catalogue.host)
    other.devices["cpu"] = SmallCpu(max_pixels=10_000_000, memory_mb=0)
    return other


@pytest.mark.parametrize(("cap", "memory"), [(14_400, None), (1_000_000, 16_000_000)])
def test_a_preset_made_ready_costs_no_style_pass(
    catalogue: Catalogue,
    picture: Maker,
    monkeypatch: pytest.MonkeyPatch,
    cap: int,
    memory: int | None,
) -> None:
    style = picture(50, 70, seed=2)
    options = PaintOptions(max_pixels=cap)
    catalogue = Catalogue(catalogue.host) if memory is None else with_memory(catalogue, memory)
    warm(style, options, catalogue)

    def unexpected(*_: object) -> None:
        raise AssertionError("the style went through the network again")

    monkeypatch.setattr("impasto.painting.caches.strip_grams", unexpected)
    photo = picture(1200, 900, seed=1)
    events = paint(PaintRequest(content=photo, styles=[(style, 1.0)], options=options), catalogue)
    assert isinstance(next(events), PaintProgress)
    events.close()


@pytest.mark.parametrize("size", [(200, 100), (100, 200), (640, 480)])
def test_the_style_keeps_its_shape_and_takes_the_brush_size(
    catalogue: Catalogue, picture: Maker, size: tuple[int, int]
) -> None:
    photo, style = picture(160, 90), picture(*size)
    cap = PaintOptions(max_pixels=14_400)
    areas = {}
    for brush in (0.5, 1.0, 2.0):
        options = cap.model_copy(update={"brush_size": brush})
        prepared = catalogue.steps.prepare(style, "style", options, photo)
        assert prepared.width / prepared.height == pytest.approx(size[0] / size[1], rel=0.1)
        areas[brush] = prepared.width * prepared.height
    assert areas[1.0] == pytest.approx(160 * 90, rel=0.1)
    assert areas[2.0] == pytest.approx(4 * areas[1.0], rel=0.1)
