"""What holds for all tests."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import hypothesis
import pytest
import structlog

from .ports import reserved_port

# A test that is right on a slow machine stays right: time decides nothing.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Commands set up logging for their process, and these are all in one."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    # structlog's default draws a traceback with all locals, which takes a second.
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.processors.add_log_level, renderer])
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def free_port() -> Iterator[int]:
    """A port that a server of the test may listen on."""
    with reserved_port() as port:
        yield port
