"""The connection to Redis: what is waited out, and what whoever runs the bot has to mend."""

from __future__ import annotations

from typing import Any, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import AuthenticationError, RedisError

from impasto.errors import OwnerError
from impasto_saq.settings import SaqSettings

__all__ = ["PATIENCE_SECONDS", "Server", "client"]

PATIENCE_SECONDS = 10
"""For the answer to one command; commands that wait at the server wait for less than that."""

_MOST_CONNECTIONS = 32
_TRIES = 25  # with the pauses below, a Redis that restarts has about 20 s


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
            socket_timeout=PATIENCE_SECONDS + waits_seconds,
            socket_connect_timeout=5,
            socket_keepalive=True,
            health_check_interval=30,
            retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), _TRIES),
        )
    except ValueError as error:
        raise OwnerError(
            "plugins.saq.redis_url is no URL of a Redis, which looks like redis://localhost:6379/0"
        ) from error
    return Redis.from_pool(pool)


class Server:
    """Redis as one bot sees it: all names begin with `prefix`, and what must not be torn apart runs
    as a Lua script there, which Redis runs alone (https://redis.io/docs/latest/develop/programmability/eval-intro/).
    """

    def __init__(self, settings: SaqSettings, bot_id: str) -> None:
        self.prefix = f"impasto:{bot_id}:"
        self.redis = client(settings, text=True)
        self._scripts: dict[str, Any] = {}

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

    async def run(self, script: str, *arguments: str | int | float) -> Any:
        """What a script returns; its first argument is the prefix, `arguments` follow.

        A script may run twice when its first answer is lost: each is written to bear that.
        """
        if script not in self._scripts:
            self._scripts[script] = self.redis.register_script(script)
        return await self._scripts[script](args=[self.prefix, *arguments])

    async def ask(self, command: str, key: str, *arguments: str | int | float) -> Any:
        """What a single command answers about the key `prefix + key`."""
        return await self.redis.execute_command(command, self.prefix + key, *arguments)  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        await self.redis.aclose()
