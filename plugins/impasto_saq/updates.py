"""The updates of the journal in Redis."""

from __future__ import annotations

import time
from collections.abc import Sequence

from impasto_saq import scripts
from impasto_saq.connection import Server
from impasto_saq.heartbeat import Heartbeat
from impasto_saq.ownership import Ownership

REMEMBER_SECONDS = 48 * 3600
"""See `impasto.contracts.Journal.take_updates`."""

_MORE_THAN_ANY_LIMIT = 1_000_000


class Updates:
    """That part of `impasto.contracts.Journal`."""

    def __init__(self, server: Server, heartbeat: Heartbeat) -> None:
        self._server = server
        self._heartbeat = heartbeat
        self._charge = Ownership(server, heartbeat, "charge:updates")

    def begin_again(self) -> None:
        self._charge.forget_all()

    async def take(self, updates: Sequence[tuple[int, str]]) -> list[int]:
        now = time.time()
        flat = [part for update_id, body in updates for part in (update_id, body)]
        with self._charge.taking(*(str(update_id) for update_id, _ in updates)) as obtained:
            new = await self._server.run(
                scripts.TAKE_UPDATES, self._heartbeat.name, now, now - REMEMBER_SECONDS, *flat
            )
            obtained.update(new)
        return [int(update_id) for update_id in new]

    async def begin(self, update_id: int) -> int:
        attempts = int(await self._server.run(scripts.BEGIN_UPDATE, update_id))
        # Not there: another process, which took this one for lost, has finished it.
        return attempts or _MORE_THAN_ANY_LIMIT

    async def finish(self, update_id: int) -> None:
        await self._server.run(scripts.FINISH_UPDATE, update_id, time.time())
        self._charge.leave(str(update_id))

    async def unfinished(self) -> list[tuple[int, str]]:
        bodies = await self._server.ask("HGETALL", "updates")
        return sorted((int(update_id), body) for update_id, body in bodies.items())

    async def adopt(self) -> list[tuple[int, str]]:
        async with self._charge.adopting() as adopted:
            if not adopted:
                return []
            bodies = await self._server.ask("HMGET", "updates", *adopted)
        return sorted(
            (int(update_id), body)
            for update_id, body in zip(adopted, bodies, strict=True)
            if body is not None
        )
