"""Metrics for Prometheus, at `/metrics` of the port that the bot listens on.

They need the extra `metrics` (`pip install 'impasto[metrics]'`); without it nothing happens here.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from aiogram import Router

from impasto import Finding, hookimpl
from impasto.jobs.job import Job, JobState
from impasto.settings import Settings
from impasto.telegram.web import port_of

if TYPE_CHECKING:
    from aiohttp.web import AbstractRouteDef

IS_INSTALLED: Final = importlib.util.find_spec("prometheus_client") is not None

if IS_INSTALLED:
    from impasto_metrics import meters, page


@hookimpl
def impasto_job_changed(job: Job, change: JobState) -> None:
    if IS_INSTALLED:
        meters.job_changed(job, change)


@hookimpl
def impasto_telegram_called(method: str, result: str, seconds: float) -> None:
    if IS_INSTALLED:
        meters.telegram_called(method, result)


@hookimpl
def impasto_web_routes(settings: Settings) -> Sequence[AbstractRouteDef]:
    return page.routes() if IS_INSTALLED else []


@hookimpl
def impasto_routers(settings: Settings) -> Sequence[Router]:
    """No dialog: at the bot's start the page learns whom to ask how many jobs there are."""
    router = Router(name="metrics")
    if IS_INSTALLED:
        router.startup.register(page.remember)
        router.shutdown.register(page.forget)
    return [router]


@hookimpl
def impasto_checks(settings: Settings) -> Sequence[Finding]:
    if not IS_INSTALLED:
        says = "not installed: pip install 'impasto[metrics]', if you want them"
        return [Finding(name="metrics", verdict="ok", says=says)]
    where = "at /metrics" if port_of(settings) else "served once server.port is set"
    return [Finding(name="metrics", verdict="ok", says=where)]
