"""The whole bot inside a hard memory limit: pictures in a row, the largest that Telegram lets
through among them.

    python -m benchmarks.small_host                     512 MB, ten pictures, default settings
    python -m benchmarks.small_host --megabytes 450 --pictures 3

Linux, and the right to make a control group (root, commonly): the kernel ends whatever goes beyond
the limit, so a picture that was painted did fit. What the group cannot give back is its anonymous
memory and the kernel's own. Cached pages of files can be dropped; but where too little room is left
for them, they are read again and again, and all stands nearly still: how much was read again is
said with each picture.

Pages of a file count for the group that reads it first, so the bot runs from a copy of its packages
that was made inside: else what other programs have loaded already, torch for one, would come for
nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from impasto_playground import Person, Playground

from .bot import BotRun, finished_picture, tap_style
from .machine import MemoryWatch, by_process, describe
from .processes import MeasurementFailed

GROUPS: Final = Path("/sys/fs/cgroup")
LARGEST_FILE: Final = 20 * 2**20
"""Bytes of a file that bots may fetch (https://core.telegram.org/bots/api#getfile)."""
LARGEST_PHOTO: Final = (1280, 960)
"""Width and height that Telegram keeps of what is sent as a photo."""
LARGE_FILE_SIZE: Final = (6000, 4000)
MOST_READ_AGAIN_MB: Final = 2000
"""For one picture: all of torch's code several times over."""


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
            for name in ("memory.swap.max", "memory.swappiness"):
                if (folder / name).exists():
                    (folder / name).write_text("0")
            yield cls(folder)
        finally:
            folder.rmdir()

    @property
    def prefix(self) -> tuple[str, ...]:
        """A command that puts itself into the group and becomes the one that follows."""
        return ("sh", "-c", f'echo $$ > {self.folder}/cgroup.procs && exec "$@"', "sh")

    def unreclaimable_mb(self) -> float:
        """What is charged to the group now and cannot be taken back, in MiB: anonymous memory and
        the kernel's own."""
        stat = self._stat()
        if "kernel" in stat:
            return (stat["anon"] + stat["kernel"]) / 2**20
        kernel = int((self.folder / "memory.kmem.usage_in_bytes").read_text())
        return (stat["total_rss"] + kernel) / 2**20

    def read_again_mb(self) -> float:
        """Pages of files that had been dropped and were needed again so far, in MiB."""
        stat = self._stat()
        pages = stat.get("workingset_refault_file", stat.get("total_workingset_refault_file", 0))
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def _stat(self) -> dict[str, int]:
        lines = (self.folder / "memory.stat").read_text().splitlines()
        return {name: int(value) for name, value in map(str.split, lines)}

    def drop_caches(self) -> None:
        """Gives back what can be given back: pages and names of files."""
        for name, wanted in (("memory.force_empty", "0"), ("memory.reclaim", "1G")):
            # Less than was asked for is an error that is no matter here.
            with contextlib.suppress(OSError):
                (self.folder / name).write_text(wanted)

    def kills(self) -> int:
        """How many processes the kernel ended because of the limit."""
        first = self.folder / "memory.oom_control"
        counts = first if first.exists() else self.folder / "memory.events"
        lines = counts.read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))


async def paint_in_a_row(megabytes: int, pictures: int) -> None:
    """Prints a line for each picture, then the memory at its peak.

    Raises:
        MeasurementFailed: a picture did not come, a process was killed, or libraries were read from
            the disk time and again.
    """
    with tempfile.TemporaryDirectory() as folder, MemoryGroup.of(megabytes) as group:
        packages = _copied(group, Path(folder))
        run = BotRun(prefix=(*group.prefix, "env", f"PYTHONPATH={packages}"))
        async with (
            Playground(port=0) as playground,
            Person(playground.url) as person,
            run.running(playground, Path(folder)) as bot,
        ):
            with (
                MemoryWatch(lambda: {0: group.unreclaimable_mb()}) as whole,
                MemoryWatch(lambda: by_process(bot.process.pid)) as processes,
            ):
                for number in range(pictures):
                    before = group.read_again_mb()
                    await _paint(person, number, is_last=number == pictures - 1)
                    read_again = group.read_again_mb() - before
                    print(f"  read again: {read_again:.0f} MB", flush=True)
                    if number and read_again > MOST_READ_AGAIN_MB:
                        raise MeasurementFailed("too little room for the libraries' code")
        ours = processes.peak.get(bot.process.pid, 0)
        print(
            f"limit {megabytes} MB; unreclaimable at most {whole.peak[0]:.0f} MB, anonymous memory "
            f"and the kernel's own: anonymous were {ours:.0f} MB of the bot and "
            f"{sum(processes.peak.values()) - ours:.0f} MB of the painter at their common peak; "
            f"killed by the kernel: {group.kills()}"
        )
        if group.kills():
            raise MeasurementFailed("the kernel killed a process")
    print(describe())


def _copied(group: MemoryGroup, folder: Path) -> Path:
    """The packages of this environment, copied by a process of the group, and not yet read."""
    torch = importlib.util.find_spec("torch")
    assert torch is not None
    assert torch.origin is not None
    copy = folder / "packages"
    packages = Path(torch.origin).parents[1]
    subprocess.run([*group.prefix, "cp", "-r", str(packages), str(copy)], check=True)
    group.drop_caches()
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
    gallery = await tap_style(person, sent, button=number % 6)
    result, size = await finished_picture(person, gallery)
    print(
        f"picture {number + 1}: {len(content) / 2**20:.1f} MB in, "
        f"{size.width} x {size.height} out, {time.monotonic() - began:.1f} s; {result.caption!r}",
        flush=True,
    )


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
