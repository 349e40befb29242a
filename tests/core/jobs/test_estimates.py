"""Estimates: from what was measured, for the device in use, and none out of nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto.contracts import PaintOptions
from impasto.jobs.estimates import (
    FEWEST_PIXELS,
    LAST,
    Estimates,
    effort_of,
    pixels_within,
    work,
)
from impasto.jobs.job import ChosenStyle, Effort, Job, JobState, TelegramPicture
from impasto.jobs.store import JobStore
from impasto.messages import Measured, Painted, Ready
from impasto.settings import PaintingSettings

PAINTING = PaintingSettings(
    steps=100, fine_steps=10, max_pixels_cpu=200_000, max_pixels_gpu=2_000_000, enlarge=1
)
ROUGHLY = 0.02
"""Sides are rounded, and with them the work."""


@pytest.fixture
def estimates(store: JobStore) -> Estimates:
    return Estimates(store.journal, PAINTING)


def job(pixels: int | None = None, long_side: int | None = None, **options: int) -> Job:
    return Job(
        person=1,
        chat=1,
        content=TelegramPicture(file_id="photo", pixels=pixels, long_side=long_side),
        styles=(ChosenStyle(preset="wave"),),
        options=PaintOptions.model_validate(options),
    )


async def seconds_for(estimates: Estimates, job: Job) -> float | None:
    """How long the job itself may take."""
    return await estimates.seconds_until_done(job, ahead=0)


async def measured(store: JobStore, seconds: float, **effort: object) -> None:
    """A job that took so long at 100,000 pixels and 100 steps."""
    painted = job()
    await store.add(painted)
    await store.claim()
    known = {"pixels": 100_000, "steps": 100, "seconds": seconds, "device": "cpu", **effort}
    await store.move(painted.id, JobState.PAINTED, effort=Effort.model_validate(known))


async def test_nothing_is_made_up(estimates: Estimates, store: JobStore) -> None:
    assert await seconds_for(estimates, job()) is None
    assert await estimates.seconds_until_done(job(), ahead=3) is None
    assert await estimates.pixel_cap() == 200_000


async def test_what_was_measured_at_the_start_serves_until_something_is_painted(
    estimates: Estimates, store: JobStore
) -> None:
    pace = Measured(pixels=100_000, steps=100, seconds=10.0)
    estimates.painter_ready(Ready(pid=1, device="cpu"), pace)
    assert await seconds_for(estimates, job(100_000)) == pytest.approx(10, rel=ROUGHLY)
    ahead = await estimates.seconds_until_done(job(100_000), ahead=2)
    assert ahead == pytest.approx(30, rel=ROUGHLY)
    assert await estimates.options_in_time(job()) is None, "it is too rough to go by it"
    await measured(store, 20)
    assert await seconds_for(estimates, job(100_000)) == pytest.approx(20, rel=ROUGHLY)


async def test_what_could_not_be_measured_is_not_made_up(estimates: Estimates) -> None:
    pace = Measured(pixels=100_000, steps=100, seconds=None)
    estimates.painter_ready(Ready(pid=1, device="cpu"), pace)
    assert await seconds_for(estimates, job()) is None


async def test_time_goes_with_the_work_of_all_levels(estimates: Estimates, store: JobStore) -> None:
    await measured(store, 10)

    def expected(pixels: int, steps: int = 100) -> object:
        share = work(pixels, steps, 0, 1.0) / work(100_000, 100, 0, 1.0)
        return pytest.approx(10 * share, rel=ROUGHLY)

    assert await seconds_for(estimates, job(100_000)) == expected(100_000)
    assert await seconds_for(estimates, job(50_000)) == expected(50_000)
    assert await seconds_for(estimates, job(100_000, steps=25)) == expected(100_000, 25)
    assert await seconds_for(estimates, job()) == expected(200_000), "where nothing is known"
    assert await seconds_for(estimates, job(9_000_000)) == expected(200_000), "for larger, too"
    large = job(9_000_000, max_pixels=400_000)
    assert await seconds_for(estimates, large) == expected(400_000)


async def test_a_photo_is_painted_within_the_longer_side_and_enlarged(
    estimates: Estimates, store: JobStore
) -> None:
    estimates.renew(PaintingSettings(patience_seconds=0))
    await measured(store, 10)
    wide = job(1_280 * 640, long_side=1280)
    known = job(1_080 * 540, max_pixels=1_080 * 540)
    assert await seconds_for(estimates, wide) == pytest.approx(
        await seconds_for(estimates, known), rel=ROUGHLY
    )
    assert await seconds_for(estimates, job(400 * 300, long_side=400)) == pytest.approx(
        await seconds_for(estimates, job(800 * 600, max_pixels=800 * 600)), rel=ROUGHLY
    )


def test_a_picture_just_above_a_third_of_a_megapixel_is_less_work_than_one_just_below() -> None:
    assert work(360_000, 50, 0, 1.0) < 0.7 * work(340_000, 50, 0, 1.0)


USUAL = 1080 * 810


def by_work(seconds: float) -> Callable[[int], float]:
    """How long pixels take where the usual ones take so long."""
    return lambda pixels: seconds * work(pixels, 50, 0, 1.0) / work(USUAL, 50, 0, 1.0)


@given(st.floats(0.1, 10_000), st.floats(0.1, 1000), st.integers(1024, 10_000_000))
def test_what_is_painted_in_time_is_in_time_or_as_small_as_may_be(
    pace: float, patience: float, usual: int
) -> None:
    seconds_for = by_work(pace)
    pixels = pixels_within(patience, usual, seconds_for)
    assert min(usual, FEWEST_PIXELS) <= pixels <= usual
    assert seconds_for(pixels) <= patience or pixels == min(usual, FEWEST_PIXELS)


def test_the_size_shrinks_as_the_machine_is_slower() -> None:
    found = [pixels_within(30, USUAL, by_work(seconds)) for seconds in (20, 30, 40, 50, 60, 1000)]
    assert found[:2] == [USUAL, USUAL]
    assert found[-1] == FEWEST_PIXELS
    assert found == sorted(found, reverse=True)
    assert found[2] > 350_000 > found[3], "what takes longer than a larger picture is left out"


class TestPatience:
    @pytest.fixture
    def patient(self, store: JobStore) -> Estimates:
        return Estimates(store.journal, PaintingSettings())

    photo = TelegramPicture(file_id="photo", pixels=1280 * 960, long_side=1280)

    def asked(self, **options: object) -> Job:
        return job().model_copy(
            update={"content": self.photo, "options": PaintOptions.model_validate(options)}
        )

    async def paced(self, store: JobStore, seconds: float) -> None:
        """The usual size has taken so long."""
        await measured(store, seconds, pixels=USUAL, steps=50)

    async def test_what_is_quick_or_unknown_has_its_usual_size(
        self, patient: Estimates, store: JobStore
    ) -> None:
        assert await patient.options_in_time(self.asked()) is None
        await self.paced(store, 29)
        assert await patient.options_in_time(self.asked()) is None

    async def test_what_would_take_too_long_gets_fewer_pixels_and_the_other_limits(
        self, patient: Estimates, store: JobStore
    ) -> None:
        await self.paced(store, 45)
        options = await patient.options_in_time(self.asked(style_weight=5))
        assert options is not None
        assert (options.max_side, options.enlarge, options.style_weight) == (1080, 2.0, 5)
        assert options.max_pixels is not None
        assert FEWEST_PIXELS < options.max_pixels < USUAL
        promised = await seconds_for(patient, self.asked())
        assert promised is not None
        assert promised <= 30, "people are told the time of the smaller one"

    @pytest.mark.parametrize(
        "asked", [{"patient": True}, {"max_pixels": 2_000_000}, {"max_side": 900}, {"fine": True}]
    )
    async def test_who_asks_for_more_waits(
        self, patient: Estimates, store: JobStore, asked: dict[str, object]
    ) -> None:
        await self.paced(store, 45)
        assert await patient.options_in_time(self.asked(**asked)) is None
        promised = await seconds_for(patient, self.asked(patient=True))
        assert promised == pytest.approx(45, rel=ROUGHLY)

    async def test_0_is_no_limit(self, patient: Estimates, store: JobStore) -> None:
        await self.paced(store, 1000)
        patient.renew(PaintingSettings(patience_seconds=0))
        assert await patient.options_in_time(self.asked()) is None

    async def test_a_machine_has_its_own_pace(self, patient: Estimates, store: JobStore) -> None:
        await self.paced(store, 1000)
        assert await patient.options_in_time(self.asked()) is not None, "as others have measured"
        patient.learn(Effort(pixels=USUAL, steps=50, seconds=10, device="cpu"))
        assert await patient.options_in_time(self.asked()) is None


async def test_one_disturbed_painting_does_not_count(estimates: Estimates, store: JobStore) -> None:
    for seconds in (10, 11, 500):
        await measured(store, seconds)
    assert await seconds_for(estimates, job(100_000)) == pytest.approx(11, rel=ROUGHLY)


async def test_the_last_ones_count(estimates: Estimates, store: JobStore) -> None:
    for seconds in [100] * LAST + [10] * LAST:
        await measured(store, seconds)
    assert await seconds_for(estimates, job(100_000)) == pytest.approx(10, rel=ROUGHLY)


async def test_who_waits_waits_for_those_before(estimates: Estimates, store: JobStore) -> None:
    await measured(store, 10)
    assert await estimates.seconds_until_done(job(100_000), ahead=2) == pytest.approx(30)


async def test_another_device_has_another_pace(estimates: Estimates, store: JobStore) -> None:
    await measured(store, 10)
    await measured(store, 1, device="cuda")
    assert await seconds_for(estimates, job(100_000)) == pytest.approx(1), "the one used last"
    assert await estimates.pixel_cap() == 2_000_000
    estimates.device = "cpu"
    assert await seconds_for(estimates, job(100_000)) == pytest.approx(10)
    assert await estimates.pixel_cap() == 200_000
    estimates.device = "tpu"
    assert await seconds_for(estimates, job(100_000)) is None


async def test_what_was_cut_short_and_what_failed_teaches_nothing(
    estimates: Estimates, store: JobStore
) -> None:
    for end in (JobState.PAINTED, JobState.FAILED):
        other = job()
        await store.add(other)
        await store.claim()
        await store.move(other.id, end, seconds=3.0)
    assert await seconds_for(estimates, job()) is None


def painted(seconds: float, fine_network: str | None = None) -> Painted:
    return Painted(
        job_id="job",
        result=Path("result.jpg"),
        width=500,
        height=200,
        steps=90,
        seconds=seconds,
        device="cpu",
        network="embedded",
        fine_network=fine_network,
        offers_fine=True,
    )


async def test_fine_pictures_take_longer_and_tell_as_much_about_others(
    estimates: Estimates, store: JobStore
) -> None:
    usual = effort_of(painted(10.0), planned_steps=100, fine_steps=10)
    fine = effort_of(painted(10.0, "vgg19"), planned_steps=110, fine_steps=10)
    assert (usual.steps, usual.fine_steps, fine.steps, fine.fine_steps) == (100, 0, 100, 10)
    await measured(store, 10, **fine.model_dump(exclude={"pixels", "seconds", "device"}))
    assert await seconds_for(estimates, job(100_000, fine=True)) == pytest.approx(10)
    plain = await seconds_for(estimates, job(100_000))
    share = work(100_000, 100, 0, 1.0) / work(100_000, 100, 10, 1.0)
    assert plain == pytest.approx(10 * share)
    estimates.paints_fine = False
    assert await seconds_for(estimates, job(100_000, fine=True)) == plain, "it will not be fine"
    estimates.paints_fine = True
    estimates.renew(PAINTING.model_copy(update={"fine": True}))
    assert await seconds_for(estimates, job(100_000)) == pytest.approx(10)


async def test_fine_pictures_are_offered_where_they_can_be_had_and_are_not_the_rule(
    estimates: Estimates, store: JobStore
) -> None:
    assert not await estimates.offers_fine(), "as long as nothing is known"
    await measured(store, 10, offers_fine=True)
    assert await estimates.offers_fine(), "as who painted last said: on another machine, perhaps"
    estimates.paints_fine = False
    assert not await estimates.offers_fine(), "the painting process of this one knows better"
    estimates.paints_fine = True
    assert await estimates.offers_fine()
    estimates.renew(PAINTING.model_copy(update={"fine": True}))
    assert not await estimates.offers_fine(), "all are"
