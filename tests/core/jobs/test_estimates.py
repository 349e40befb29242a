"""Estimates: from what was measured, for the device in use, and none out of nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from impasto.contracts import PaintOptions
from impasto.jobs.estimates import FINE_STEP, LAST, Estimates, effort_of
from impasto.jobs.job import ChosenStyle, Effort, Job, JobState, TelegramPicture
from impasto.jobs.store import JobStore
from impasto.messages import Painted
from impasto.settings import PaintingSettings

PAINTING = PaintingSettings(
    steps=100, fine_steps=10, max_pixels_cpu=200_000, max_pixels_gpu=2_000_000
)


@pytest.fixture
def estimates(store: JobStore) -> Estimates:
    return Estimates(store.journal, PAINTING)


def job(pixels: int | None = None, **options: int) -> Job:
    return Job(
        person=1,
        chat=1,
        content=TelegramPicture(file_id="photo", pixels=pixels),
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


async def test_time_goes_with_pixels_and_steps(estimates: Estimates, store: JobStore) -> None:
    await measured(store, 10)
    assert await seconds_for(estimates, job(100_000)) == pytest.approx(10)
    assert await seconds_for(estimates, job(50_000)) == pytest.approx(5)
    assert await seconds_for(estimates, job(100_000, steps=25)) == pytest.approx(2.5)
    assert await seconds_for(estimates, job()) == pytest.approx(20), (
        "the cap, where nothing is known"
    )
    assert await seconds_for(estimates, job(9_000_000)) == pytest.approx(20), "for larger, too"
    assert await seconds_for(estimates, job(9_000_000, max_pixels=400_000)) == pytest.approx(40)


async def test_one_disturbed_painting_does_not_count(estimates: Estimates, store: JobStore) -> None:
    for seconds in (10, 11, 500):
        await measured(store, seconds)
    assert await seconds_for(estimates, job(100_000)) == pytest.approx(11)


async def test_the_last_ones_count(estimates: Estimates, store: JobStore) -> None:
    for seconds in [100] * LAST + [10] * LAST:
        await measured(store, seconds)
    assert await seconds_for(estimates, job(100_000)) == pytest.approx(10)


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
    assert (usual.steps, fine.steps) == (100, 100 + 10 * FINE_STEP)
    await measured(store, 10, **fine.model_dump(exclude={"pixels", "seconds", "device"}))
    assert await seconds_for(estimates, job(100_000, fine=True)) == pytest.approx(10)
    assert await seconds_for(estimates, job(100_000)) == pytest.approx(10 / (1 + FINE_STEP / 10))
    estimates.paints_fine = False
    plain = await seconds_for(estimates, job(100_000))
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
