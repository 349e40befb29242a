"""What painting relies on in its plugins: optimizers, devices, networks, and steps from picture to
picture."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from impasto import hookimpl
from impasto.contracts import (
    Device,
    Evaluation,
    NetworkSource,
    Optimizer,
    PaintOptions,
    PictureContext,
    Postprocessor,
    Preprocessor,
    Problem,
    Role,
)
from impasto.painting.network import Network
from impasto.testing.factories import make_photo, make_style
from impasto.testing.painting import paint_small

SHAPE = (1, 3, 12, 16)


class Bowl:
    """A stretched quadratic whose minimum lies partly out of bounds; counts its evaluations."""

    def __init__(self, device: torch.device) -> None:
        random = torch.Generator().manual_seed(1)
        self.target = (torch.rand(SHAPE, generator=random) * 1.6 - 0.3).to(device)
        self.steepness = (1 + 9 * torch.rand(SHAPE, generator=random)).to(device)
        self.start = torch.rand(SHAPE, generator=random).to(device)
        self.evaluations = 0
        self.least, self.most = math.inf, -math.inf

    def problem(self) -> Problem:
        return Problem(start=self.start, evaluate=self.evaluate, precondition=torch.clone)

    def evaluate(self, image: torch.Tensor) -> Evaluation:
        self.evaluations += 1
        self.least = min(self.least, image.min().item())
        self.most = max(self.most, image.max().item())
        return self.look(image)

    def look(self, image: torch.Tensor) -> Evaluation:
        """An evaluation that is not counted."""
        offset = image - self.target
        loss = 0.5 * (self.steepness * offset.square()).sum()
        return Evaluation(loss, self.steepness * offset)

    def loss(self, image: torch.Tensor) -> float:
        return float(self.look(image).loss)


class OptimizerConformance:
    """Inherit it and override the fixture `optimizer`."""

    @pytest.fixture
    def optimizer(self) -> Optimizer:
        raise NotImplementedError("override the fixture `optimizer`")

    @pytest.fixture(params=["cpu", "cuda"])
    def bowl(self, request: pytest.FixtureRequest) -> Bowl:
        """The function to minimize, on each device that works here."""
        if request.param == "cuda" and not torch.cuda.is_available():
            pytest.skip("there is no GPU here")
        return Bowl(torch.device(request.param))

    def test_keeps_the_contract(self, optimizer: Optimizer) -> None:
        assert isinstance(optimizer, Optimizer)

    def test_lowers_the_loss(self, optimizer: Optimizer, bowl: Bowl) -> None:
        losses = [float(iterate.loss) for iterate in optimizer.minimize(bowl.problem(), 60)]
        least = bowl.loss(bowl.target.clamp(0, 1))
        assert min(losses) - least < 0.5 * (losses[0] - least)

    def test_begins_at_the_start(self, optimizer: Optimizer, bowl: Bowl) -> None:
        first = next(optimizer.minimize(bowl.problem(), 5))
        assert first.step == 1
        assert float(first.loss) == pytest.approx(bowl.loss(bowl.start), rel=1e-4)

    @pytest.mark.parametrize("steps", [1, 2, 17])
    def test_honours_steps(self, optimizer: Optimizer, bowl: Bowl, steps: int) -> None:
        """One step is one evaluation: what an optimizer costs is what the settings say."""
        made = 0
        for made, iterate in enumerate(optimizer.minimize(bowl.problem(), steps), start=1):
            assert iterate.step == made
            assert bowl.evaluations <= made
        assert 1 <= made <= steps
        assert bowl.evaluations <= steps

    def test_reports_the_loss_of_the_image_it_yields(
        self, optimizer: Optimizer, bowl: Bowl
    ) -> None:
        for iterate in optimizer.minimize(bowl.problem(), 10):
            assert iterate.image.shape == SHAPE
            assert bowl.loss(iterate.image) == pytest.approx(float(iterate.loss), rel=1e-3)

    def test_stays_within_bounds(self, optimizer: Optimizer, bowl: Bowl) -> None:
        for iterate in optimizer.minimize(bowl.problem(), 30):
            assert 0 <= iterate.image.min() <= iterate.image.max() <= 1
        assert bowl.least >= 0
        assert bowl.most <= 1

    def test_leaves_the_start_alone(self, optimizer: Optimizer, bowl: Bowl) -> None:
        before = bowl.start.clone()
        list(optimizer.minimize(bowl.problem(), 5))
        assert torch.equal(bowl.start, before)

    def test_can_be_stopped(self, optimizer: Optimizer, bowl: Bowl) -> None:
        iterates = optimizer.minimize(bowl.problem(), 50)
        next(iterates)
        next(iterates)
        evaluations = bowl.evaluations
        iterates.close()
        assert list(iterates) == []
        assert bowl.evaluations == evaluations

    def test_begins_anew_each_time(self, optimizer: Optimizer, bowl: Bowl) -> None:
        """It is used for each level of each picture: nothing may be left of the one before."""
        first = [float(iterate.loss) for iterate in optimizer.minimize(bowl.problem(), 8)]
        second = [float(iterate.loss) for iterate in optimizer.minimize(bowl.problem(), 8)]
        assert first == pytest.approx(second, rel=1e-4)

    def test_survives_a_function_without_slope(self, optimizer: Optimizer, bowl: Bowl) -> None:
        def flat(image: torch.Tensor) -> Evaluation:
            return Evaluation(image.new_tensor(1.0), torch.zeros_like(image))

        for iterate in optimizer.minimize(replace(bowl.problem(), evaluate=flat), 6):
            assert torch.isfinite(iterate.image).all()


class DeviceConformance:
    """Inherit it and override the fixture `device`. Where the device does not work on the machine
    of the test, only its excuse is looked at."""

    @pytest.fixture
    def device(self) -> Device:
        raise NotImplementedError("override the fixture `device`")

    @pytest.fixture
    def working(self, device: Device) -> Device:
        why_not = device.why_not()
        if why_not is not None:
            pytest.skip(why_not)
        return device

    def test_keeps_the_contract(self, device: Device) -> None:
        assert isinstance(device, Device)
        assert isinstance(device.order, int)

    def test_says_in_a_sentence_why_it_does_not_work(self, device: Device) -> None:
        why_not = device.why_not()
        assert why_not is None or len(why_not.split()) >= 3

    def test_has_a_pixel_cap(self, device: Device) -> None:
        assert device.max_pixels() >= 1024

    def test_says_how_much_memory_there_is(self, working: Device) -> None:
        memory = working.memory()
        assert memory is None or memory >= 0
        assert working.strip_bytes() > 0

    def test_computes_features_in_its_precision(self, working: Device) -> None:
        where, precision = working.torch_device(), working.feature_dtype()
        assert precision.is_floating_point
        image = torch.rand(1, 3, 16, 16, device=where).to(precision)
        weight = torch.rand(4, 3, 3, 3, device=where).to(precision)
        maps = F.max_pool2d(F.relu(F.conv2d(image, weight, padding=1)), 2)
        assert maps.dtype == precision
        expected = F.max_pool2d(F.relu(F.conv2d(image.float(), weight.float(), padding=1)), 2)
        assert torch.allclose(maps.float().cpu(), expected.cpu(), rtol=0.05, atol=0.05)

    def test_keeps_images_in_float32(self, working: Device) -> None:
        image = torch.rand(1, 3, 8, 8, dtype=torch.float32, device=working.torch_device())
        gradient = torch.autograd.grad(image.requires_grad_().square().sum(), image)
        assert gradient[0].dtype == torch.float32


class NetworkConformance:
    """Inherit it and override the fixture `network` with the source of a network. Where it cannot
    be loaded, as when it was not fetched, only its excuse is looked at."""

    @pytest.fixture
    def network(self) -> NetworkSource:
        raise NotImplementedError("override the fixture `network`")

    @pytest.fixture
    def loaded(self, network: NetworkSource) -> Network:
        why_not = network.why_not()
        if why_not is not None:
            pytest.skip(why_not)
        return network.load()

    def test_keeps_the_contract(self, network: NetworkSource) -> None:
        assert isinstance(network, NetworkSource)
        assert network.description

    def test_says_in_a_sentence_why_it_cannot_be_loaded(self, network: NetworkSource) -> None:
        why_not = network.why_not()
        assert why_not is None or len(why_not.split()) >= 3

    def test_has_layers_for_style_and_content(self, loaded: Network) -> None:
        names = {convolution.name for convolution in loaded.convolutions}
        assert loaded.style_layers
        assert loaded.content_layers
        assert names >= set(loaded.style_layers) | set(loaded.content_layers)
        assert all(weight > 0 for weight in loaded.style_layers.values())

    def test_sees_pictures_as_different(self, loaded: Network) -> None:
        random = torch.Generator().manual_seed(0)
        one, other = torch.rand(2, 1, 3, 48, 48, generator=random)
        seen, seen_otherwise = loaded.features(one), loaded.features(other)
        for layer in loaded.style_layers:
            assert torch.isfinite(seen[layer]).all()
            assert not torch.allclose(seen[layer], seen_otherwise[layer])

    def test_is_the_same_each_time(self, network: NetworkSource, loaded: Network) -> None:
        again = network.load()
        for one, other in zip(loaded.convolutions, again.convolutions, strict=True):
            assert torch.equal(one.weight, other.weight)

    def test_paints(self, network: NetworkSource, loaded: Network) -> None:
        class Plugin:
            @hookimpl
            def impasto_networks(self, settings: object) -> list[NetworkSource]:
                members = {n: getattr(network, n) for n in ("description", "load", "why_not")}
                return [SimpleNamespace(name="tested", **members)]

        painting = paint_small(plugins=[Plugin()], network="tested", steps=3)
        assert painting.losses.total > 0


def _pictures() -> Iterator[Image.Image]:
    """An ordinary one, an upright one of odd sizes, a small one, one of a single color."""
    yield make_photo(96, 64)
    yield make_photo(37, 91, seed=1)
    yield make_photo(16, 16, seed=2)
    yield Image.new("RGB", (40, 30), "white")


def _context(role: Role, picture: Image.Image, keep_colors: bool) -> PictureContext:
    options = PaintOptions(keep_colors=keep_colors, max_pixels=4096, steps=8, style_weight=1e6)
    content = None if role == "content" else picture.copy()
    styles = [(make_style(), 1.0)] if role == "start" else []
    return PictureContext(role=role, options=options, content=content, styles=styles)


Step = Preprocessor | Postprocessor


class _StepConformance:
    """What preprocessors and postprocessors have in common."""

    @pytest.fixture
    def step(self) -> Step:
        raise NotImplementedError

    def situations(self, step: Any) -> Iterator[tuple[Image.Image, PictureContext]]:
        """Pictures that the step is given, and what it is told about each."""
        raise NotImplementedError

    def runs(self, step: Step) -> Iterator[tuple[Image.Image, Image.Image]]:
        """Each picture and what the step makes of it."""
        for picture, context in self.situations(step):
            untouched = picture.copy()
            result = step(picture, context)
            assert picture.tobytes() == untouched.tobytes(), "it changed its input"
            yield untouched, result

    def test_has_an_order(self, step: Step) -> None:
        assert isinstance(step.order, int)

    def test_returns_rgb_pictures_that_can_be_painted(self, step: Step) -> None:
        for before, after in self.runs(step):
            assert isinstance(after, Image.Image), "it returns a picture"
            assert after.mode == "RGB", "it returns an RGB picture"
            assert min(after.size) >= min(16, *before.size), "too little is left to paint"

    def test_does_the_same_each_time(self, step: Step) -> None:
        for (_, once), (_, again) in zip(self.runs(step), self.runs(step), strict=True):
            assert once.tobytes() == again.tobytes()


class PreprocessorConformance(_StepConformance):
    """Inherit it and override the fixture `preprocessor`."""

    @pytest.fixture
    def preprocessor(self) -> Preprocessor:
        raise NotImplementedError("override the fixture `preprocessor`")

    @pytest.fixture
    def step(self, preprocessor: Preprocessor) -> Preprocessor:
        return preprocessor

    def situations(self, step: Preprocessor) -> Iterator[tuple[Image.Image, PictureContext]]:
        for role in sorted(step.roles):
            for keep_colors in (False, True):
                for picture in _pictures():
                    yield picture, _context(role, picture, keep_colors)

    def test_keeps_the_contract(self, preprocessor: Preprocessor) -> None:
        assert isinstance(preprocessor, Preprocessor)
        assert preprocessor.roles
        assert preprocessor.roles <= {"content", "style", "start"}

    def test_keeps_the_size_of_the_start(self, preprocessor: Preprocessor) -> None:
        """The picture that painting begins from has the size of the content image."""
        if "start" not in preprocessor.roles:
            pytest.skip("it is not asked about the start")
        for picture in _pictures():
            result = preprocessor(picture, _context("start", picture, keep_colors=False))
            assert result.size == picture.size


class PostprocessorConformance(_StepConformance):
    """Inherit it and override the fixture `postprocessor`."""

    @pytest.fixture
    def postprocessor(self) -> Postprocessor:
        raise NotImplementedError("override the fixture `postprocessor`")

    @pytest.fixture
    def step(self, postprocessor: Postprocessor) -> Postprocessor:
        return postprocessor

    def situations(self, step: Postprocessor) -> Iterator[tuple[Image.Image, PictureContext]]:
        for keep_colors in (False, True):
            for picture in _pictures():
                context = PictureContext(
                    role="content",
                    options=PaintOptions(keep_colors=keep_colors),
                    content=make_photo(*picture.size, seed=9),
                    styles=[(make_style(), 1.0)],
                )
                yield picture, context

    def test_keeps_the_contract(self, postprocessor: Postprocessor) -> None:
        assert isinstance(postprocessor, Postprocessor)

    def test_keeps_the_size(self, postprocessor: Postprocessor) -> None:
        for before, after in self.runs(postprocessor):
            assert after.size == before.size
