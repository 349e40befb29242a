"""One SQLite connection in a thread of its own: durable transactions that never block the loop.

WAL with `synchronous=FULL` syncs the log at every commit, so what was written survives a power cut
(https://www.sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import asyncio
import errno
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TypeVar

from impasto import file_locks
from impasto.data_folders import PRIVATE_FOLDER, make_private
from impasto.errors import OwnerError

T = TypeVar("T")

SCHEMA_VERSION = 2

_SCHEMA = """
CREATE TABLE updates (
    id INTEGER PRIMARY KEY,
    body TEXT NOT NULL,             -- emptied when finished: it is what people wrote
    attempts INTEGER NOT NULL DEFAULT 0,
    finished_at REAL                -- Unix time; NULL while unfinished
) STRICT;
CREATE INDEX updates_by_finish ON updates (finished_at);

CREATE TABLE jobs (
    number INTEGER PRIMARY KEY,     -- order of acceptance
    id TEXT NOT NULL UNIQUE,
    origin TEXT UNIQUE,
    person INTEGER NOT NULL,
    state TEXT NOT NULL,
    turn INTEGER NOT NULL DEFAULT 0,    -- order of the last start; 0 when never started
    body TEXT NOT NULL              -- the whole job as JSON; the columns above are copies
) STRICT;
CREATE INDEX jobs_by_state ON jobs (state);
CREATE INDEX jobs_by_person ON jobs (person, state, turn);
CREATE INDEX jobs_by_turn ON jobs (turn);

CREATE TABLE dialogue (
    key TEXT PRIMARY KEY,
    state TEXT,
    data TEXT
) STRICT, WITHOUT ROWID;
"""

_UPGRADES = {
    0: _SCHEMA,
    1: "DROP TABLE changes; CREATE INDEX IF NOT EXISTS jobs_by_turn ON jobs (turn);",
}
"""What brings a file of an earlier schema to this one; 0 is that of an empty file."""


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")


class Database:
    """A connection that is opened, used and closed in one thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None
        self._lock: IO[str] | None = None
        self._identity = (0, 0)
        """Device and inode of the file that was opened."""

    async def open(self) -> None:
        """Creates the file or checks its schema.

        Raises:
            OwnerError: the folder cannot be written, the file is no database of this program, or
                another process uses it.
        """
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite")
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._open)
        except BaseException:
            await self.close()
            raise

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Runs `work` in the database's thread inside one transaction, committed when this returns
        and rolled back when it raises."""
        if self._thread is None:
            raise RuntimeError("the database is not open")
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, self._in_transaction, work
        )

    def check_is_there(self) -> None:
        """Raises OSError when the file is not the one that was opened any more: what is written is
        gone with the process then. Reading and writing may work all the same."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            found = None
        if found is None or (found.st_dev, found.st_ino) != self._identity or not found.st_size:
            raise OSError(
                errno.EIO,
                "the journal was removed, replaced or emptied under the running bot, which takes "
                "no more pictures; put it back, or start the bot again",
                str(self.path),
            )

    async def close(self) -> None:
        if self._thread is None:
            return
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()
        self._thread = None

    def _in_transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection
        if connection is None:
            raise RuntimeError("the database is not open")
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(connection)
            connection.execute("COMMIT")
        except BaseException:
            # When the disk is full, SQLite may have rolled back by itself.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return result

    def _open(self) -> None:
        try:
            self.path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            self._lock = self._locked()
            # Transactions are begun and ended by hand: the module's own start too late for SELECTs.
            connection = sqlite3.connect(self.path, isolation_level=None)
            self._connection = connection
            connection.row_factory = sqlite3.Row
            # A row with a fault of the disk in it must not keep others from being read.
            connection.text_factory = _text
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA busy_timeout = 10000")
            # What people had the bot forget is overwritten, not only marked as free.
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA temp_store = MEMORY")
            self._prepare_schema(connection)
            make_private(self.path.parent)
            found = self.path.stat()
            self._identity = (found.st_dev, found.st_ino)
        except (OSError, sqlite3.Error) as error:
            raise OwnerError(
                f"the journal {self.path} cannot be used ({error}); check the folder's permissions "
                "and free space, or set state_dir to another folder"
            ) from error

    def _locked(self) -> IO[str]:
        """Two bots on one journal would each hand back the other's running jobs."""
        lock = file_locks.opened(self.path.with_suffix(".lock"))
        if not file_locks.lock(lock):
            lock.close()
            raise OwnerError(
                f"another bot is running on {self.path.parent}; stop it or give this one a "
                "state_dir of its own"
            )
        return lock

    def _prepare_schema(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == SCHEMA_VERSION:
            return
        if version not in _UPGRADES:
            raise OwnerError(
                f"{self.path} was written by another version of this program (schema {version}, "
                f"this one has {SCHEMA_VERSION}); use that version or move the file away"
            )
        connection.executescript(
            f"BEGIN IMMEDIATE; {_UPGRADES[version]} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        )

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None
