"""The connection to Redis: what is waited out, and what whoever runs the bot has to mend.

Names in Redis, behind the prefix `impasto:<bot id>:`

    job:<id>              hash: body (the job as JSON), stamp (of its last change), state, person,
                          number (order of acceptance), pixels (most it asks for, 0 if it does not),
                          turn (order of its last start, absent before)
    in:<state>, of:<person>, unfinished:<person>    sorted sets: id by number
    started:<person>      sorted set: id by turn, of those that do not wait
    asked:<person>        sorted set: id by Unix time of acceptance
    effort                sorted set: id by number, of those that estimates learn from
    ended                 sorted set: id by Unix time, of final ones
    origins               hash: id by origin
    charge                hash: process by id, of those that are not settled
    number, turn, version counters; version is that of the order in which jobs wait
    schema                version of all this
    news                  stream: what happened to which job by which process

    updates, attempts, charge:updates   hashes by id, of unfinished ones: JSON, count, process
    finished              sorted set: id by Unix time

    alive:<process>       there while it is heard of
    workers               sorted set: process by Unix time in ms until which it is heard of
    bucket:<name>         Unix time at which it is full
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Any, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import (
    AuthenticationError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from impasto.errors import OwnerError
from impasto_saq.settings import SaqSettings

PATIENCE_SECONDS = 10
"""For the answer to one command; commands that wait at the server wait for less than that."""

_MOST_CONNECTIONS = 32
_TRIES = 25  # with the pauses below, a Redis that restarts has about 20 s


_TAKES_NO_WRITES = re.compile(r"\b(OOM command|MISCONF|NOREPLICAS|READONLY)\b")
"""In the words of a Redis that is full, cannot write to its disk, lacks the replicas that it has to
have, or is one itself (https://redis.io/docs/latest/develop/reference/protocol-spec/)."""


@contextmanager
def _failing_as_a_machine() -> Iterator[None]:
    """Raises OSError where Redis refuses whatever is to be written, as a failing machine does."""
    try:
        yield
    except ResponseError as error:
        refuses = isinstance(error, OutOfMemoryError | ReadOnlyError)
        if not refuses and not _TAKES_NO_WRITES.search(str(error)):
            raise
        raise OSError(errno.ENOMEM, f"Redis takes no writes: {error}") from error


class _Client(Redis):
    async def execute_command(self, *args: Any, **options: Any) -> Any:
        with _failing_as_a_machine():
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    async def transaction(self, *args: Any, **options: Any) -> Any:
        with _failing_as_a_machine():
            return await super().transaction(*args, **options)


def client(settings: SaqSettings, *, text: bool, waits_seconds: float = 0) -> Redis:
    """A client of a pool of its own, whose calls are tried again while Redis restarts; its commands
    may wait at the server for `waits_seconds`.

    Raises:
        OwnerError: the URL is none.
    """
    try:
        pool = BlockingConnectionPool.from_url(
            settings.redis_url.get_secret_value(),
            max_connections=_MOST_CONNECTIONS,
            timeout=None,
            decode_responses=text,
            encoding_errors="replace",
            socket_timeout=PATIENCE_SECONDS + waits_seconds,
            socket_connect_timeout=5,
            socket_keepalive=True,
            health_check_interval=30,
            retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), _TRIES),
        )
    except ValueError as error:
        raise OwnerError(
            "plugins.saq.redis_url is not the URL of a Redis server, such as redis://localhost:6379/0"
        ) from error
    return _Client.from_pool(pool)


SCHEMA_VERSION = 1
"""Of what is described above. A version of this program that would read it wrongly does not
start."""


_WORKS_WHEN_FULL = frozenset(
    {
        "adopt",
        "beat",
        "begin_update",
        "finish_update",
        "hold_bucket",
        "lock",
        "take_tokens",
        "take_updates",
        "write",
    }
)
"""Scripts that bring to an end what was accepted, or that this takes. A Redis that is full, by its
`maxmemory`, refuses new jobs and dialogs; these go beyond it."""

_REMOVES_FIRST = "redis.call('DEL', ARGV[1]..'room')\n"
"""A script may go beyond `maxmemory` once it has written something that takes no room
(https://redis.io/docs/latest/develop/programmability/lua-api/, "out of memory")."""


class Server:
    """Redis as one bot sees it: all names begin with `prefix`, and what must not be torn apart runs
    as one of the Lua scripts in `scripts/`, during which Redis does nothing else
    (https://redis.io/docs/latest/develop/programmability/eval-intro/)."""

    def __init__(self, settings: SaqSettings, bot_id: str) -> None:
        self.prefix = f"impasto:{bot_id}:"
        self.redis = client(settings, text=True)
        self._scripts = {
            name: self.redis.register_script(text) for name, text in _lua_scripts().items()
        }

    async def check(self) -> dict[str, Any]:
        """What the server says of itself.

        Raises:
            OwnerError: it cannot be used.
        """
        try:
            return cast("dict[str, Any]", await self.redis.info())
        except AuthenticationError as error:
            raise OwnerError(
                "Redis refuses the password in plugins.saq.redis_url; correct it there"
            ) from error
        except (RedisError, OSError) as error:
            raise OwnerError(
                f"Redis cannot be used ({error}); start it, or correct plugins.saq.redis_url"
            ) from error

    async def check_schema(self) -> None:
        """Raises OwnerError when a version of this program that this one does not go with has
        written what is there."""
        found = int(await self.ask("GET", "schema") or 0)
        if found > SCHEMA_VERSION:
            raise OwnerError(
                f"what is in Redis was written by a newer version of this program (schema {found}, "
                f"this one has {SCHEMA_VERSION}); use that version, or another database of Redis"
            )
        if found < SCHEMA_VERSION:
            await self.ask("SET", "schema", SCHEMA_VERSION)

    async def run(self, script: str, *arguments: str | int | float) -> Any:
        """What `scripts/<script>.lua` returns; it is given the prefix, then `arguments`.

        A script may run twice when its first answer is lost: each is written to bear that.
        """
        return await self._scripts[script](args=[self.prefix, *arguments])

    async def ask(self, command: str, key: str, *arguments: str | int | float) -> Any:
        """What a single command answers about the key `prefix + key`."""
        return await self.redis.execute_command(command, self.prefix + key, *arguments)  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        await self.redis.aclose()


@cache
def _lua_scripts() -> dict[str, str]:
    """Lua by the names of its files."""
    scripts = {
        file.name.removesuffix(".lua"): file.read_text(encoding="utf-8")
        for file in (files("impasto_saq") / "scripts").iterdir()
        if file.name.endswith(".lua")
    }
    return {
        name: _REMOVES_FIRST + text if name in _WORKS_WHEN_FULL else text
        for name, text in scripts.items()
    }
