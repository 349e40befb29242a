"""Storage on one machine: journal and dialogue state in `state_dir/impasto.sqlite`."""

from __future__ import annotations

from pathlib import Path

from aiogram.fsm.storage.base import BaseStorage

from impasto import hookimpl
from impasto.jobs.journal import Journal
from impasto.settings import Settings
from impasto_sqlite.database import Database
from impasto_sqlite.dialogue import SqliteDialogue
from impasto_sqlite.journal import SqliteJournal

__all__ = ["SqliteStorage", "impasto_storages"]


class SqliteStorage:
    """Journal and dialogue state over one database; see `impasto.jobs.journal.Storage`."""

    name = "sqlite"

    def __init__(self, state_dir: Path) -> None:
        self._database = Database(state_dir / "impasto.sqlite")
        self._journal = SqliteJournal(self._database)
        self._dialogue = SqliteDialogue(self._database)

    async def open(self) -> None:
        """Raises OwnerError when the file cannot be used or another bot uses it."""
        await self._database.open()

    @property
    def journal(self) -> Journal:
        return self._journal

    @property
    def dialogue(self) -> BaseStorage:
        return self._dialogue

    async def close(self) -> None:
        await self._database.close()


@hookimpl
def impasto_storages(settings: Settings) -> list[SqliteStorage]:
    return [SqliteStorage(settings.state_dir)]
