"""What pytest loads: fixtures that import what they need when a test asks for them.

Override `impasto_plugins` and `impasto_settings` in a test module or a conftest.py to say what
`impasto_app`, `chat` and `paint_small` run with.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from impasto.painting.painter import Painting
    from impasto.testing import App, Chat

pytest.register_assert_rewrite("impasto.testing.conformance")


@pytest.fixture
def impasto_plugins() -> Sequence[Any]:
    """Plugins to load besides the installed ones: modules, objects with hooks, or paths of
    one-file plugins. None; override it."""
    return ()


@pytest.fixture
def impasto_settings() -> dict[str, Any]:
    """Settings by section that differ from those of the test kit. None; override it:
    `{"painting": {"optimizer": "mine"}, "plugins": {"mine": {"speed": 2}}}`."""
    return {}


@pytest.fixture
def impasto_app(
    impasto_plugins: Sequence[Any], impasto_settings: dict[str, Any], tmp_path: Path
) -> Iterator[App]:
    """A bot with its plugins on a playground server, with its own thread and event loop. Fails the
    test when one of its plugins does not work."""
    from impasto.testing import App

    with App(impasto_plugins, impasto_settings, tmp_path / "impasto") as app:
        yield app


@pytest.fixture
def chat(impasto_app: App) -> Chat:
    """A person in the chat with the bot of `impasto_app`."""
    return impasto_app.chat()


@pytest.fixture
def paint_small(
    impasto_plugins: Sequence[Any], impasto_settings: dict[str, Any]
) -> Callable[..., Painting]:
    """`impasto.testing.paint_small` with the plugins and settings of this test."""
    from impasto.testing.painting import paint_small

    return functools.partial(paint_small, plugins=impasto_plugins, settings=impasto_settings)
