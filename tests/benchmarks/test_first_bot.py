"""The shell of the walk through the first page."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from benchmarks.first_bot import PAGE, PHOTO, Shell, server_in
from benchmarks.processes import MeasurementFailed

from ..docs.pages import commands_in_blocks
from ..environments import ROOT


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Shell]:
    async with Shell.opened(tmp_path, dict(os.environ)) as shell:
        yield shell


async def test_one_command_finds_what_another_left(shell: Shell, tmp_path: Path) -> None:
    await shell.run("mkdir -p here && cd here")
    await shell.run("export COLOR=umber")
    await shell.run('echo "$COLOR" > color')
    assert (tmp_path / "here" / "color").read_text() == "umber\n"


async def test_a_failure_is_told_with_what_was_printed(shell: Shell) -> None:
    with pytest.raises(MeasurementFailed, match="no pigment"):
        await shell.run("sh -c 'echo no pigment; exit 3'")


async def test_a_program_that_goes_on_can_be_interrupted(shell: Shell) -> None:
    program = "trap 'echo clean; exit 0' INT; echo up at 7; while :; do sleep 0.05; done"
    shell.begin(f'sh -c "{program}"')
    assert await shell.until(r"up at (\d)") == "7"
    shell.interrupt()
    await shell.end("the program")
    assert "clean\n" in shell.printed


def test_the_page_starts_both_bots() -> None:
    commands = commands_in_blocks(ROOT / PAGE)
    assert [server for c in commands if (server := server_in(c))] == ["play", "run"]
    assert (ROOT / PHOTO).is_file()
