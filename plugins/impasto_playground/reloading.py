"""`impasto play --reload`: the bot in a process of its own, restarted when a plugin's file changes.

The playground stays in this process, and with it the chat. Modules are never reloaded inside a
running bot: what they registered would be there twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import importlib.util
import json
import os
import sys
import sysconfig
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from impasto.errors import OwnerError
from impasto.hookspecs import BOT_GROUP, PAINTING_GROUP
from impasto.plugins.finding import OWN_DISTRIBUTION

if TYPE_CHECKING:
    from impasto.settings import Settings

SECONDS_TO_END = 15.0
"""Longer than the bot takes to hand back what it is painting; then it is killed."""


async def run_reloading(
    settings: Settings,
    arguments: Sequence[str],
    *,
    stop: asyncio.Event,
    on_ready: Callable[[], None],
) -> None:
    """Runs the bot until `stop` is set, and anew after every change of a plugin's file.

    Args:
        arguments: global options of the program, for the bot's process.

    Raises:
        OwnerError: there is nothing to watch, or nothing to watch with.
    """
    changes = _changes(_watched(settings), _watch_function(), stop)
    process = await _started(settings, arguments)
    on_ready()
    try:
        while not stop.is_set():
            changed = asyncio.ensure_future(anext(changes, None))
            ended = asyncio.ensure_future(process.wait())
            await asyncio.wait({changed, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not changed.done():
                typer.echo("The bot has ended; it starts again when a file changes", err=True)
            name = await changed
            ended.cancel()
            if name is not None:
                await _ended(process)
                typer.echo(f"{name} has changed: the bot starts again", err=True)
                process = await _started(settings, arguments)
    finally:
        await _ended(process)
        await changes.aclose()


def _watched(settings: Settings) -> list[Path]:
    """Files and folders of plugins that somebody may be working on.

    Raises:
        OwnerError: there are none.
    """
    plugins = settings.plugins
    folder = [plugins.folder] if plugins.folder is not None else []
    paths = [*plugins.files, *folder, *_editable_plugins()]
    if not paths:
        raise OwnerError(
            "there is nothing to reload; name a plugin with --plugin, or install it with pip's -e"
        )
    return [path.resolve() for path in paths]


def _editable_plugins() -> Iterator[Path]:
    """Where installed plugins of others are, if not among the packages of this environment."""
    packages = Path(sysconfig.get_path("purelib")).resolve()
    for group in (BOT_GROUP, PAINTING_GROUP):
        for point in importlib.metadata.entry_points(group=group):
            if point.dist is not None and point.dist.name == OWN_DISTRIBUTION:
                continue
            spec = importlib.util.find_spec(point.module.partition(".")[0])
            if spec is None or spec.origin is None:
                continue
            file = Path(spec.origin).resolve()
            if not file.is_relative_to(packages):
                yield file.parent if spec.submodule_search_locations else file


def _watch_function() -> Callable[..., AsyncIterator[set[tuple[Any, str]]]]:
    try:
        from watchfiles import awatch  # noqa: PLC0415 - of an extra
    except ImportError:
        raise OwnerError("--reload needs watchfiles: pip install 'impasto[authors]'") from None
    return awatch


async def _changes(
    paths: Sequence[Path],
    watch: Callable[..., AsyncIterator[set[tuple[Any, str]]]],
    stop: asyncio.Event,
) -> AsyncGenerator[str, None]:
    """Names of changed Python files, one for each time that something was saved."""
    # Editors save by renaming, after which a watch on the file itself would be one on the old file.
    folders = {path if path.is_dir() else path.parent for path in paths}
    async for changes in watch(*folders, stop_event=stop):
        for _, name in changes:
            is_ours = any(Path(name).is_relative_to(path) for path in paths)
            if is_ours and name.endswith(".py"):
                yield Path(name).name
                break


async def _started(settings: Settings, arguments: Sequence[str]) -> asyncio.subprocess.Process:
    """The bot's process; what this command has decided about the settings goes as variables."""
    environment = {
        **os.environ,
        "IMPASTO_STATE_DIR": str(settings.state_dir),
        "IMPASTO_TELEGRAM__TOKEN": settings.telegram.token.get_secret_value(),
        "IMPASTO_TELEGRAM__API_BASE": settings.telegram.api_base,
        "IMPASTO_TELEGRAM__WEBHOOK_BASE": settings.telegram.webhook_base,
        "IMPASTO_SERVER__PORT": str(settings.server.port),
        "IMPASTO_PLUGINS__FILES": json.dumps([str(path) for path in settings.plugins.files]),
    }
    command = [sys.executable, "-m", "impasto", *arguments, "run"]
    return await asyncio.create_subprocess_exec(*command, env=environment, process_group=0)


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Ends the bot as it is ended everywhere: asked first, killed when it does not listen."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(SECONDS_TO_END):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
