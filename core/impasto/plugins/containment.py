"""What an exception of a plugin is, in one place; and which plugin's code runs just now.

Whatever plugin code raises inside `running` is an Exception afterwards, also what was none before
(SystemExit, KeyboardInterrupt): each is the plugin's own affair. What comes from outside goes
through: a Ctrl-C, and the cancellation of a task.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import io
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import FrameType
from typing import Any, Final, NamedTuple, NoReturn

import structlog

from impasto.errors import PluginError, described

log = structlog.get_logger(__name__)

SECONDS_UNTIL_TOLD: Final = 10.0
"""Who waits for a plugin for this long is told which one it is."""
SECONDS_BETWEEN_RINGS: Final = 1.0
"""A plugin that overhears that its time is over is told again."""

_STANDARD_ERROR: Final = 2
"""The descriptor, whatever stands in for `sys.stderr`."""


class Place(NamedTuple):
    """A plugin, and what of it runs: its import, a hook, a step."""

    plugin: str
    what: str


class TookTooLong(BaseException):
    """No Exception, which plugin code may well catch."""


_running: ContextVar[Place | None] = ContextVar("running", default=None)


class _Program:
    """What this process does for its plugins; as a library it does nothing of it."""

    tell: Callable[[int, Place | None], None] | None = None
    """Hears, with the thread's number, whenever another plugin's code runs in it."""
    prints: io.TextIOWrapper | None = None
    """Where plugins print."""
    was_interrupted: bool = False
    """Whether somebody has pressed Ctrl-C."""


@contextlib.contextmanager
def running(plugin: str, what: str, seconds: float = 0) -> Iterator[None]:
    """Inside it runs code of this plugin, for at most so many seconds (0: no limit). In threads
    other than the main one, and on Windows, nobody looks at the time.

    Raises:
        PluginError: the code took longer, or raised what is no Exception.
        Exception: as the code raised it.
    """
    place = Place(plugin, what)
    try:
        with _marked(place), _without_prints(), _limited(place, seconds):
            yield
    except TookTooLong:
        problem = f"{what} took longer than {seconds:g} s (plugins.start_seconds)"
        raise PluginError(plugin, problem) from None
    except Exception:
        _raise_interrupt()
        raise
    except BaseException as error:
        if is_from_outside(error):
            raise
        raise PluginError(plugin, _ended_in(what, error)) from error
    _raise_interrupt()


def _ended_in(what: str, error: BaseException) -> str:
    if not isinstance(error, SystemExit):
        return f"{what}: {described(error)}"
    is_hook = what.startswith("impasto_")
    where = what if is_hook else "its import" if what == "import" else f"its part {what!r}"
    return f"ended itself in {where} ({described(error)}); plugins.deny leaves it out"


def outside() -> contextlib.AbstractContextManager[None]:
    """Inside it runs code of the program that a plugin has called."""
    return _marked(None)


def is_from_outside(error: BaseException) -> bool:
    """Whether it is no affair of the plugin in whose code it came up: a Ctrl-C, of which a signal
    handler knows, or the cancellation of the task."""
    if isinstance(error, KeyboardInterrupt):
        is_default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        return _Program.was_interrupted or (is_default and _is_main_thread())
    if not isinstance(error, asyncio.CancelledError):
        return False
    try:
        task = asyncio.current_task()
    except RuntimeError:  # there is no event loop
        return False
    return task is not None and task.cancelling() > 0


@contextlib.contextmanager
def contained_program() -> Iterator[None]:
    """For the time that this process is a program of ours: a Ctrl-C is told from what a plugin
    raises, a plugin ends the process by `os._exit` no more than by `sys.exit`, what it prints while
    it is called is logged, and crashes of machine code show where they happened."""
    exit_before, interrupt_before = os._exit, signal.getsignal(signal.SIGINT)
    # On Windows asyncio has a handler of its own for Ctrl-C, which it installs over no other.
    is_noticed = interrupt_before is signal.default_int_handler and sys.platform != "win32"
    _Program.was_interrupted = False
    _Program.prints = _prints()
    if not faulthandler.is_enabled():
        faulthandler.enable(_STANDARD_ERROR)
    if is_noticed:
        signal.signal(signal.SIGINT, _interrupted)
    # mypy takes the function of a module for one that stays as it is.
    os._exit = _exit_unless_running(exit_before, os.getpid())  # type: ignore[assignment]
    try:
        yield
    finally:
        os._exit = exit_before
        if is_noticed and signal.getsignal(signal.SIGINT) is _interrupted:
            signal.signal(signal.SIGINT, interrupt_before)
        _Program.prints = None


def tell_of_plugins(tell: Callable[[int, Place | None], None]) -> None:
    """Has `tell` called, with the number of the thread, whenever code of another plugin begins to
    run in it, or of none."""
    _Program.tell = tell


@contextlib.contextmanager
def standard_output_to_log() -> Iterator[None]:
    """Logs what is printed meanwhile by whatever thread; what is written past Python goes to
    standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(_STANDARD_ERROR, 1)
    try:
        with contextlib.redirect_stdout(_prints()):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


@contextlib.contextmanager
def _marked(place: Place | None) -> Iterator[None]:
    before = _running.get()
    token = _running.set(place)
    _tell(place)
    try:
        yield
    finally:
        _running.reset(token)
        _tell(before)


def _without_prints() -> contextlib.AbstractContextManager[object]:
    """Standard output is one for all threads: whoever paints in several diverts it for all."""
    if _Program.prints is None or not _is_main_thread():
        return contextlib.nullcontext()
    return contextlib.redirect_stdout(_Program.prints)


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _tell(place: Place | None) -> None:
    if _Program.tell is not None:
        _Program.tell(threading.get_ident(), place)


@contextlib.contextmanager
def _limited(place: Place, seconds: float) -> Iterator[None]:
    """Raises TookTooLong in the code inside, or after it, when its time is over; who waits for it
    for long is told before.

    By a timer of the system, whose signal also ends a wait for the system.
    """
    can_be = _is_main_thread() and hasattr(signal, "SIGALRM")
    before = signal.getsignal(signal.SIGALRM) if can_be else None
    if before is None:
        yield
        return
    began = time.monotonic()
    end = began + (seconds or math.inf)
    is_inside, is_over = True, False

    def ring(_number: int, _frame: FrameType | None) -> None:
        nonlocal is_over
        left = end - time.monotonic()
        is_over = is_over or left <= 0
        if not is_inside:
            return
        if is_over:
            raise TookTooLong
        pause = SECONDS_UNTIL_TOLD
        if _running.get() == place:  # else the program works for it
            pause = left if seconds else 0
            with contextlib.suppress(RuntimeError):  # the signal came while the log was written
                log.warning("waiting_for_plugin", plugin=place.plugin, what=place.what)
        signal.setitimer(signal.ITIMER_REAL, min(pause, left), SECONDS_BETWEEN_RINGS)

    signal.signal(signal.SIGALRM, ring)
    first = min(seconds or math.inf, SECONDS_UNTIL_TOLD)
    delay, interval = signal.setitimer(signal.ITIMER_REAL, first, SECONDS_BETWEEN_RINGS)
    try:
        yield
    except Exception:
        if not is_over:  # else it comes of what was broken off
            raise
    finally:
        is_inside = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if delay:  # somebody else's: pytest-timeout has one, for example
            left = delay - (time.monotonic() - began)
            signal.setitimer(signal.ITIMER_REAL, max(left, 1e-3), interval)
    if is_over:
        raise TookTooLong


def _raise_interrupt() -> None:
    """Ctrl-C ends the program, also where a plugin has caught the KeyboardInterrupt."""
    if _Program.was_interrupted:
        raise KeyboardInterrupt


def _interrupted(number: int, frame: FrameType | None) -> None:
    _Program.was_interrupted = True
    signal.default_int_handler(number, frame)


def _exit_unless_running(real: Callable[[int], NoReturn], pid: int) -> Callable[[int], NoReturn]:
    def exit_unless_running(status: int) -> NoReturn:
        # A process that a plugin has forked is to end; it has inherited what runs.
        if _running.get() is not None and os.getpid() == pid:
            raise SystemExit(f"os._exit({status})")
        real(status)

    return exit_unless_running


def _prints() -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(_Printed()), "utf-8", errors="backslashreplace", line_buffering=True
    )


class _Printed(io.RawIOBase):
    """Logs each line that is written."""

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return _STANDARD_ERROR

    def write(self, written: Any) -> int:
        place = _running.get()
        plugin = place.plugin if place is not None else None
        with contextlib.redirect_stdout(sys.stderr):  # for a log that is itself printed
            for line in bytes(written).decode(errors="replace").splitlines():
                log.info("plugin_printed", plugin=plugin, text=line)
        return len(written)
