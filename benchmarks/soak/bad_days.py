"""What strikes an installation for some seconds, beside processes that are killed: each function is
one kind of bad day, and returns whether it could be had."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import resource
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from pydantic import PrivateAttr

from impasto_playground import Fault, FaultKind, Playground
from impasto_playground.faults import SeenCall, Stage

from .installation import CannotRun, Installation
from .people import Wishes

STORMS = {
    "429 storm": Fault(kind=FaultKind.FLOOD, retry_after=2),
    "5xx storm": Fault(kind=FaultKind.ERROR, code=503),
    "connections cut": Fault(kind=FaultKind.CUT),
    "answers lost": Fault(kind=FaultKind.CUT, acts=True),
    "silence": Fault(kind=FaultKind.SILENCE),
    "pages of HTML": Fault(kind=FaultKind.PAGE, code=502),
    "pages for answers": Fault(kind=FaultKind.PAGE, code=504, acts=True),
}
"""What may strike every call."""

CONNECTIONS = 300
FEW_DESCRIPTORS = 32
"""About what an idle bot has open."""

JUMPS = (40 * 86_400, 3 * 3600, 90)
"""Seconds by which clocks jump, ahead or back."""

SECONDS_TO_REFUSE = 60.0
SECONDS_TO_POLL = 60.0


@dataclass
class Scene:
    """What bad days happen to."""

    installation: Installation
    playground: Playground
    wishes: Wishes
    chance: random.Random

    def some_process(self) -> tuple[str, int] | None:
        running = sorted(self.installation.process_ids().items())
        return self.chance.choice(running) if running else None


BadDay = Callable[[Scene, float], Awaitable[bool]]


def faulty(fault: Fault) -> BadDay:
    """This strikes calls, all that it fits."""

    async def strike(scene: Scene, seconds: float) -> bool:
        with scene.playground.faults.during(fault.model_copy()):
            await asyncio.sleep(seconds)
        return True

    return strike


class FaultOfFile(Fault):
    """Telegram does not give one file, the first that is asked for, and gives all others."""

    _file: str | None = PrivateAttr(default=None)

    def fits(self, call: SeenCall) -> bool:
        if call.method != "getFile" or call.model is None:
            return False
        wanted: str = call.fields["file_id"]
        self._file = self._file or wanted
        return wanted == self._file


async def full_disk(scene: Scene, seconds: float) -> bool:
    if not await scene.installation.fill_disk():
        return False
    try:
        await asyncio.sleep(seconds)
    finally:
        await scene.installation.free_disk()
    return True


async def freeze(scene: Scene, seconds: float) -> bool:
    """A process stands still, for longer than a lease or than a painting process may be silent."""
    found = scene.some_process()
    if found is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(found[1], signal.SIGSTOP)
        await asyncio.sleep(2 * seconds)
        os.kill(found[1], signal.SIGCONT)
    return True


async def clock_jump(scene: Scene, seconds: float) -> bool:
    """A clock goes wrong, or all do, and is put right."""
    clocks = scene.installation.clocks
    if not clocks.names:
        return False
    together = scene.chance.random() < 0.5
    names = clocks.names if together else [scene.chance.choice(clocks.names)]
    ahead = scene.chance.choice(JUMPS) * scene.chance.choice((1, -1))
    for offset in (ahead, 0):
        for name in names:
            clocks.put_ahead(name, offset)
        await asyncio.sleep(seconds / 2)
    return True


async def held_connections(scene: Scene, seconds: float) -> bool:
    """Somebody holds connections with requests that never end, and descriptors are few."""
    writers = []
    with contextlib.ExitStack() as limits:
        for pid in scene.installation.process_ids().values():
            limits.enter_context(_few_descriptors(pid))
        # What a bot without descriptors does not accept waits in the kernel, and then nowhere.
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(seconds):
                for _ in range(CONNECTIONS):
                    port = scene.installation.port
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.write(b"POST /telegram HTTP/1.1\r\nHost: bot\r\nContent-Length: 9")
                    writers.append(writer)
        await asyncio.sleep(seconds)
    for writer in writers:
        writer.close()
    return bool(writers)


@contextlib.contextmanager
def _few_descriptors(pid: int) -> Iterator[None]:
    try:
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (FEW_DESCRIPTORS, before[1]))
    except OSError:  # it has ended, or belongs to somebody else
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


async def file_fails_alone(scene: Scene, seconds: float) -> bool:
    fault = FaultOfFile(kind=FaultKind.ERROR, code=scene.chance.choice((500, 404)))
    with scene.playground.faults.during(fault) as active:
        await asyncio.sleep(4 * seconds)
    return active.struck > 0


async def poison_rows(scene: Scene, seconds: float) -> bool:
    """Jobs become unreadable while they wait or are painted."""
    spoilt = 0
    until = time.monotonic() + seconds
    while not spoilt and time.monotonic() < until:
        spoilt += await scene.installation.store.spoil(scene.chance) is not None
        await asyncio.sleep(0.1)
    return bool(spoilt)


async def rollback(scene: Scene, seconds: float) -> bool:
    """A newer version was there: what it added is read, and not what an older one would read
    wrongly."""
    await scene.installation.stop()
    store = scene.installation.store
    await store.write_of_tomorrow()
    if scene.chance.random() < 0.5 or not await store.set_schema(1):
        return True
    try:
        await scene.installation.start()
        async with asyncio.timeout(SECONDS_TO_REFUSE):
            await scene.installation.until_all_end()
    except TimeoutError:
        raise CannotRun("it runs on a journal of a newer version") from None
    finally:
        await store.set_schema(-1)
    scene.installation.forgive()
    return True


async def emptied_store(scene: Scene, seconds: float) -> bool:
    """On one machine, a bot goes on with what it has, and takes no more until it is started again.
    From a Redis jobs vanish, which is explained to their people."""
    # A bot that is still starting has not opened its journal yet.
    with scene.playground.faults.watch(_is_asked_for_updates) as watcher:
        if not await watcher.next(SECONDS_TO_POLL):
            return False
    vanished = await scene.installation.empty_store()
    scene.wishes.vanished |= {job.id for job in vanished}
    await asyncio.sleep(seconds)
    return True


def _is_asked_for_updates(call: SeenCall, stage: Stage) -> bool:
    """By a process that lives: one that was killed may yet be given some."""
    return call.method == "getUpdates" and stage is Stage.RECEIVED


async def hang_ups(scene: Scene, seconds: float) -> bool:
    """Hundreds of SIGHUPs, and each time other settings."""
    pids = [pid for name, pid in scene.installation.process_ids().items() if "painter" not in name]
    for number in range(scene.chance.randrange(20, 300)):
        scene.installation.write_settings(number)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGHUP)
        await asyncio.sleep(0.01)
    return bool(pids)


BAD_DAYS: dict[str, BadDay] = {
    **{name: faulty(fault) for name, fault in STORMS.items()},
    "full disk or Redis": full_disk,
    "freeze": freeze,
    "clock jump": clock_jump,
    "held connections, few descriptors": held_connections,
    "file fails alone": file_fails_alone,
    "poison row": poison_rows,
    "rollback of a version": rollback,
    "emptied store": emptied_store,
    "SIGHUPs": hang_ups,
}
