"""Fine pictures: painted by one network and finished by another, where that is there and fits."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from safetensors.torch import save_file

from impasto import PaintOptions, PaintRequest, paint
from impasto.errors import NotAvailable
from impasto.painting.catalogue import Catalogue
from impasto.painting.network import Network, load_network
from impasto.painting.painter import Painting, PaintProgress, warm
from impasto.painting.strips.objective import StripObjective
from impasto.painting.strips.plan import least_bytes
from impasto.painting.tensors import to_tensor
from impasto_cpu import Cpu

from .conftest import random_weights
from .whole_objective import WholeObjective, gram_matrices

Maker = Callable[..., Image.Image]
Make = Callable[..., Catalogue]

STEPS, FINE_STEPS = 8, 6
STRIP_BYTES = 20_000


class FromFile:
    name = "embedded"
    description = "a tiny network in its place"

    def __init__(self, path: Path) -> None:
        self._path = path

    def why_not(self) -> str | None:
        return None

    def load(self) -> Network:
        return load_network(self._path)


class SmallCpu(Cpu):
    """Has so many bytes, if not all that there are."""

    def __init__(self, memory: int | None) -> None:
        super().__init__(max_pixels=20_000, memory_mb=0)
        self._bytes = memory

    def memory(self) -> int | None:
        return self._bytes

    def strip_bytes(self) -> int:
        return STRIP_BYTES


@pytest.fixture(scope="session")
def wide_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("networks") / "wide.safetensors"
    save_file(random_weights((12, 12, 24, 24, 24), seed=3), path)
    return path


@pytest.fixture
def make(catalogue: Catalogue, tiny_network: Path, wide_network: Path) -> Make:
    """Toolboxes whose `auto` is the tiny network, finished on the wide one."""

    def make(memory: int | None = None, **painting: object) -> Catalogue:
        other = Catalogue(catalogue.host)
        values = {"network": "auto", "fine_network": str(wide_network), "fine_steps": FINE_STEPS}
        section = catalogue.settings.painting.model_copy(update=values | painting)
        other.settings = catalogue.settings.model_copy(update={"painting": section})
        other.networks["embedded"] = FromFile(tiny_network)
        other.devices["cpu"] = SmallCpu(memory)
        return other

    return make


@pytest.fixture
def request_for(picture: Maker) -> Callable[..., PaintRequest]:
    def request_for(**options: object) -> PaintRequest:
        return PaintRequest(
            content=picture(150, 120, seed=1),
            styles=[(picture(50, 70, seed=2), 1.0)],
            options=PaintOptions.model_validate({"steps": STEPS, **options}),
        )

    return request_for


def finished(events: Iterator[PaintProgress | Painting]) -> Painting:
    *_, last = events
    assert isinstance(last, Painting)
    return last


def least_for(catalogue: Catalogue, size: tuple[int, int]) -> int:
    """Bytes without which no picture of (height, width) can be finished."""
    network = catalogue.network(catalogue.settings.painting.fine_network, catalogue.device("cpu"))
    return least_bytes(network, size, STRIP_BYTES)


def test_a_fine_picture_is_better_under_the_network_that_finished_it(
    make: Make, request_for: Callable[..., PaintRequest], wide_network: Path
) -> None:
    catalogue = make()
    plain = finished(paint(request_for(), catalogue))
    fine = finished(paint(request_for(fine=True), catalogue))
    assert (plain.fine_network, fine.fine_network) == (None, "wide")
    assert fine.network == plain.network == "tiny"
    assert (plain.steps, fine.steps) == (STEPS, STEPS + FINE_STEPS)

    asked = request_for()
    style = catalogue.steps.prepare(asked.styles[0][0], "style", asked.options, asked.content)
    network = load_network(wide_network)
    judge = WholeObjective(
        network,
        to_tensor(asked.content),
        gram_matrices(network, to_tensor(style)),
        catalogue.settings.painting.style_weight,
    )
    scores = [judge.losses(to_tensor(p.picture)).total for p in (plain, fine)]
    assert scores[1] < 0.8 * scores[0]
    assert fine.losses.total == pytest.approx(scores[1], rel=0.05), "under the finishing network"


def test_progress_knows_of_the_finish_and_what_it_costs(
    make: Make, request_for: Callable[..., PaintRequest]
) -> None:
    events = [e for e in paint(request_for(fine=True), make()) if isinstance(e, PaintProgress)]
    assert [e.step for e in events] == list(range(1, STEPS + FINE_STEPS + 1))
    assert {e.steps for e in events} == {STEPS + FINE_STEPS}
    shares = [e.share for e in events]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    usual, fine = shares[STEPS - 1] - shares[STEPS - 2], shares[-1] - shares[-2]
    assert fine > 3 * usual, "the wide network takes seven times as many multiplications"
    assert events[-1].level == events[STEPS - 1].level + 1 == events[-1].levels


def test_one_network_lets_go_of_its_maps_before_the_other_begins(
    make: Make, request_for: Callable[..., PaintRequest]
) -> None:
    def objectives() -> list[StripObjective]:
        return [found for found in gc.get_objects() if type(found) is StripObjective]

    before = {id(found) for found in objectives()}
    for event in paint(request_for(fine=True), make()):
        if isinstance(event, PaintProgress) and event.step == STEPS + 1:
            names = {o.network.name for o in objectives() if id(o) not in before}
            assert names == {"wide"}
            return
    pytest.fail("there was no step on the finishing network")


def test_settings_can_have_all_pictures_fine_and_a_request_can_decline(
    make: Make, request_for: Callable[..., PaintRequest]
) -> None:
    catalogue = make(fine=True)
    assert finished(paint(request_for(), catalogue)).fine_network == "wide"
    assert finished(paint(request_for(fine=False), catalogue)).fine_network is None


def test_a_network_that_is_named_paints_everything(
    make: Make, request_for: Callable[..., PaintRequest], tiny_network: Path
) -> None:
    named = request_for(fine=True, network=str(tiny_network))
    assert finished(paint(named, make())).fine_network is None
    catalogue = make(network=str(tiny_network))
    assert finished(paint(request_for(fine=True), catalogue)).fine_network is None
    assert "paints everything" in (catalogue.why_not_fine() or "")


def test_where_there_is_no_such_network_who_asks_is_told_and_who_does_not_gets_the_picture(
    make: Make, request_for: Callable[..., PaintRequest], tmp_path: Path
) -> None:
    for absent in ("vgg19", str(tmp_path / "damaged.safetensors")):
        (tmp_path / "damaged.safetensors").write_bytes(b"damaged")
        catalogue = make(fine=True, fine_network=absent)
        assert finished(paint(request_for(), catalogue)).fine_network is None
        assert catalogue.why_not_fine() is not None
    catalogue = make(fine_network="vgg19")
    with pytest.raises(NotAvailable, match="fetch it with `impasto weights fetch vgg19`"):
        paint(request_for(fine=True), catalogue)


def test_without_the_memory_for_it_a_picture_is_finished_as_it_is(
    make: Make, request_for: Callable[..., PaintRequest]
) -> None:
    least = least_for(make(), (120, 150))
    lean = finished(paint(request_for(fine=True), make(memory=least)))
    assert lean.fine_network == "wide"
    short = finished(paint(request_for(fine=True), make(memory=least - 1)))
    assert short.fine_network is None
    assert not short.reduced
    assert short.steps == STEPS


def test_fine_pictures_are_not_promised_where_one_at_the_cap_does_not_fit(make: Make) -> None:
    # what a photo of 4:3 has at 20,000 pixels
    least = least_for(make(), (122, 163))
    assert make(memory=None).why_not_fine() is None
    assert make(memory=least).why_not_fine() is None
    why = make(memory=least - 3 * 2**20).why_not_fine() or ""
    assert "takes at least 3 MB more than painting may have at 163 x 122 pixels" in why


def test_presets_are_made_ready_for_both_networks_where_all_pictures_are_fine(
    make: Make, picture: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[str] = []

    def counted(network: Network, *_: object) -> dict[str, object]:
        passes.append(network.name)
        return {}

    monkeypatch.setattr("impasto.painting.caches.strip_grams", counted)
    warm(picture(), PaintOptions(max_pixels=2_000), make())
    warm(picture(), PaintOptions(max_pixels=2_000), make(fine=True))
    assert passes == ["tiny", "tiny", "wide"]
