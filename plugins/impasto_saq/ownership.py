"""What this process is in charge of, and what it takes over from processes that are gone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from impasto_saq import scripts
from impasto_saq.connection import Server
from impasto_saq.heartbeat import Heartbeat


class Ownership:
    """Ids of one kind, each in the charge of a process, in a hash of Redis.

    What Redis has in the charge of this process, but this process does not know of, is taken over
    too: an earlier process of the same name had it, or the answer to this one was lost.
    """

    def __init__(self, server: Server, heartbeat: Heartbeat, name: str) -> None:
        self._server = server
        self._heartbeat = heartbeat
        self._name = name
        self._known: set[str] = set()

    def forget_all(self) -> None:
        """The process begins anew."""
        self._known.clear()

    def join(self, *ids: str) -> None:
        """These are in the charge of this process from now on."""
        self._known.update(ids)

    def leave(self, *ids: str) -> None:
        """These are nothing to take care of any more."""
        self._known.difference_update(ids)

    @contextmanager
    def taking(self, *ids: str) -> Iterator[set[str]]:
        """While these are asked for; put into the set which of them were obtained."""
        obtained: set[str] = set()
        new = set(ids) - self._known
        self._known |= new
        try:
            yield obtained
        finally:
            self._known -= new - obtained

    @asynccontextmanager
    async def adopting(self) -> AsyncIterator[list[str]]:
        """Takes charge of everything that nobody is in charge of; what fails inside is adopted
        again the next time."""
        adopted = await self._adopt()
        yield adopted
        self._known.update(adopted)

    async def _adopt(self) -> list[str]:
        me = self._heartbeat.name
        found = await self._server.run(
            scripts.ORPHANS, self._name, me, int(self._heartbeat.may_judge)
        )
        adopted = []
        for member, process in zip(found[::2], found[1::2], strict=True):
            if process == me and member in self._known:
                continue
            if await self._server.run(scripts.ADOPT, self._name, me, member, process):
                adopted.append(member)
        return adopted
