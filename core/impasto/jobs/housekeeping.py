"""What is kept for a while goes when its time is over: pictures first, then what is known of
jobs."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from impasto.contracts import Journal
from impasto.jobs.folders import JobFolders
from impasto.settings import QueueSettings

log = structlog.get_logger(__name__)

SECONDS_BETWEEN = 3600.0


async def keep_house(journal: Journal, folders: JobFolders, queue: QueueSettings) -> None:
    """Tidies up now and every hour, until cancelled."""
    while True:
        try:
            await tidy_up(journal, folders, queue)
        except Exception:
            log.exception("not_tidied_up", again_in_seconds=SECONDS_BETWEEN)
        await asyncio.sleep(SECONDS_BETWEEN)


async def tidy_up(journal: Journal, folders: JobFolders, queue: QueueSettings) -> None:
    """Removes job folders after `keep_hours`, and jobs whose folder is gone after
    `remember_days`."""
    swept = await folders.sweep(journal)
    kept = max(timedelta(days=queue.remember_days), timedelta(hours=queue.keep_hours))
    pruned = await journal.prune(datetime.now(UTC) - kept)
    log.debug("tidied_up", folders=swept, jobs=pruned)
