"""SIGHUP, however often it comes: the newest settings win, and nobody waits for the others."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import structlog

from impasto import StylePreset
from impasto.cli.bot import settings_on_hangup
from impasto.errors import SettingsError
from impasto.jobs.painter_process import ChildKeeper
from impasto.settings import Settings


def hang_up() -> None:
    os.kill(os.getpid(), signal.SIGHUP)


class Source:
    """Settings that somebody edits; reading them takes until it is let go on."""

    def __init__(self) -> None:
        self.times = 0
        self.begun = threading.Semaphore(0)
        self.may_go_on = threading.Semaphore(0)
        self.error: Exception | None = None

    def read(self) -> Settings:
        self.times += 1
        number = self.times
        self.begun.release()
        assert self.may_go_on.acquire(timeout=30)
        if self.error is not None:
            raise self.error
        return Settings(state_dir=Path(f"number {number}"))


async def test_a_storm_is_read_twice_and_the_newest_is_taken() -> None:
    source = Source()
    async with settings_on_hangup(source.read) as changes:
        assert changes is not None
        hang_up()
        assert await asyncio.to_thread(source.begun.acquire, timeout=30)
        for _ in range(300):  # while it is read, which does not keep the loop from going on
            hang_up()
            await asyncio.sleep(0)
        source.may_go_on.release(2)
        assert await asyncio.to_thread(source.begun.acquire, timeout=30)
        async with asyncio.timeout(30):
            while (await changes.get()).state_dir != Path("number 2"):
                pass
        assert changes.empty()
    assert source.times == 2


@pytest.mark.parametrize("error", [SettingsError("wrong"), OSError("a folder")])
async def test_settings_that_cannot_be_used_change_nothing(error: Exception) -> None:
    source = Source()
    source.error = error
    source.may_go_on.release(2)
    with structlog.testing.capture_logs() as logs:
        async with settings_on_hangup(source.read) as changes:
            assert changes is not None
            hang_up()
            async with asyncio.timeout(30):
                while not logs:
                    await asyncio.sleep(0)
            source.error = None
            hang_up()
            async with asyncio.timeout(30):
                await changes.get()
    assert logs[0]["event"] == "settings_not_reloaded"


class TestThePainter:
    """It is replaced where the change is one for it."""

    @pytest.fixture
    def presets(self, tmp_path: Path) -> Sequence[StylePreset]:
        picture = tmp_path / "wave.png"
        picture.write_bytes(b"wave")
        return [
            StylePreset(
                name="wave",
                titles={"en": "Wave"},
                picture=picture,
                credit="Somebody",
                licence="CC0-1.0",
                order=0,
            )
        ]

    @pytest.mark.parametrize(
        ("changed", "is_stale"),
        [
            (lambda settings, presets: (settings, presets), False),
            (lambda settings, presets: (_with_steps(settings), presets), True),
            (lambda settings, presets: (settings, []), True),
            (lambda settings, presets: (settings, _repainted(presets)), True),
            (lambda settings, presets: (settings, _removed(presets)), True),
        ],
        ids=["nothing", "steps", "presets", "another picture", "no picture"],
    )
    def test_only_then(
        self,
        presets: Sequence[StylePreset],
        changed: Callable[..., tuple[Settings, Sequence[StylePreset]]],
        is_stale: bool,
    ) -> None:
        settings = Settings()
        keeper = ChildKeeper(settings, presets)
        keeper.renew(*changed(settings, presets))
        assert keeper._is_stale is is_stale  # what it leads to needs a child: see test_worker


def _with_steps(settings: Settings) -> Settings:
    painting = settings.painting.model_copy(update={"steps": 7})
    return settings.model_copy(update={"painting": painting})


def _repainted(presets: Sequence[StylePreset]) -> Sequence[StylePreset]:
    presets[0].picture.write_bytes(b"another wave")
    return presets


def _removed(presets: Sequence[StylePreset]) -> Sequence[StylePreset]:
    presets[0].picture.unlink()
    return presets
