"""A bot in a process of its own, as its owner meets it: health, metrics, signals."""

from __future__ import annotations

from pathlib import Path

import pytest

from impasto_playground import Person, Playground

from .bot_process import PATIENCE
from .owned_bot import owned_bot

pytestmark = pytest.mark.slow


async def test_an_evening_with_a_bot(
    playground: Playground, alice: Person, tmp_path: Path, free_port: int
) -> None:
    async with owned_bot(playground, tmp_path, free_port, "[painting]\nsteps = 5\n") as bot:
        await bot.logged("painting_child_ready")
        assert (await bot.get("/healthz"))[0] == 200
        assert (await bot.get("/readyz"))[0] == 200

        bot.hang_up("[painting]\nsteps = 7\nthreads = 1\n")
        assert (await bot.logged("settings_reloaded"))["changed"] == ["painting.steps"]
        assert (await bot.logged("settings_need_a_restart"))["settings"] == ["painting.threads"]

        bot.hang_up("[painting]\nstpes = 7\n")
        refused = await bot.logged("settings_not_reloaded")
        assert "did you mean painting.steps?" in refused["why"]

        await alice.send_text("/start")
        await alice.wait_for(lambda m: m.text, PATIENCE)
        metrics = await bot.counted(
            'impasto_telegram_calls_total{method="sendMessage",result="ok"}'
        )
        assert 'impasto_unfinished_jobs{state="accepted"} 0.0' in metrics

        bot.process.terminate()
        assert await bot.process.wait() == 0
