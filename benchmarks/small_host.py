"""The whole bot inside a hard memory limit: pictures in a row, the largest that Telegram lets
through among them.

    python -m benchmarks.small_host                     512 MB, ten pictures, default settings
    python -m benchmarks.small_host --megabytes 450 --pictures 3

Linux, and the right to make a control group (root, commonly): the kernel ends whatever goes beyond
the limit, so a picture that was painted did fit. Pages of a file count for the group that reads it
first, so the bot runs from a copy of its packages that was made inside: else what other programs
have loaded already, torch for one, would come for nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from aiogram.types import Message, PhotoSize
from PIL import Image

from impasto.settings import PaintingSettings
from impasto_playground import Person, Playground

from .bot import PATIENCE, BotRun, MemoryWatch
from .machine import describe
from .processes import MeasurementFailed

GROUPS: Final = Path("/sys/fs/cgroup")
LARGEST_FILE: Final = 20 * 2**20
"""Bytes of a file that bots may fetch (https://core.telegram.org/bots/api#getfile)."""
LARGEST_PHOTO: Final = (1280, 960)
"""Width and height that Telegram keeps of what is sent as a photo."""
LARGE_FILE_SIZE: Final = (6000, 4000)


@dataclass(frozen=True, slots=True)
class MemoryGroup:
    """A control group (https://docs.kernel.org/admin-guide/cgroup-v2.html, or version 1)."""

    folder: Path

    @classmethod
    @contextlib.contextmanager
    def of(cls, megabytes: int) -> Iterator[MemoryGroup]:
        """Raises OSError where no group can be made."""
        second = (GROUPS / "cgroup.controllers").exists()
        folder = (GROUPS if second else GROUPS / "memory") / f"impasto-{os.getpid()}"
        folder.mkdir()
        try:
            limit = folder / ("memory.max" if second else "memory.limit_in_bytes")
            limit.write_text(str(megabytes * 2**20))
            yield cls(folder)
        finally:
            folder.rmdir()

    @property
    def prefix(self) -> tuple[str, ...]:
        """A command that puts itself into the group and becomes the one that follows."""
        return ("sh", "-c", f'echo $$ > {self.folder}/cgroup.procs && exec "$@"', "sh")

    def peak_mb(self) -> float:
        """The most that was charged to the group, files' cached pages included, in MiB."""
        for name in ("memory.peak", "memory.max_usage_in_bytes"):
            with contextlib.suppress(OSError):
                return int((self.folder / name).read_text()) / 2**20
        return 0.0

    def kills(self) -> int:
        """How many processes the kernel ended because of the limit."""
        for name in ("memory.events", "memory.oom_control"):
            with contextlib.suppress(OSError):
                lines = (self.folder / name).read_text().splitlines()
                return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
        return 0


async def paint_in_a_row(megabytes: int, pictures: int) -> None:
    """Prints a line for each picture, then what it took; fails where one is missing."""
    with tempfile.TemporaryDirectory() as folder, MemoryGroup.of(megabytes) as group:
        packages = _copied(group, Path(folder))
        run = BotRun(
            network=PaintingSettings().network,
            prefix=(*group.prefix, "env", f"PYTHONPATH={packages}"),
        )
        async with (
            Playground(port=0) as playground,
            Person(playground.url) as person,
            run.running(playground, Path(folder)) as (process, log),
        ):
            await log.wait_for(lambda event: event.get("event") == "painting_child_ready")
            with MemoryWatch(process.pid) as watch:
                for number in range(pictures):
                    await _paint(person, number, is_last=number == pictures - 1)
        whole = sum(watch.peak.values())
        print(
            f"limit {megabytes} MB: the bot took {watch.peak.get(process.pid, 0):.0f} MB and the "
            f"painter {whole - watch.peak.get(process.pid, 0):.0f} MB at their common peak (PSS); "
            f"charged to the group at most {group.peak_mb():.0f} MB, cached files included; "
            f"killed by the kernel: {group.kills()}"
        )
    print(describe())


def _copied(group: MemoryGroup, folder: Path) -> Path:
    """The packages of this environment, copied by a process of the group."""
    copy = folder / "packages"
    subprocess.run(
        [*group.prefix, "cp", "-r", sysconfig.get_path("purelib"), str(copy)], check=True
    )
    return copy


async def _paint(person: Person, number: int, *, is_last: bool) -> None:
    """Sends a photo, taps a preset of its own, and waits for the picture. The last is the largest
    file that a bot may fetch."""
    if is_last:
        content = _large_file()
        sent = await person.send_document(content, "photo.jpg")
    else:
        content = _photo(LARGEST_PHOTO, quality=90, seed=number)
        sent = await person.send_photo(content)
    began = time.monotonic()
    result, size = await painting_of(person, sent, button=number % 6)
    print(
        f"picture {number + 1}: {len(content) / 2**20:.1f} MB in, "
        f"{size.width} x {size.height} out, {time.monotonic() - began:.1f} s; {result.caption!r}",
        flush=True,
    )


async def painting_of(person: Person, sent: Message, *, button: int) -> tuple[Message, PhotoSize]:
    """Taps a preset in answer to the gallery for what was sent, and waits for the picture.

    Raises:
        MeasurementFailed: none came.
    """
    gallery = await person.wait_for(lambda m: m.reply_markup, PATIENCE, after=sent.message_id)
    assert gallery.reply_markup is not None
    buttons = [b.text for row in gallery.reply_markup.inline_keyboard for b in row]
    await person.tap(buttons[button], gallery.message_id)
    ready = await person.wait_for(
        lambda m: m.text and m.reply_to_message, PATIENCE, after=gallery.message_id
    )
    assert ready.reply_to_message is not None
    shown = ready.reply_to_message.message_id
    [result] = [m for m in person.from_bot() if m.message_id == shown]
    if not result.photo:
        raise MeasurementFailed(f"no picture but {result.text or result.caption!r}")
    return result, result.photo[-1]


def _photo(size: tuple[int, int], quality: int, seed: int) -> bytes:
    """Soft forms and fine grain, as a photo has them."""
    random = np.random.default_rng(seed)
    soft = random.integers(0, 256, (9, 12, 3), dtype=np.uint8)
    picture = np.asarray(Image.fromarray(soft).resize(size, Image.Resampling.BICUBIC), np.int16)
    grain = random.integers(-40, 41, picture.shape, dtype=np.int16)
    buffer = io.BytesIO()
    Image.fromarray((picture + grain).clip(0, 255).astype(np.uint8)).save(
        buffer, "JPEG", quality=quality, subsampling=0
    )
    return buffer.getvalue()


def _large_file() -> bytes:
    """A JPEG of 24 megapixels, as close to the limit as its quality allows."""
    for quality in range(95, 10, -5):
        content = _photo(LARGE_FILE_SIZE, quality, seed=0)
        if len(content) <= LARGEST_FILE:
            return content
    raise AssertionError("no quality is low enough")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.small_host", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=512)
    parser.add_argument("--pictures", type=int, default=10)
    chosen = parser.parse_args()
    try:
        asyncio.run(paint_in_a_row(chosen.megabytes, chosen.pictures))
    except OSError as error:
        parser.exit(2, f"a control group is needed: {error}\n")
    except MeasurementFailed as failure:
        parser.exit(1, f"{failure}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
