"""Logging by structlog: pretty on a terminal, JSON elsewhere, without secrets.

aiogram and aiohttp log through the standard library; their records are rendered the same way.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import MutableMapping
from typing import Any

import structlog

from impasto.scrubbing import scrub, scrub_all
from impasto.settings import LogSettings


def _as_text(value: Any) -> Any:
    """What is no number may have secrets in its text."""
    return value if isinstance(value, int | float | bool | None) else scrub(str(value))


def _scrub_event(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """The last processor before rendering: tracebacks are text by now."""
    for key, value in event.items():
        if not key.startswith("_"):  # structlog's own bookkeeping
            event[key] = scrub_all(value, _as_text)
    return event


MOST_ALIKE = 30
"""Warnings and errors of one kind that are written within WINDOW_SECONDS."""
WINDOW_SECONDS = 60.0
MOST_KINDS = 1000


class Throttle(logging.Filter):
    """Leaves out what is said again and again, as when each of a thousand connections fails: it
    would fill the disk. The next line of its kind says how many were left out."""

    def __init__(self) -> None:
        super().__init__()
        self._kinds: dict[tuple[str, str], tuple[float, int]] = {}
        """Begin of the window, and lines in it, by logger and event."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        # What structlog passes on is a dict.
        ours: dict[str, Any] | None = record.msg if isinstance(record.msg, dict) else None
        kind = (record.name, str(record.msg if ours is None else ours.get("event")))
        now = time.monotonic()
        begin, count = self._kinds.get(kind, (now, 0))
        left_out = 0
        if now - begin >= WINDOW_SECONDS:
            left_out, begin, count = max(0, count - MOST_ALIKE), now, 0
        if len(self._kinds) >= MOST_KINDS:
            self._kinds.clear()
        self._kinds[kind] = (begin, count + 1)
        if left_out and ours is not None:
            ours["left_out"] = left_out
        elif left_out:
            record.left_out = left_out  # as an extra of the caller's
        return count < MOST_ALIKE


def configure_logging(settings: LogSettings) -> None:
    """Sends structlog's and the standard library's events to standard error, one way for both."""
    pretty = settings.format == "pretty" or (settings.format == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=not pretty),
        structlog.processors.format_exc_info,
        _scrub_event,
    ]
    renderer: Any = (
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # Tracebacks are text by now: secrets had to be taken out of them.
            exception_formatter=structlog.dev.plain_traceback,
        )
        if pretty
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    handler.addFilter(Throttle())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    # One line per request is noise at "info"; failures are logged by the callers.
    for name in ("aiogram.event", "aiohttp.access"):
        logging.getLogger(name).setLevel(logging.WARNING)
