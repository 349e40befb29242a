"""Storage on one machine: journal and dialogue state in `state_dir/impasto.sqlite`; the token
buckets, which nobody shares and which are full after a restart, in memory."""

from __future__ import annotations

from pathlib import Path

from impasto import hookimpl
from impasto.settings import Settings
from impasto.telegram.dialogue import LocalIsolation
from impasto.telegram.pacing import MemoryBuckets
from impasto_sqlite.database import Database
from impasto_sqlite.dialogue import SqliteDialogue
from impasto_sqlite.journal import SqliteJournal


class SqliteStorage:
    """See `impasto.contracts.Storage`."""

    name = "sqlite"
    is_shared = False

    def __init__(self, state_dir: Path) -> None:
        self._database = Database(state_dir / "impasto.sqlite")
        self.journal = SqliteJournal(self._database)
        self.dialogue = SqliteDialogue(self._database)
        self.buckets = MemoryBuckets()
        self.isolation = LocalIsolation()

    async def open(self) -> None:
        """Raises OwnerError when the file cannot be used or another bot uses it."""
        await self._database.open()
        self.journal.begin_again()

    async def forget_dialogue(self, person: int) -> None:
        await self.dialogue.forget(person)

    async def close(self) -> None:
        await self._database.close()


@hookimpl
def impasto_storages(settings: Settings) -> list[SqliteStorage]:
    return [SqliteStorage(settings.state_dir)]
