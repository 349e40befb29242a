"""`impasto run` and `impasto worker`: the bot on Telegram, and a process that paints for it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Protocol

import typer

from impasto.cli.session import session_of
from impasto.data_folders import PRIVATE_UMASK
from impasto.errors import OwnerError

if TYPE_CHECKING:
    from impasto.plugins import PluginHost
    from impasto.settings import Settings


MOST_DESCRIPTORS = 65_536
PR_SET_DUMPABLE = 4


class Program(Protocol):
    """What runs in a process of its own until it is stopped."""

    async def __call__(
        self,
        settings: Settings,
        host: PluginHost,
        *,
        stop: asyncio.Event | None = None,
        on_ready: Callable[[], None] | None = None,
        changes: asyncio.Queue[Settings] | None = None,
    ) -> None: ...


def run(context: typer.Context) -> None:
    """Run the bot on Telegram. On SIGHUP it reads its settings again."""
    from impasto.telegram.app import run_bot

    session = session_of(context)
    asyncio.run(
        run_until_stopped(run_bot, session.settings, session.bot, read=session.load_settings)
    )


def worker(context: typer.Context) -> None:
    """Paint the pictures that bots on other machines accept. See docs/scaling.md."""
    from impasto.telegram.app import run_worker

    session = session_of(context)
    asyncio.run(
        run_until_stopped(run_worker, session.settings, session.bot, read=session.load_settings)
    )


async def run_until_stopped(
    program: Program,
    settings: Settings,
    host: PluginHost,
    *,
    on_ready: Callable[[], None] | None = None,
    read: Callable[[], Settings] | None = None,
) -> None:
    """Runs `program` (`impasto.telegram.app.run_bot`, for example) until it ends or until SIGINT
    or SIGTERM comes. For commands of plugins too.

    Args:
        host: the plugins of the bot, loaded with `settings`.
        on_ready: called when the program works and, in strict mode, no plugin has failed.
        read: reads the settings again at SIGHUP; without it the signal has its usual effect.

    Raises:
        PluginsFailed: a plugin failed during the start, in strict mode.
    """
    from impasto.plugins.event_loop import LoopWatchdog

    def ready() -> None:
        if host.strict:
            host.check_strict()  # now that every hook of the start was called
        if on_ready is not None:
            on_ready()

    allow_many_descriptors()
    close_memory_to_others()
    os.umask(PRIVATE_UMASK)  # for the painting process, too: what it writes are people's photos
    with stop_on_signals() as stop:
        async with (
            settings_on_hangup(read) as changes,
            LoopWatchdog(host, settings.plugins.slow_seconds),
        ):
            await program(settings, host, stop=stop, on_ready=ready, changes=changes)


def allow_many_descriptors() -> None:
    """Raises the soft limit of file descriptors, which many systems have at 1024: every connection
    takes one, and the bot must have some left for its pictures."""
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    is_bounded = hard != resource.RLIM_INFINITY
    wanted = min(hard, MOST_DESCRIPTORS) if is_bounded else MOST_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def close_memory_to_others() -> None:
    """Lets no other process of this user read the memory and the environment of this one, the token
    with them: the painting process decodes files of strangers. On Linux only; root may do it all
    the same (https://man7.org/linux/man-pages/man2/PR_SET_DUMPABLE.2const.html)."""
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


@contextlib.asynccontextmanager
async def settings_on_hangup(
    read: Callable[[], Settings] | None,
) -> AsyncIterator[asyncio.Queue[Settings] | None]:
    """Settings that are read again after SIGHUP, in a thread; if they cannot be used, the log says
    why, and nothing changes. However many signals come, they are read once more after the last one,
    and only the newest are in the queue."""
    import structlog

    from impasto.tasks import cancelled

    if read is None or not hasattr(signal, "SIGHUP"):
        yield None
        return
    log = structlog.get_logger(__name__)
    changes: asyncio.Queue[Settings] = asyncio.Queue()
    wanted = asyncio.Event()

    async def read_again() -> None:
        while True:
            await wanted.wait()
            wanted.clear()
            try:
                newest = await asyncio.to_thread(read)
            except OwnerError as error:
                log.error("settings_not_reloaded", why=str(error))
            except Exception:
                log.exception("settings_not_reloaded")
            else:
                while not changes.empty():
                    changes.get_nowait()
                changes.put_nowait(newest)

    loop = asyncio.get_running_loop()
    reading = asyncio.create_task(read_again())
    loop.add_signal_handler(signal.SIGHUP, wanted.set)
    try:
        yield changes
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        await cancelled([reading])


@contextlib.contextmanager
def stop_on_signals() -> Iterator[asyncio.Event]:
    """An event that SIGINT and SIGTERM set; a second signal ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def asked() -> None:
        stop.set()
        for number in signals:
            loop.remove_signal_handler(number)

    try:
        for number in signals:
            loop.add_signal_handler(number, asked)
    except NotImplementedError:  # Windows: Ctrl-C raises KeyboardInterrupt instead
        yield stop
        return
    try:
        yield stop
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
