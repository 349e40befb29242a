"""The processes of one bot and what can be done to them; how it is started is known here only."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from tests.bot_environment import bot_environment
from tests.ports import reserved_port

from impasto.jobs.job import Job
from impasto.testing import tiny_network
from impasto_playground import Playground

from .clock import Clocks
from .stores import SqliteStore, Store

SECONDS_TO_END = 30.0
"""After SIGTERM. Process managers commonly give 10 s; how long it took is written down."""

SECONDS_TO_START = 120.0

MOST_FAILURES = 5
"""So often in a row a bot may end by itself, which it does where the disk is full at its start."""

DISK_MB = 64

STYLE_WEIGHT = 20_000

SECONDS_TO_GO_ON = 120.0
"""A bot whose journal was taken away has so long to finish what it has."""

TINY = {
    "PLUGINS__FILES": f'["{tiny_network.__file__}"]',
    "PAINTING__NETWORK": tiny_network.NAME,
    "PAINTING__MAX_PIXELS_CPU": "4096",
    "PAINTING__STEPS": "100",
    "PAINTING__PREVIEW_SECONDS": "0.3",
    "PAINTING__THREADS": "1",
}
"""Settings for a painting that takes half a second to a second."""

HURRIED = {
    **TINY,
    "TELEGRAM__EDIT_SECONDS": "0.3",
    "TELEGRAM__MESSAGES_PER_SECOND": "1000",
    "TELEGRAM__CHAT_MESSAGES_PER_SECOND": "30",
    "QUEUE__SILENCE_SECONDS": "5",
    "QUEUE__REMEMBER_DAYS": "3650",
}
"""So that killing the bot is what takes the time, and that no clock that jumps makes it forget jobs
before they were looked at."""


class Installation(Protocol):
    """A bot, its workers and what they need, against one playground and with one state."""

    victims: Sequence[str]
    """What `kill` can be told to kill, in the order of a table's rows."""
    store: Store
    clocks: Clocks
    port: int
    """Where the bot says how it is."""

    async def start(self) -> int:
        """Starts whatever does not run; returns how many processes had ended by themselves.

        Raises:
            CannotRun: they do so time and again.
        """
        ...

    async def until_one_ends(self) -> None:
        """Returns when a process that `start` started runs no more."""
        ...

    async def until_all_end(self) -> None:
        """Returns when all of them have ended."""
        ...

    async def kill(self, victim: str) -> bool:
        """SIGKILL for all processes that this name stands for; whether there were any."""
        ...

    async def stop(self) -> list[float]:
        """SIGTERM for everything; how many seconds each process took to end, -1 for one that had to
        be killed or ended with an error."""
        ...

    def process_ids(self) -> dict[str, int]:
        """What runs now, by name."""
        ...

    def forgive(self) -> None:
        """That processes ended by themselves just now was right."""
        ...

    def write_settings(self, number: int) -> None:
        """Writes the file that is read at SIGHUP: by even numbers and by odd ones pictures are
        painted differently."""
        ...

    def left_over(self) -> list[int]:
        """Processes of this installation that still run, whoever is their parent."""
        ...

    def job_folders(self) -> Sequence[Path]:
        """Where workers keep the pictures of jobs."""
        ...

    async def fill_disk(self) -> bool:
        """Leaves no room for state; False where that cannot be done here."""
        ...

    async def free_disk(self) -> None: ...

    async def empty_store(self) -> list[Job]:
        """Empties the journal of what runs; returns the jobs that vanish."""
        ...


class CannotRun(Exception):
    """A process of the installation ends soon after every start."""


class SmallDisk:
    """A file system of its own for the state folder, where mounting is allowed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"
        folder.mkdir(parents=True)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "impasto-soak", str(folder)]
        done = subprocess.run(mount, capture_output=True, check=False)
        self.is_mounted = done.returncode == 0

    def fill(self) -> bool:
        if not self.is_mounted:
            return False
        with contextlib.suppress(OSError), self._filler.open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(1 << 16))
        with contextlib.suppress(OSError), self._filler.open("ab", buffering=0) as filler:
            while True:
                filler.write(b"\0")
        return True

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)

    def close(self) -> None:
        if self.is_mounted:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


class OneMachine:
    """`impasto run` with its painting child; see `Installation`."""

    victims = ("bot", "painter", "bot and painter")

    def __init__(
        self, playground: Playground, folder: Path, settings: Mapping[str, str] = HURRIED
    ) -> None:
        self._folder = folder
        self._disk = SmallDisk(folder / "state")
        self.store = SqliteStore(self._disk.folder, self._disk.folder / "attic")
        self.clocks = Clocks(folder)
        self._log = (folder / "bot.log").open("ab")
        self._process: asyncio.subprocess.Process | None = None
        self._sessions: set[int] = set()
        self._failures = 0
        self._cleanup = contextlib.ExitStack()
        self.port = self._cleanup.enter_context(reserved_port())
        self.write_settings(0)
        config = {"CONFIG": str(self._config), "SERVER__PORT": str(self.port)}
        variables = environment(playground, folder / "state", {**settings, **config})
        self._environment = variables | self.clocks.environment("bot")

    def close(self) -> None:
        """When nothing runs any more."""
        self._log.close()
        self._disk.close()
        self._cleanup.close()

    async def start(self) -> int:
        process = self._process
        if process is not None and process.returncode is None:
            return 0
        failed = process is not None and process.returncode != -signal.SIGKILL
        self._failures = self._failures + 1 if failed else 0
        if self._failures > MOST_FAILURES:
            last = Path(self._log.name).read_text(errors="replace")[-2000:]
            raise CannotRun(f"the bot ended {self._failures} times in a row; it said:\n{last}")
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "impasto", "run"),
            cwd=self._folder,
            env=self._environment,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        self._sessions.add(self._process.pid)
        return int(failed)

    async def until_one_ends(self) -> None:
        if self._process is not None:
            await self._process.wait()

    async def until_all_end(self) -> None:
        await self.until_one_ends()

    async def kill(self, victim: str) -> bool:
        running = self.process_ids()
        names = [name for name in ("painter", "bot") if name in victim and name in running]
        for name in names:
            with contextlib.suppress(ProcessLookupError):
                os.kill(running[name], signal.SIGKILL)
        if "bot" in names and self._process is not None:
            await self._process.wait()
        return bool(names)

    async def stop(self) -> list[float]:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return []
        return [await ended(process)]

    def process_ids(self) -> dict[str, int]:
        process = self._process
        if process is None or process.returncode is not None:
            return {}
        painter = child_of(process.pid)
        return {"bot": process.pid} | ({"painter": painter} if painter is not None else {})

    def forgive(self) -> None:
        self._process = None
        self._failures = 0

    def write_settings(self, number: int) -> None:
        write_settings(self._config, number)

    def left_over(self) -> list[int]:
        return processes_of(self._sessions)

    def job_folders(self) -> Sequence[Path]:
        return [self._disk.folder / "jobs"]

    async def fill_disk(self) -> bool:
        return self._disk.fill()

    async def free_disk(self) -> None:
        self._disk.free()

    async def empty_store(self) -> list[Job]:
        """The bot finishes what it has and is stopped then, as its owner would do: nothing
        vanishes."""
        await self.store.empty()
        until = time.monotonic() + SECONDS_TO_GO_ON
        while time.monotonic() < until:
            if not self.process_ids() or not self.store.unsettled():
                break
            await asyncio.sleep(0.5)
        unsettled = self.store.unsettled()
        await self.stop()
        return unsettled

    @property
    def _config(self) -> Path:
        return self._folder / "soak.toml"


async def started(installation: Installation, playground: Playground) -> None:
    """Starts it and waits until it takes updates."""
    with playground.faults.watch(lambda call, stage: call.method == "getUpdates") as polls:
        await installation.start()
        if not await polls.next(SECONDS_TO_START):
            raise CannotRun(f"the bot took no updates within {SECONDS_TO_START:g} s")


async def ended(process: asyncio.subprocess.Process) -> float:
    """Ends a process by SIGTERM; in how many seconds, -1 if it had to be killed or failed."""
    began = time.monotonic()
    process.terminate()
    try:
        code = await asyncio.wait_for(process.wait(), SECONDS_TO_END)
    except TimeoutError:
        process.kill()
        code = await process.wait()
    # While it is being loaded it ends as any program does, and there is nothing to hand back.
    return time.monotonic() - began if code in (0, -signal.SIGTERM) else -1.0


def child_of(pid: int) -> int | None:
    """The process that this one has started last, if it runs."""
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[-1]) if children else None
    return None


def processes_of(sessions: Collection[int]) -> list[int]:
    """The processes of these sessions that run, whoever is their parent now: a child stays in the
    session of the process that started it. The environment of a bot is nobody's to read."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # Behind the name, which may be anything: state, parent, group, session
            # (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html).
            state, _, _, session = path.read_text().rpartition(")")[2].split()[:4]
            if int(session) in sessions and state != "Z":
                found.append(int(path.parent.name))
    return found


def write_settings(path: Path, number: int) -> None:
    """The file of settings, whole at every moment, with the default or nearly so."""
    new = path.with_suffix(".new")
    new.write_text(f"[painting]\nstyle_weight = {STYLE_WEIGHT + number % 2}\n")
    new.replace(path)


def environment(playground: Playground, state: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """What a process of the bot needs to know. `settings` are `IMPASTO_` variables without that
    prefix. What one person may ask for is not limited: that is no matter here."""
    wanted = {
        "PAINTING__DEVICE": "cpu",
        "QUEUE__JOBS_PER_PERSON": "100",
        "QUEUE__PICTURES_PER_HOUR": "0",
        "QUEUE__MOST_WAITING": "0",
        "LOG__FORMAT": "json",
        **settings,
    }
    return bot_environment(playground, state, wanted) | {"OMP_NUM_THREADS": "1"}
