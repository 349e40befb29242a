"""The painting child as its parent sees it: started by exec, spoken to in lines of JSON.

Never forked: torch and its threads do not come through a fork in good health.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Sequence

import structlog
from pydantic import ValidationError

from impasto.memory import make_first_victim, oom_kills, resident_bytes
from impasto.messages import Configure, Failed, Message, Painted, Progress, Ready, Stopped, encode
from impasto.messages import from_child as parser
from impasto.settings.sources import environment_without_settings

log = structlog.get_logger(__name__)

PAINTING_COMMAND = (sys.executable, "-m", "impasto.painting")

_LONGEST_LINE = 1 << 20
_SECONDS_TO_EXIT = 3.0

SECONDS_BETWEEN_LOOKS = 0.5
"""At the memory of a child that paints."""

GROWTH_BYTES, GROWTH_SHARE = 16_000_000, 0.08
"""A child that rests in so much more memory than it rested in after its first job, the larger of
the two, is replaced. oneDNN never gives back all that it compiles for pictures of a new size: 2 MB
of each, and as much again is lost between what is left."""

COMPILED_AND_KEPT = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "128"}
"""How many operations oneDNN keeps compiled: a picture's (75 to 110) are there for the next one of
its size. Without a bound, a thousand of them would pile up."""

FromChild = Ready | Progress | Painted | Stopped | Failed


class ChildLost(Exception):
    """The child died, was killed, or says nothing any more; it cannot be used again."""

    def __init__(self, why: str, exit_code: int | None = None, *, for_memory: bool = False) -> None:
        super().__init__(why)
        self.exit_code = exit_code
        """Negative: the signal that ended it; None: it did not end by itself."""
        self.for_memory = for_memory
        """It took too much memory, or the kernel had no more for it."""


class PaintingChild:
    """One running child. Make one with `start`."""

    ready: Ready
    """What it said when it was up."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None:
            raise ValueError("the child must be started with pipes")
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._was_killed = False
        self._is_over_limit = False
        self._oom_kills = oom_kills()
        self._rested_in: int | None = None
        self._jobs_begun = 0

    @classmethod
    async def start(
        cls, configure: Configure, *, patience: float, command: Sequence[str] = PAINTING_COMMAND
    ) -> PaintingChild:
        """Starts a child, configures it and awaits its Ready.

        Raises:
            ChildLost: it ended or did not answer within `patience` seconds.
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
        child = cls(process)
        try:
            child.tell(configure)
            message = await child.receive(patience)
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

    async def receive(self, patience: float) -> FromChild:
        """The next message.

        Raises:
            ChildLost: the child ended, or said nothing for `patience` seconds.
        """
        try:
            async with asyncio.timeout(patience):
                while True:
                    message = _parsed(await self._line())
                    if message is not None:
                        return message
        except TimeoutError:
            raise ChildLost(f"the painting process said nothing for {patience:g} s") from None

    @contextlib.asynccontextmanager
    async def watched(self, most_bytes: int | None) -> AsyncIterator[None]:
        """Watches over one job: that it takes no more memory, and what became of it if not."""
        self._jobs_begun += 1
        self._oom_kills = oom_kills()
        watch = asyncio.create_task(self._look_at_memory(most_bytes)) if most_bytes else None
        try:
            yield
        finally:
            if watch is not None:
                watch.cancel()

    def has_grown(self) -> bool:
        """Whether it holds much more memory between two jobs than it once did."""
        taken = resident_bytes(self.pid)
        if taken is None or self._jobs_begun == 0:
            return False
        if self._rested_in is None:
            self._rested_in = taken
        return taken > self._rested_in + max(GROWTH_BYTES, GROWTH_SHARE * self._rested_in)

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

    async def _line(self) -> bytes:
        try:
            line = await self._stdout.readline()
        except ValueError:  # longer than the limit: no message of ours
            return b""
        if not line:
            code = await self._process.wait()
            raise self._loss(code)
        return line

    def _loss(self, code: int) -> ChildLost:
        if self._is_over_limit:
            return ChildLost("the painting process took too much memory", code, for_memory=True)
        why = f"the painting process {_how_it_ended(code)}"
        return ChildLost(why, code, for_memory=self._was_killed_by_kernel(code))

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
        if code != -signal.SIGKILL or self._was_killed:
            return False
        kills = oom_kills()
        return kills is None or kills != self._oom_kills


def _parsed(line: bytes) -> FromChild | None:
    try:
        return parser.validate_json(line)
    except ValidationError:
        # A library or a plugin printed something; the pipe carries messages only.
        text = line[:200].decode(errors="replace").strip()
        if text:
            log.warning("painting_child_printed", text=text)
        return None


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"
