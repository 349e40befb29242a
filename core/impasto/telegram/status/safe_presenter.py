"""The presenter's words, and plain ones where a presenter fails: words must never cost a result."""

from __future__ import annotations

import html
from typing import Any

import structlog

from impasto.contracts import Presenter, Say
from impasto.jobs.job import Job
from impasto.messages import Progress

log = structlog.get_logger(__name__)

_PLAIN = {
    "waiting": "🎨 …",
    "painting": "🎨 …",
    "painted": "🖼",
    "ready": "🖼 ⬆️",
    "failed": "⚠️",
    "cancelled": "✖️",
}


class SafePresenter:
    """What `presenter` says; plain words when it raises."""

    def __init__(self, presenter: Presenter) -> None:
        self._presenter = presenter

    def waiting(self, job: Job, ahead: int, seconds: float | None) -> Say:
        return self._said("waiting", job, ahead, seconds)

    def painting(self, job: Job, progress: Progress) -> Say:
        return self._said("painting", job, progress)

    def painted(self, job: Job) -> Say:
        return self._said("painted", job)

    def ready(self, job: Job) -> Say:
        return self._said("ready", job)

    def failed(self, job: Job) -> Say:
        return self._said("failed", job)

    def cancelled(self, job: Job) -> Say:
        return self._said("cancelled", job)

    def plain(self, kind: str, job: Job) -> Say:
        """SafePresenter that Telegram cannot but take."""
        if kind == "failed" and job.failure is not None:
            return Say(html.escape(job.failure.sentence))
        return Say(_PLAIN[kind])

    def _said(self, kind: str, job: Job, *facts: Any) -> Say:
        try:
            say = getattr(self._presenter, kind)(job, *facts)
            if not isinstance(say, Say) or not say.text:
                raise TypeError(f"{kind} must return a Say with a text, not {say!r}")
        except Exception:
            log.exception("presenter_failed", presenter=self._presenter.name, kind=kind, job=job.id)
            return self.plain(kind, job)
        return say
