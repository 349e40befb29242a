"""What Prometheus is told: counted where it happens, under names with few labels."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

import impasto_metrics
from impasto.jobs.job import ChosenStyle, Job, JobState, TelegramPicture
from impasto.settings import ServerSettings, Settings, TelegramSettings
from impasto.testing import make_job
from impasto_metrics import meters

ACCEPTED_AT = datetime(2026, 1, 1, tzinfo=UTC)
OWN_STYLE = ChosenStyle(picture=TelegramPicture(file_id="style"))


def job_at(state: JobState, later: float = 0, **fields: Any) -> Job:
    """The same job, `later` seconds after its acceptance."""
    changed_at = ACCEPTED_AT + timedelta(seconds=later)
    return make_job(state, id="job", accepted_at=ACCEPTED_AT, changed_at=changed_at, **fields)


class Difference:
    """How much a sample has grown since the test began."""

    def __init__(self) -> None:
        self._before = self._samples()

    def __call__(self, name: str, **labels: str) -> float:
        key = name, tuple(sorted(labels.items()))
        # Other tests have counted before: differences of large sums are rounded.
        return round(self._samples().get(key, 0.0) - self._before.get(key, 0.0), 6)

    def _samples(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in REGISTRY.collect()
            for sample in family.samples
        }


@pytest.fixture
def grown() -> Difference:
    return Difference()


def test_the_way_of_a_job_is_counted_and_timed(grown: Difference) -> None:
    for job in (
        job_at(JobState.ACCEPTED),
        job_at(JobState.RUNNING, 5, attempts=1),
        job_at(JobState.PAINTED, 20, attempts=1, seconds=12.0, steps=60),
        job_at(JobState.DELIVERED, 22, attempts=1, seconds=12.0, steps=60),
    ):
        impasto_metrics.impasto_job_changed(job, job.state)
    assert grown("impasto_jobs_total", state="delivered", style="night") == 1
    assert grown("impasto_stage_seconds_sum", stage="waiting") == 5
    assert grown("impasto_stage_seconds_sum", stage="painting") == 12
    assert grown("impasto_stage_seconds_sum", stage="delivering") == 2
    assert grown("impasto_answer_seconds_sum") == 22
    assert grown("impasto_steps_per_second_sum") == 5


def test_a_second_try_is_a_retry_and_no_wait(grown: Difference) -> None:
    meters.job_changed(job_at(JobState.RUNNING, 90, attempts=2), JobState.RUNNING)
    assert grown("impasto_job_retries_total") == 1
    assert grown("impasto_stage_seconds_count", stage="waiting") == 0


def test_deaths_are_counted_once_each(grown: Difference) -> None:
    meters.job_changed(job_at(JobState.RUNNING, deaths=1), JobState.RUNNING)
    meters.job_changed(job_at(JobState.FAILED, deaths=2), JobState.FAILED)
    meters.job_changed(job_at(JobState.EXPLAINED, deaths=2), JobState.EXPLAINED)
    assert grown("impasto_painter_deaths_total") == 2
    assert grown("impasto_job_failures_total", code="painting_failed") == 1


@pytest.mark.parametrize(
    ("styles", "label"),
    [
        ((ChosenStyle(preset="wave"),), "wave"),
        ((OWN_STYLE,), "own"),
        ((ChosenStyle(preset="wave"), OWN_STYLE), "mixed"),
    ],
)
def test_styles_have_few_names(styles: tuple[ChosenStyle, ...], label: str) -> None:
    assert meters.style_of(make_job(styles=styles)) == label


def test_what_is_remembered_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meters, "MOST_REMEMBERED", 3)
    for number in range(9):
        painted = make_job(JobState.PAINTED, id=str(number))
        meters.job_changed(painted, JobState.PAINTED)
    # What is remembered shows only as memory.
    assert len(meters._painted_at) == 3
    assert "8" in meters._painted_at


class JobService:
    """Knows how many jobs there are."""

    async def count(self, *states: JobState) -> int:
        return 4 if states == (JobState.ACCEPTED,) else 0


@pytest.fixture
async def client() -> AsyncIterator[TestClient[Any, Any]]:
    """Of the page, which knows no bot."""
    application = web.Application()
    application.add_routes(impasto_metrics.impasto_web_routes(Settings()))
    await meters.bot_stopped()
    async with TestClient(TestServer(application)) as client:
        yield client
    await meters.bot_stopped()


async def test_the_page_is_what_prometheus_reads(client: TestClient[Any, Any]) -> None:
    await meters.bot_started(JobService())  # type: ignore[arg-type]
    impasto_metrics.impasto_telegram_called("sendMessage", "retry_after", 0.1)
    answer = await client.get("/metrics")
    text = await answer.text()
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    found = {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["impasto_unfinished_jobs", ("accepted",)] == 4
    assert found["impasto_telegram_calls_total", ("sendMessage", "retry_after")] >= 1
    assert found["impasto_resident_bytes", ("bot",)] > 2**20


async def test_a_bot_that_has_ended_is_asked_nothing(client: TestClient[Any, Any]) -> None:
    class Ended:
        async def count(self, *states: JobState) -> int:
            raise RuntimeError("the database is not open")

    [router] = impasto_metrics.impasto_routers(Settings())
    await router.emit_startup(job_service=Ended())
    await router.emit_shutdown()
    assert (await client.get("/metrics")).status == 200


def test_without_the_library_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(impasto_metrics, "IS_INSTALLED", False)
    assert impasto_metrics.impasto_web_routes(Settings()) == []
    [finding] = impasto_metrics.impasto_checks(Settings())
    assert "impasto[metrics]" in finding.says


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (Settings(), "served once server.port is set"),
        (Settings(server=ServerSettings(port=9000)), "at /metrics"),
        (
            Settings(telegram=TelegramSettings(webhook_base="https://bot.example.org")),
            "at /metrics",
        ),
    ],
)
def test_the_doctor_is_told_where(settings: Settings, says: str) -> None:
    [finding] = impasto_metrics.impasto_checks(settings)
    assert finding.says == says
