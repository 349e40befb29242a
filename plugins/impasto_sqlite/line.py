"""The line of waiting jobs: which one is painted next, and how many come before one.

People take turns, so a person's n-th waiting job comes after everybody's (n-1)-th; within such a
round the person comes first who has waited longest since the last start of a job of theirs. A turn
that was handed back does not count: its owner got nothing for it.

The line follows from the jobs. It is kept beside them in memory while the database is open, so that
neither question has to look at everything that waits or has ever waited.
"""

from __future__ import annotations

import sqlite3

_SCHEMA = (
    """
    CREATE TEMP TABLE line (
        job TEXT PRIMARY KEY,
        person INTEGER NOT NULL,
        round INTEGER NOT NULL,     -- 1 is the person's oldest waiting job
        turn INTEGER NOT NULL,      -- order of the person's last start; 0 when there was none
        oldest INTEGER NOT NULL,    -- number of the person's oldest waiting job
        number INTEGER NOT NULL,
        pixels INTEGER NOT NULL     -- most it asks for, 0 if it does not
    ) STRICT
    """,
    "CREATE INDEX temp.line_by_place ON line (round, turn, oldest)",
    "CREATE INDEX temp.line_by_person ON line (person)",
    "CREATE INDEX temp.line_by_pixels ON line (pixels)",
)

_ENTRIES = """
    INSERT INTO line
    SELECT id, person,
           ROW_NUMBER() OVER (PARTITION BY person ORDER BY number),
           (SELECT COALESCE(MAX(started.turn), 0) FROM jobs AS started
            WHERE started.person = jobs.person AND started.state <> 'accepted'),
           MIN(number) OVER (PARTITION BY person),
           number,
           COALESCE(json_extract(body, '$.options.max_pixels'), 0)
    FROM jobs WHERE state = 'accepted'
"""

_LARGEST = "SELECT job FROM line WHERE pixels > ? ORDER BY turn, number LIMIT 1"
_NEXT = "SELECT job FROM line WHERE round = 1 ORDER BY turn, oldest LIMIT 1"
_AHEAD = """
    SELECT (SELECT COUNT(*) FROM jobs WHERE state = 'running')
         + (SELECT COUNT(*) FROM line WHERE round < own.round)
         + (SELECT COUNT(*) FROM line
            WHERE round = own.round AND (turn, oldest) < (own.turn, own.oldest))
    FROM line AS own WHERE job = ?
"""


def begin(connection: sqlite3.Connection) -> None:
    """Lines up what waits in a database that was just opened."""
    for statement in _SCHEMA:
        connection.execute(statement)
    connection.execute(_ENTRIES)


def renew(connection: sqlite3.Connection, person: int) -> None:
    """To be called when one of this person's jobs began or ceased to wait, or asks for another
    size."""
    connection.execute("DELETE FROM line WHERE person = ?", (person,))
    connection.execute(f"{_ENTRIES} AND person = ?", (person,))


def renew_all(connection: sqlite3.Connection) -> None:
    """To be called when jobs were removed."""
    connection.execute("DELETE FROM line")
    connection.execute(_ENTRIES)


def next_job(connection: sqlite3.Connection, larger_than: int | None) -> str | None:
    """The id of the job to paint next, see `Journal.claim`; None when none waits."""
    row = None
    if larger_than is not None:
        row = connection.execute(_LARGEST, (larger_than,)).fetchone()
    row = row or connection.execute(_NEXT).fetchone()
    return str(row["job"]) if row else None


def ahead_of(connection: sqlite3.Connection, job_id: str) -> int:
    """How many running and waiting jobs come before this one; 0 when it does not wait."""
    row = connection.execute(_AHEAD, (job_id,)).fetchone()
    return int(row[0]) if row else 0
