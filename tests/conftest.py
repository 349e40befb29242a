"""What holds for all tests."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import hypothesis
import pytest
import structlog

from impasto.painting.threads import usable_cpus

from .ports import reserved_port

# torch's threads wait for each other by spinning, which costs ten times the work where several
# tests paint on the same cores. Read when torch is loaded, also by processes that tests start.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# A test that is right on a slow machine stays right: time decides nothing.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

WORKERS_PER_CPU = 2
"""Much of the time tests wait for processes that they have started."""
MOST_WORKERS = 8
"""Each takes some 600 MB with torch in it."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """None for single tests, which a debugger may want to see."""
    if all("::" in argument for argument in config.args):
        return 0
    return min(WORKERS_PER_CPU * usable_cpus(), MOST_WORKERS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first: none of them is still running when all others are done."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


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
