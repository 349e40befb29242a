"""SIGHUP: what people in the chat see of settings that a running bot takes over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from aiogram.types import Message

from impasto.cli import main
from impasto_playground import Fault, FaultKind, Person, Playground

from .. import pretended_gpu
from .bot_process import PATIENCE, delivered, photo
from .owned_bot import OwnedBot, owned_bot

pytestmark = pytest.mark.slow

PRESET = "Woodblock wave"
ON_CPU = {"PAINTING__DEVICE": "cpu"}


async def asked_for(person: Person, style: str = PRESET) -> Message:
    """Sends a photo with the name of a style; returns the bot's answer."""
    sent = await person.send_photo(photo(), caption=style)
    return await person.wait_for(lambda m: True, PATIENCE, after=sent.message_id)


async def reloaded(bot: OwnedBot, config: str, *changed: str) -> None:
    bot.hang_up(config)
    assert (await bot.logged("settings_reloaded"))["changed"] == list(changed)


@pytest.mark.parametrize(
    ("cap", "device"),
    [("max_pixels_cpu", ON_CPU), ("max_pixels_gpu", pretended_gpu.SETTINGS)],
    ids=["cpu", "gpu"],
)
async def test_the_next_picture_has_other_steps_and_another_size(
    playground: Playground,
    alice: Person,
    tmp_path: Path,
    free_port: int,
    cap: str,
    device: Mapping[str, str],
) -> None:
    async def painted() -> tuple[int, int]:
        """Steps and pixels of a new picture."""
        result = await delivered(alice, await asked_for(alice))
        progress = await bot.logged("job_changed", state="painted")
        assert result.photo is not None
        return progress["steps"], result.photo[-1].width * result.photo[-1].height

    config = "[painting]\nsteps = {}\n{} = {}\n"
    before = config.format(2, cap, 4_000)
    async with owned_bot(playground, tmp_path, free_port, before, **device) as bot:
        steps, pixels = await painted()
        assert steps <= 2
        assert pixels <= 4_000
        changed = sorted(["painting.steps", f"painting.{cap}"], reverse=True)
        await reloaded(bot, config.format(9, cap, 12_000), *changed)
        steps, pixels = await painted()
        assert 2 < steps <= 9
        assert 4_000 < pixels <= 12_000


async def test_the_next_wish_meets_other_limits(
    playground: Playground, alice: Person, tmp_path: Path, free_port: int
) -> None:
    def limits(person: int, hour: int, all_people: int) -> str:
        values = f"jobs_per_person = {person}\npictures_per_hour = {hour}\n"
        return f"[queue]\n{values}most_waiting = {all_people}\n"

    # The first picture is being fetched until the end: all others wait.
    kept = playground.faults.during(Fault(kind=FaultKind.SILENCE, method="download"))
    start = owned_bot(playground, tmp_path, free_port, limits(1, 0, 0), **ON_CPU)
    with kept:
        async with start as bot, Person(playground.url, user_id=2) as bob:
            assert (await asked_for(alice)).photo
            await bot.logged("job_changed", state="running")
            refused = await asked_for(alice)
            assert "more pictures from you right now" in (refused.text or "")

            await reloaded(bot, limits(9, 0, 0), "queue.jobs_per_person")
            assert (await asked_for(alice)).photo

            await reloaded(bot, limits(9, 2, 0), "queue.pictures_per_hour")
            refused = await asked_for(alice)
            assert "in an hour" in (refused.text or "")

            await reloaded(bot, limits(9, 0, 1), "queue.pictures_per_hour", "queue.most_waiting")
            refused = await asked_for(bob)
            assert "Too many pictures are waiting" in (refused.text or "")

            await reloaded(bot, limits(9, 0, 2), "queue.most_waiting")
            assert (await asked_for(bob)).photo


async def test_a_style_that_was_added_can_be_named(
    playground: Playground,
    alice: Person,
    tmp_path: Path,
    free_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    picture = tmp_path / "frost.jpg"
    picture.write_bytes(photo((600, 600)))
    config = "[painting]\nsteps = 2\nmax_pixels_cpu = 4000\n"
    async with owned_bot(playground, tmp_path, free_port, config, **ON_CPU) as bot:
        await bot.logged("painting_child_ready")
        gallery = await asked_for(alice, "Frost on glass")
        assert gallery.reply_markup, "it is no style yet"

        monkeypatch.setenv("IMPASTO_STATE_DIR", str(tmp_path / "state"))
        with pytest.raises(SystemExit) as end:
            main(["styles", "add", str(picture), "--name", "frost", "--title", "Frost on glass"])
        assert not end.value.code
        await reloaded(bot, config)
        await delivered(alice, await asked_for(alice, "Frost on glass"))
