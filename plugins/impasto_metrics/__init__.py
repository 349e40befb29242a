"""Metrics for Prometheus, at `/metrics` of the port that the bot listens on.

Without the extra `metrics` (`pip install 'impasto[metrics]'`) this plugin does nothing.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Final

from aiogram import Router
from aiohttp import web

from impasto import Finding, hookimpl
from impasto.jobs.job import Job, JobState
from impasto.settings import Settings
from impasto.telegram.web import port_of

IS_INSTALLED: Final = importlib.util.find_spec("prometheus_client") is not None

if IS_INSTALLED:
    from impasto_metrics import meters


@hookimpl
def impasto_job_changed(job: Job, change: JobState) -> None:
    if IS_INSTALLED:
        meters.job_changed(job, change)


@hookimpl
def impasto_telegram_called(method: str, result: str, seconds: float) -> None:
    if IS_INSTALLED:
        meters.telegram_called(method, result)


@hookimpl
def impasto_web_routes(settings: Settings) -> Sequence[web.AbstractRouteDef]:
    return [web.get("/metrics", meters.page)] if IS_INSTALLED else []


@hookimpl
def impasto_routers(settings: Settings) -> Sequence[Router]:
    """No dialog: when the bot starts, the page learns of its job service, which counts jobs."""
    router = Router(name="metrics")
    if IS_INSTALLED:
        router.startup.register(meters.bot_started)
        router.shutdown.register(meters.bot_stopped)
    return [router]


@hookimpl
def impasto_checks(settings: Settings) -> Sequence[Finding]:
    if not IS_INSTALLED:
        says = "not installed: pip install 'impasto[metrics]', if you want them"
        return [Finding.ok("metrics", says)]
    where = "at /metrics" if port_of(settings) else "served once server.port is set"
    return [Finding.ok("metrics", where)]
