"""Named points on the way of a photo, found from outside: by the bot's calls and on the disk."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from impasto_playground import Fault, FaultKind, Playground
from impasto_playground.faults import DOWNLOAD, SeenCall

from .chat_facts import READY, STYLE, About, buttons_in, news_in
from .installation import Installation

DISK_LOOK_S = 0.005


@dataclass(frozen=True)
class Point:
    """A call that is held there, before or after it takes effect, until the blow has fallen."""

    name: str
    method: str
    acts: bool
    about: About | None = None
    """What the call shows of a job."""
    shows_gallery: bool = False
    says_ready: bool = False
    until_on_disk: bool = False
    """The file of a download is to be complete, which no call tells."""
    wish: str | None = None
    """What somebody has to ask for so that such a call comes; None where it comes anyhow."""


POINTS = (
    Point("after the question for a style", "sendPhoto", acts=True, shows_gallery=True),
    Point("after accept", "sendPhoto", acts=False, about=About.WAITING),
    Point("between the first message and noting it", "sendPhoto", acts=True, about=About.WAITING),
    Point("before a download", DOWNLOAD, acts=False),
    Point("after a download", DOWNLOAD, acts=True, until_on_disk=True),
    Point("in mid-paint", "editMessageMedia", acts=True, about=About.PAINTING),
    Point("after paint", "editMessageMedia", acts=False, about=About.RESULT),
    Point("between send and confirm", "editMessageMedia", acts=True, about=About.RESULT),
    Point(
        "between cancel and saying so",
        "editMessageCaption",
        acts=False,
        about=About.END,
        wish="cancelled",
    ),
    Point("between ready and confirm", "sendMessage", acts=True, says_ready=True),
)


class FaultAt(Fault):
    """Silence at a point."""

    point: Point

    def fits(self, call: SeenCall) -> bool:
        point = self.point
        if not super().fits(call):
            return False
        if point.says_ready:
            return call.text in READY
        buttons = buttons_in(call.fields)
        if point.shows_gallery:
            return any(data.startswith(STYLE) for data in buttons)
        news = news_in(buttons)
        return point.about is None or (news is not None and news.about is point.about)


@contextlib.asynccontextmanager
async def held_at(
    point: Point, playground: Playground, installation: Installation, patience: float
) -> AsyncIterator[bool]:
    """Holds the next call at this point for as long as the context lasts; gives whether one came
    in time."""
    if point.until_on_disk:
        yield await _downloaded(playground, installation, patience)
        return
    fault = FaultAt(
        kind=FaultKind.SILENCE, acts=point.acts, method=point.method, times=1, point=point
    )
    stage = "acted" if point.acts else "received"
    with (
        playground.faults.watch(lambda call, at: at == stage and fault.fits(call)) as watcher,
        playground.faults.during(fault),
    ):
        yield bool(await watcher.next(patience))


async def _downloaded(playground: Playground, installation: Installation, patience: float) -> bool:
    """Waits for a download and then until its file has been written."""

    def is_download(call: SeenCall, stage: str) -> bool:
        return call.method == DOWNLOAD and stage == "acted"

    with playground.faults.watch(is_download) as watcher:
        if not await watcher.next(patience):
            return False
    for _ in range(200):
        folders = installation.job_folders()
        contents = [path for folder in folders for path in folder.glob("*/content")]
        with contextlib.suppress(OSError):
            if contents and max(contents, key=lambda path: path.stat().st_mtime).stat().st_size:
                return True
        await asyncio.sleep(DISK_LOOK_S)
    return False
