"""The painting process as its parent sees it: started by exec, spoken to in lines of JSON, kept
from job to job, replaced when it dies or holds too much memory.

Never forked: torch and its threads do not come through a fork in good health.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

import structlog
from pydantic import ValidationError

from impasto.contracts import StylePreset
from impasto.contracts.options import recommended
from impasto.memory import (
    make_first_victim,
    oom_kills,
    resident_bytes,
)
from impasto.messages import (
    Cancel,
    Configure,
    DropTrial,
    Entered,
    FromChild,
    Measured,
    Message,
    Outcome,
    PresetFile,
    Progress,
    Ready,
    Thumbnail,
    TrialOver,
    encode,
    from_child,
)
from impasto.plugins import settings_for_painting, without_plugins
from impasto.settings import Settings
from impasto.settings.variables import environment_without_settings

log = structlog.get_logger(__name__)

PAINTING_COMMAND = (sys.executable, "-P", "-m", "impasto.painting")
"""With -P, as all of our processes: a `queue.py` in the working directory is nothing of ours."""

SECONDS_TO_START = 60.0
"""A child may take this long to start, however soon it has to speak when it paints."""

SECONDS_TO_STOP = 5.0
"""A child that goes on for longer than this after it was told to stop is killed."""

_LONGEST_LINE = 1 << 20
_SECONDS_TO_EXIT = 3.0
_SIGKILL = 9
"""`signal` has it by name except on Windows, where nothing ends by a signal."""

SECONDS_BETWEEN_GLANCES = 1.0
"""How often a silent child is given a glance: where one comes at twice this time or later, the loop
stood still meanwhile."""

SECONDS_BETWEEN_LOOKS = 0.5
"""How often the memory of a child that paints is looked at."""

GROWTH_BYTES, GROWTH_SHARE = 16_000_000, 0.08
"""A child whose memory between two jobs has grown by the larger of these since its first job is
replaced: a plugin may keep what it should not, and freed blocks lie between others."""

SECONDS_TO_MEASURE = 15.0
"""Several times as long as the slowest machine takes, which stops after a step or two."""

COMPILED_AND_KEPT = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "128", "LRU_CACHE_CAPACITY": "64"}
"""How many operations oneDNN keeps compiled: a picture's (75 to 110) are there for the next one of
its size. Without a bound, a thousand of them would pile up. The second bounds what ideep, between
torch and oneDNN, keeps besides for each thread: 1.8 MB for each size of a picture."""


class ChildLost(Exception):
    """The child died, was killed, or says nothing any more; it cannot be used again."""

    def __init__(
        self,
        why: str,
        exit_code: int | None = None,
        *,
        for_memory: bool = False,
        plugin: str | None = None,
    ) -> None:
        super().__init__(why)
        self.plugin = plugin
        """Whose code ran then."""
        self.exit_code = exit_code
        """Negative: the signal that ended it; None: it did not end by itself."""
        self.for_memory = for_memory
        """It took too much memory, or the kernel had no more for it."""


class PaintingChild:
    """One running child. Make one with `start`."""

    ready: Ready
    """What it said when it was up."""

    def __init__(
        self, process: asyncio.subprocess.Process, silence: float, most_memory: int | None
    ) -> None:
        if process.stdin is None or process.stdout is None:
            raise ValueError("the child must be started with pipes")
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._silence = silence
        self._most_memory = most_memory
        self._kill_timer: asyncio.TimerHandle | None = None
        self._was_killed = False
        self._is_over_limit = False
        self._oom_kills = oom_kills()
        self._rested_in: int | None = None
        """Bytes that it held right after its first job, and after its last one."""
        self._rests_in: int | None = None
        self._entered: dict[int, Entered] = {}
        """The plugins whose code runs now, by the thread of the child."""

    @classmethod
    async def start(
        cls,
        configure: Configure,
        *,
        silence: float,
        most_memory: int | None = None,
        command: Sequence[str] = PAINTING_COMMAND,
    ) -> PaintingChild:
        """Starts a child, configures it and awaits its Ready.

        While it paints, it is lost when it says nothing for `silence` seconds, and killed when it
        takes more than `most_memory` bytes.

        Raises:
            ChildLost: it ended or was silent for longer than that and SECONDS_TO_START.
        """
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
            env=COMPILED_AND_KEPT | environment_without_settings(),
            # A group of its own: Ctrl-C on the terminal is for the bot, which then stops the child.
            process_group=0,
        )
        make_first_victim(process.pid)
        child = cls(process, silence, most_memory)
        try:
            child.tell(configure)
            message: FromChild | None = None
            while message is None or isinstance(message, Entered):
                message = await child.receive(max(silence, SECONDS_TO_START))
            if not isinstance(message, Ready):
                raise ChildLost(f"the painting process began with {message.kind}, not with ready")
            child.ready = message
        except BaseException:
            await child.kill()
            raise
        return child

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None and not self._stdout.at_eof()

    def tell(self, message: Message) -> None:
        """Sends a message. That the child is gone shows at the next `receive`."""
        if not self._stdin.is_closing():
            self._stdin.write(encode(message))

    def stop(self, message: Cancel | DropTrial) -> None:
        """Has it stop what it does, and kills it if it does not soon."""
        self.tell(message)
        if self._kill_timer is None:
            loop = asyncio.get_running_loop()
            self._kill_timer = loop.call_later(SECONDS_TO_STOP, self.kill_now)

    async def measured(self) -> Measured:
        """What it measures right after its Ready, if it was configured to.

        Raises:
            ChildLost: the child ended, or takes too long.
        """
        while not isinstance(message := await self.receive(SECONDS_TO_MEASURE), Measured):
            pass
        return message

    async def outcome(self, job_id: str, on_progress: Callable[[Progress], None]) -> Outcome:
        """What came of a job that it was told to paint; its progress is passed on.

        Raises:
            ChildLost: the child ended, was silent for too long, or took too much memory.
        """
        async with self._watched():
            while True:
                message = await self.receive(self._silence)
                if not isinstance(message, Progress | Outcome) or message.job_id != job_id:
                    continue
                if not isinstance(message, Progress):
                    self._rests_in = message.rests_in
                    self._rested_in = self._rested_in or self._rests_in
                    return message
                on_progress(message)

    async def thumbnails(self, trial_id: str) -> dict[str, bytes]:
        """What came of a trial that it was told to paint: JPEGs by the style's name, of all styles
        or of fewer.

        Raises:
            ChildLost: the child ended, was silent for too long, or took too much memory.
        """
        found: dict[str, bytes] = {}
        async with self._watched():
            while True:
                message = await self.receive(self._silence)
                if isinstance(message, Thumbnail) and message.trial_id == trial_id:
                    found[message.name] = message.jpeg
                elif isinstance(message, TrialOver) and message.trial_id == trial_id:
                    return found

    async def receive(self, patience: float) -> FromChild:
        """The next message.

        Time in which this process itself stood still, stopped by a signal or with its machine, does
        not count: what the child said meanwhile is still in the pipe, and it may have stood still,
        too.

        Raises:
            ChildLost: the child ended, or said nothing for `patience` seconds.
        """
        loop = asyncio.get_running_loop()
        look = min(SECONDS_BETWEEN_GLANCES, patience / 4)
        reading = asyncio.create_task(self._message())
        silent = 0.0
        try:
            while silent < patience:
                began = loop.time()
                done, _ = await asyncio.wait({reading}, timeout=look)
                if done:
                    return reading.result()
                waited = loop.time() - began
                silent += waited if waited <= 2 * look else 0.0
        finally:
            reading.cancel()
        raise self._lost_in_plugin(f"the painting process said nothing for {patience:g} s")

    def has_grown(self) -> bool:
        """Whether it held much more memory after its last job than after its first."""
        if self._rested_in is None or self._rests_in is None:
            return False
        return self._rests_in > self._rested_in + max(GROWTH_BYTES, GROWTH_SHARE * self._rested_in)

    def kill_now(self) -> None:
        """Kills the child without waiting for its end."""
        self._was_killed = True
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def kill(self) -> None:
        self.kill_now()
        await self._process.wait()

    async def close(self) -> None:
        """Ends the child's input, which asks it to exit, and kills it if it does not soon."""
        self._stdin.close()
        try:
            async with asyncio.timeout(_SECONDS_TO_EXIT):
                await self._process.wait()
        except TimeoutError:
            await self.kill()

    @contextlib.asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        """Watches over the child's memory during one job, after which it need not stop any more."""
        self._oom_kills = oom_kills()
        most = self._most_memory
        watch = asyncio.create_task(self._look_at_memory(most)) if most is not None else None
        try:
            yield
        finally:
            if watch is not None:
                watch.cancel()
            if self._kill_timer is not None:
                self._kill_timer.cancel()
                self._kill_timer = None

    async def _message(self) -> FromChild:
        while True:
            try:
                line = await self._stdout.readline()
            except ValueError:  # longer than the limit: no message of ours
                continue
            if not line:
                raise self._loss(await self._process.wait())
            message = _parsed(line)
            if isinstance(message, Entered):
                self._entered[message.thread] = message
            if message is not None:
                return message

    def _loss(self, code: int) -> ChildLost:
        if self._is_over_limit:
            return ChildLost("the painting process took too much memory", code, for_memory=True)
        why = f"the painting process {how_it_ended(code)}"
        if self._was_killed_by_kernel(code):
            return ChildLost(why, code, for_memory=True)
        return self._lost_in_plugin(why, code)

    def _lost_in_plugin(self, why: str, code: int | None = None) -> ChildLost:
        """The loss, with the plugin whose code ran, if one's did."""
        at = at_work(self._entered.values())
        if at is None:
            return ChildLost(why, code)
        return ChildLost(
            f"{why}, in {at.what!r} of the plugin {at.plugin!r}", code, plugin=at.plugin
        )

    async def _look_at_memory(self, most_bytes: int) -> None:
        while (taken := resident_bytes(self.pid)) is not None:
            if taken > most_bytes:
                log.warning("painting_child_over_limit", pid=self.pid, megabytes=taken >> 20)
                self._is_over_limit = True
                self.kill_now()
                return
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)

    def _was_killed_by_kernel(self, code: int) -> bool:
        """Whether the out-of-memory killer did it. Where it does not tell, a SIGKILL that is not
        ours is taken for one of its."""
        if code != -_SIGKILL or self._was_killed:
            return False
        kills = oom_kills()
        return kills is None or kills != self._oom_kills


class ChildKeeper:
    """Has one child at a time, begun when it is first asked for."""

    def __init__(
        self,
        settings: Settings,
        presets: Sequence[StylePreset],
        *,
        command: Sequence[str] = PAINTING_COMMAND,
    ) -> None:
        self.has_gpu = False
        """Whether the child that started last paints on one."""
        self.pace: Measured | None = None
        """What the first child has measured."""
        self._configure = _configuration(settings, presets)
        self._pictures = _states_of(presets)
        self._left_out: list[str] = []
        """Plugins under which a child died before it was up."""
        self._command = command
        self._queue = settings.queue
        self._is_measured = False
        """Whether a child was asked how fast it paints."""
        self._is_stale = False
        """The child was configured with other settings than those of now."""
        self._starting: asyncio.Task[PaintingChild] | None = None

    def renew(self, settings: Settings, presets: Sequence[StylePreset]) -> None:
        """The next job gets a new child, if these settings are others for it than those before."""
        configure, pictures = _configuration(settings, presets), _states_of(presets)
        if (configure, pictures) != (self._configure, self._pictures):
            self._configure, self._pictures = configure, pictures
            self._left_out = []
            self._is_stale = True

    async def child(self) -> PaintingChild:
        """The running child, or a new one.

        Raises:
            ChildLost: it does not start.
        """
        while True:
            # Shielded: whoever is stopped while waiting for the child must not stop its start.
            child = await asyncio.shield(self._started())
            if child.is_alive:
                return child
            log.warning("painting_child_died_idle", pid=child.pid)
            await self.replace()

    async def child_for_a_job(self) -> PaintingChild:
        """The running child, or a new one where it died, holds too much memory, or is stale.

        Raises:
            ChildLost: it does not start.
        """
        await self.child()
        await self.recycle()
        return await self.child()

    async def recycle(self) -> None:
        """Replaces a child that holds too much memory or is stale. Best between two jobs, when
        nobody waits for the new one."""
        child = self.running()
        if child is not None and (child.has_grown() or self._is_stale):
            log.info("painting_child_recycled", pid=child.pid)
            await self.replace()

    async def replace(self) -> None:
        """Ends what is left of the child and starts a new one, unless one starts already."""
        child = self.running()
        if child is not None:
            self._starting = None
            await child.kill()
        self._started()

    async def close(self) -> None:
        """Ends the child."""
        starting, self._starting = self._starting, None
        if starting is None:
            return
        if not starting.done():
            starting.cancel()
        results = await asyncio.gather(starting, return_exceptions=True)
        if isinstance(results[0], PaintingChild):
            await results[0].close()

    def running(self) -> PaintingChild | None:
        """The child that has started last, if it has."""
        if self._starting is None or not self._starting.done() or _has_failed(self._starting):
            return None
        return self._starting.result()

    def _started(self) -> asyncio.Task[PaintingChild]:
        """The start of the child in use, begun now if there is none."""
        if self._starting is None or _has_failed(self._starting):
            self._starting = asyncio.create_task(self._start())
            self._starting.add_done_callback(_log_failed_start)
        return self._starting

    async def _start(self) -> PaintingChild:
        self._is_stale = False
        while True:
            try:
                child = await (self._begun() if self._is_measured else self._measured())
                break
            except ChildLost as loss:
                if loss.plugin is None or loss.plugin in self._left_out:
                    raise
                log.error("painting_plugin_failed", plugin=loss.plugin, error=str(loss))
                self._left_out.append(loss.plugin)
        log.info("painting_child_ready", pid=child.pid, device=child.ready.device)
        self.has_gpu = child.ready.device != "cpu"
        for plugin, error in child.ready.failed_plugins.items():
            log.error("painting_plugin_failed", plugin=plugin, error=error)
        return child

    async def _begun(self, *, measure: bool = False) -> PaintingChild:
        """A new child, without the plugins under which others died before they were up."""
        settings = without_plugins(self._configure.settings, self._left_out)
        return await PaintingChild.start(
            self._configure.model_copy(update={"settings": settings, "measure": measure}),
            silence=self._queue.silence_seconds,
            most_memory=self._queue.worker_memory_mb * 1_000_000 or None,
            command=self._command,
        )

    async def _measured(self) -> PaintingChild:
        """The first child, which says how fast it paints; where it is lost by that, another one
        that need not."""
        child = await self._begun(measure=True)
        self._is_measured = True
        try:
            self.pace = await child.measured()
        except BaseException as error:
            await child.kill()  # nobody else knows of it yet
            if not isinstance(error, ChildLost):
                raise
            log.warning("pace_not_measured", pid=child.pid, why=str(error))
            return await self._begun()
        return child


def _parsed(line: bytes) -> FromChild | None:
    try:
        return from_child.validate_json(line)
    except ValidationError:
        # A library or a plugin printed something; the pipe carries messages only.
        text = line[:200].decode(errors="replace").strip()
        if text:
            log.warning("painting_child_printed", text=text)
        return None


def at_work(entered: Iterable[Entered]) -> Entered | None:
    """The code of a plugin that still runs, by what was said of it and of others, in that order."""
    last = {one.thread: one for one in entered}
    return next((one for one in last.values() if one.plugin), None)


def how_it_ended(code: int) -> str:
    """What the exit code of a process says, as half a sentence."""
    if code >= 0:
        return f"ended with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"


def _has_failed(task: asyncio.Task[PaintingChild]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _log_failed_start(task: asyncio.Task[PaintingChild]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("painting_child_did_not_start", why=str(error))


def _configuration(settings: Settings, presets: Sequence[StylePreset]) -> Configure:
    return Configure(
        settings=settings_for_painting(settings),
        presets=[
            PresetFile(path=preset.picture, options=recommended([preset], settings.painting))
            for preset in presets
        ],
    )


def _states_of(presets: Sequence[StylePreset]) -> list[tuple[int, int] | None]:
    """What tells that a preset's picture is another one now: when it was written, and its size."""
    states: list[tuple[int, int] | None] = []
    for preset in presets:
        try:
            found = preset.picture.stat()
        except OSError:
            states.append(None)
        else:
            states.append((found.st_mtime_ns, found.st_size))
    return states
