"""The presenter's words, and plain ones where it fails: words must never cost a result."""

from __future__ import annotations

import html
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import structlog
from aiogram.types import User

from impasto.contracts import NoticePresenter, Presenter, Say
from impasto.jobs.job import Job
from impasto.plugins.containment import running

log = structlog.get_logger(__name__)

_PLAIN: Final = {
    "waiting": "🎨 …",
    "painting": "🎨 …",
    "painted": "🖼",
    "ready": "🖼 ⬆️",
    "moved": "🖼 ⬇️",
    "failed": "⚠️",
    "cancelled": "❌",
}

_PLAIN_NOTICES: Final = {
    "not_allowed": "This bot works for a small circle of people.",
    "handler_failed": "Sorry, something went wrong here.",
    "no_room": "There is no room for new pictures just now. Please come back a little later.",
    "disk_full": "The disk is full: {why}",
    "machine_fails": "The machine fails: {why}",
    "plugin_fails": "The plugin {plugin} fails: {why}",
    "painter_keeps_dying": "The painting process keeps dying: {why}",
}


class SafePresenter:
    """Says what `presenter` says; plain words where that one raises or has none."""

    def __init__(self, presenter: Presenter, bot: User | None = None) -> None:
        """`bot` is the one that it speaks for."""
        self._bot = bot
        self.renew(presenter)

    def renew(self, presenter: Presenter) -> None:
        """Has this one speak from here on."""
        self._presenter = presenter
        introduce = getattr(presenter, "introduce", None)
        if introduce is None or self._bot is None:
            return
        try:
            with running(presenter.name, "introduce"):
                introduce(self._bot)
        except Exception:
            log.exception("presenter_failed", presenter=presenter.name, kind="introduce")

    def say(self, kind: str, job: Job, *facts: Any) -> Say:
        """What the method `kind` of the presenter returns."""
        words = getattr(self._presenter, kind, None)
        if words is None:  # one that it need not have
            return self.plain(kind, job)
        try:
            with running(self._presenter.name, kind):
                return _checked(words(job, *facts), kind)
        except Exception:
            log.exception("presenter_failed", presenter=self._presenter.name, kind=kind, job=job.id)
            return self.plain(kind, job)

    def plain(self, kind: str, job: Job) -> Say:
        """Words that Telegram cannot but take."""
        if kind == "failed" and job.failure is not None:
            return Say(html.escape(job.failure.sentence))
        return Say(_PLAIN[kind])

    def choices(self, kind: str, job: Job) -> tuple[Say, Say]:
        """What the presenter says, and plain words should Telegram refuse those."""
        return self.say(kind, job), self.plain(kind, job)

    def notice(
        self,
        code: str,
        language: str | None,
        facts: Mapping[str, str | int] = MappingProxyType({}),
        sentence: str = "",
    ) -> Say:
        """What the presenter says about something other than a job; where it has no words for that,
        `sentence`, or else the plain one for this code."""
        presenter = self._presenter
        try:
            if isinstance(presenter, NoticePresenter):
                with running(presenter.name, "notice"):
                    say = presenter.notice(code, language or "en", facts)
                if say is not None:
                    return _checked(say, "notice")
        except Exception:
            log.exception("presenter_failed", presenter=presenter.name, kind="notice", code=code)
        return Say(html.escape(sentence or _PLAIN_NOTICES.get(code, "⚠️").format_map(facts)))


def _checked(say: object, kind: str) -> Say:
    if not isinstance(say, Say) or not say.text:
        raise TypeError(f"{kind} must return a Say with a text, not {say!r}")
    return say
