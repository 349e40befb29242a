"""What jobs need from the side of the chat: pictures, and somebody who tells the person."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import Protocol

from impasto.jobs.job import Job, TelegramPicture
from impasto.messages import Progress


class PictureSource(Protocol):
    """Where pictures come from."""

    async def fetch(self, picture: TelegramPicture, into: Path) -> None:
        """Writes the picture's bytes to the file `into`.

        Raises:
            PictureError: it is too large or gone for good.
            OSError: the file cannot be written.
        """
        ...


class Reporter(Protocol):
    """Tells a person how their job is getting on."""

    def accepted(self, job: Job) -> Awaitable[None]:
        """Shows that the job waits, also when a worker has begun with it by now, unless it has been
        shown already. Begins at once; what it returns can be awaited until that was tried once.
        What fails is tried again."""
        ...

    def progress(self, job: Job, progress: Progress) -> None:
        """Painting goes on; shown when there is time for it, else dropped. Never blocks."""
        ...

    def finished(self, job: Job) -> None:
        """The job is painted, failed or cancelled: tells the person, trying until it is done, and
        writes `delivered`, `explained` or `abandoned`, of a cancelled one that it is not untold
        any more. Never blocks: that happens in the background."""
        ...
