"""What this program says to whoever runs it: its log, by structlog, pretty on a terminal and JSON
elsewhere; without secrets; on standard streams that take any text.

aiogram and aiohttp log through the standard library; their records are rendered the same way.
"""

from __future__ import annotations

import io
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from impasto.settings import LogSettings


LEAST_LETTERS = 6
"""A shorter secret is not looked for: ordinary words would contain it."""

_TOKEN = re.compile(r"(?<!\d)(\d{3,16})(?::|%3A)[A-Za-z0-9_-]{8,}", re.IGNORECASE)
"""A bot token wherever it stands, also after `/bot` in the URL of a failed request."""
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+(?=@)")
"""Name and password in an address, as of a proxy."""
_SERVER = re.compile(r"\b(?!https?:)([a-z][a-z0-9+.-]*://)\S*(?=@)", re.IGNORECASE)
"""The same in that of a database, where it is no path that may have an @ in it, but a password that
may have anything in it."""
_PARAMETER = re.compile(
    r"([?&;](?:password|passwd|pwd|secret|token|api_?key)=)[^&;\s'\"<>]+", re.IGNORECASE
)
_INPUT = re.compile(r"(?<=input_value=).*?(?=, input_type=)", re.DOTALL)
"""What somebody wrote, in an error of pydantic's."""

_hidden: set[str] = set()


def hide(secret: str) -> None:
    """Has `scrub` take out this secret from now on; its shape does not tell that it is one."""
    if len(secret) >= LEAST_LETTERS:
        _hidden.add(secret)


def scrub(text: str) -> str:
    """The text with every bot token cut to its public half (the bot's id), and without passwords in
    addresses, secrets named by `hide`, and what people wrote that a model of pydantic refused."""
    for secret in _hidden:
        text = text.replace(secret, "***")
    text = _INPUT.sub("***", _TOKEN.sub(r"\1:***", text))
    text = _PARAMETER.sub(r"\1***", _SERVER.sub(r"\1***", text))
    return _CREDENTIALS.sub("***", text)


def scrub_all(value: Any, other: Callable[[Any], Any] = lambda value: value) -> Any:
    """The value with all texts in it scrubbed, at any depth of mappings and lists; what is neither
    of these is as `other` returns it."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, Mapping):
        return {key: scrub_all(item, other) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [scrub_all(item, other) for item in value]
    return other(value)


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


def prepare_streams() -> bool:
    """Whether what is written to standard error can be read by somebody. To be called before
    anything else is opened.

    A closed stream leads to nowhere: its number would be that of the next file, into which other
    libraries, and child processes, would then write. What an encoding lacks is written as an
    escape, where an error would end the program.
    """
    is_read = sys.stderr is not None
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode, encoding="utf-8")  # noqa: PTH123, SIM115
            os.set_inheritable(stream.fileno(), True)
            setattr(sys, name, stream)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    return is_read
