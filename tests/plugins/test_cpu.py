"""How much memory the CPU gives to a painting."""

from __future__ import annotations

from typing import Literal

import pytest

import impasto_cpu
from impasto.settings import PaintingSettings, Settings

MB = 2**20


def memory_mb(setting: int | Literal["auto"], monkeypatch: pytest.MonkeyPatch) -> float | None:
    """What there is for a painting in a process that holds 100 MB, in MB."""
    monkeypatch.setattr(impasto_cpu, "unreclaimable_bytes", lambda: 100 * MB)
    settings = Settings(painting=PaintingSettings(memory_mb=setting))
    [device] = impasto_cpu.impasto_devices(settings=settings)
    memory = device.memory()
    return None if memory is None else memory / MB


def test_a_number_is_for_the_whole_process(monkeypatch: pytest.MonkeyPatch) -> None:
    little, more = memory_mb(300, monkeypatch), memory_mb(400, monkeypatch)
    assert little is not None
    assert 0 < little < 200
    assert more == pytest.approx(little + 100 / impasto_cpu.FRAGMENTATION)
    assert memory_mb(100, monkeypatch) == 0
    assert memory_mb(0, monkeypatch) is None, "no limit"


def test_small_changes_of_what_is_left_are_not_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures came smaller from job to job, though the bot beside held little more each time."""
    left = [400, 395, 380, 410, 360]
    monkeypatch.setattr(impasto_cpu, "memory_for_painting", lambda: left.pop(0) * MB)
    monkeypatch.setattr(impasto_cpu, "unreclaimable_bytes", lambda: 100 * MB)
    [device] = impasto_cpu.impasto_devices(settings=Settings())
    first, *others, less = (device.memory() for _ in range(5))
    assert others == [first] * 3
    assert first is not None
    assert less is not None
    assert first - less == pytest.approx(40 * MB / impasto_cpu.FRAGMENTATION, abs=1)


def test_what_is_compiled_for_further_sizes_comes_out_of_the_reserve(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = 100 * MB
    monkeypatch.setattr(impasto_cpu, "unreclaimable_bytes", lambda: taken)
    settings = Settings(painting=PaintingSettings(memory_mb=400))
    [device] = impasto_cpu.impasto_devices(settings=settings)
    first = device.memory()
    assert first is not None
    taken += impasto_cpu.COMPILED_BYTES + impasto_cpu.RESERVED_BYTES
    assert device.memory() == first
    taken += 10 * MB
    assert device.memory() == pytest.approx(first - 10 * MB / impasto_cpu.FRAGMENTATION, abs=1)


def test_auto_is_what_is_left_at_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[int | None] = [300 * MB, 400 * MB, None]
    monkeypatch.setattr(impasto_cpu, "memory_for_painting", lambda: left[0])
    settings = Settings(painting=PaintingSettings(memory_mb="auto"))
    assert settings == Settings(), "the default"
    for megabytes in (300, 400):
        assert memory_mb("auto", monkeypatch) == memory_mb(megabytes, monkeypatch)
        left.pop(0)
    assert memory_mb("auto", monkeypatch) is None
