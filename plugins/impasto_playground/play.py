"""`impasto play`: the bot in a chat page on this machine.

With `--reload` the bot has a process of its own, which is restarted when a plugin's file changes.
The playground stays in this one, and with it the chat. Modules are never reloaded inside a running
bot: what they registered would be there twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import importlib.util
import json
import os
import sys
import sysconfig
import tempfile
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from impasto.cli import Session, run_until_stopped, session_of, stop_on_signals
from impasto.errors import OwnerError
from impasto.plugins.finding import installed_plugins, is_built_in

if TYPE_CHECKING:
    from impasto.settings import Settings
    from impasto_playground.server import Playground

SECONDS_TO_END = 15.0
"""Longer than the bot takes to hand back what it is painting; then it is killed."""


def play(
    context: typer.Context,
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the chat page; 0 picks a free one.")
    ] = 8080,
    browser: Annotated[bool, typer.Option(help="Open the chat page in a browser.")] = True,
    state_dir: Annotated[
        Path | None,
        typer.Option(help="Folder for the bot's state; by default a temporary one."),
    ] = None,
    plugin: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True, help="A one-file plugin, or the folder of a package; may be repeated."
        ),
    ] = None,
    reload: Annotated[
        bool,
        typer.Option("--reload", help="Restart the bot when a plugin changes; the chat stays."),
    ] = False,
) -> None:
    """Talk to the bot in a chat page on this machine: no token, no account, no internet."""
    typer.echo("Starting the bot and its chat page: a few seconds.", err=True)
    session = session_of(context)
    overrides: dict[str, Any] = {}
    if plugin:
        overrides["plugins"] = {"files": [path.resolve() for path in plugin]}
    with contextlib.ExitStack() as cleanup:
        if state_dir is None:
            # The playground forgets its chats when it ends, and jobs of a forgotten chat are of
            # no use to the next one.
            name = cleanup.enter_context(
                tempfile.TemporaryDirectory(prefix="impasto-play-", ignore_cleanup_errors=True)
            )
            state_dir = Path(name)
            _share_state(session.settings.state_dir, state_dir)
        overrides["state_dir"] = state_dir.resolve()
        asyncio.run(
            _play(
                session,
                host=host,
                port=port,
                browser=browser,
                reload=reload,
                overrides=overrides,
            )
        )


def _share_state(state_dir: Path, temporary: Path) -> None:
    """Networks that were fetched and styles that were added are there in the playground too."""
    for name in ("weights", "styles"):
        folder = state_dir.resolve() / name
        if folder.is_dir():
            (temporary / name).symlink_to(folder, target_is_directory=True)


async def _play(
    session: Session,
    *,
    host: str,
    port: int,
    browser: bool,
    reload: bool,
    overrides: dict[str, Any],
) -> None:
    from impasto.telegram.app import run_bot
    from impasto_playground.server import Playground

    playground = Playground(host=host, port=port)
    await _start(playground, host, port)
    try:
        settings = session.load_settings(
            **overrides,
            telegram={
                "token": playground.token,
                "api_base": playground.url,
                "webhook_base": "",  # nobody from outside brings anything here
            },
            server={"port": 0},
        )

        def show() -> None:
            url = typer.style(playground.url, bold=True)
            typer.echo(f"\nTalk to the bot at {url}\nCtrl-C ends it.\n", err=True)
            if browser:
                webbrowser.open(playground.url)

        if reload:
            with stop_on_signals() as stop:
                await run_reloading(settings, session.arguments, stop=stop, on_ready=show)
        else:
            await run_until_stopped(run_bot, settings, session.load_bot(settings), on_ready=show)
    finally:
        await playground.stop()


async def _start(playground: Playground, host: str, port: int) -> None:
    try:
        await playground.start()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            problem = f"port {port} is in use; choose another with --port, or --port 0 for any"
        elif error.errno == errno.EACCES:
            problem = f"port {port} may not be opened; choose one above 1023 with --port"
        else:
            # asyncio's text says the address again before its reason.
            why = (error.strerror or str(error)).rpartition(": ")[2]
            problem = f"the chat page cannot listen on {host}:{port}: {why}"
        raise OwnerError(problem) from None


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
    try:
        from watchfiles import awatch
    except ImportError:
        raise OwnerError("--reload needs watchfiles: pip install 'impasto[authors]'") from None
    paths = _watched(settings)

    def is_theirs(_: object, name: str) -> bool:
        return name.endswith(".py") and any(Path(name).is_relative_to(path) for path in paths)

    # Editors save by renaming, after which a watch on the file itself would be one on the old file.
    folders = {path if path.is_dir() else path.parent for path in paths}
    changes = awatch(*folders, watch_filter=is_theirs, stop_event=stop)
    process = await _started(settings, arguments)
    on_ready()
    try:
        while not stop.is_set():
            changed = asyncio.ensure_future(anext(changes, None))
            ended = asyncio.ensure_future(process.wait())
            await asyncio.wait({changed, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not changed.done():
                typer.echo("The bot has ended; it starts again when a file changes", err=True)
            found = await changed
            ended.cancel()
            if found:
                await _ended(process)
                [name, *_] = (Path(name).name for _, name in found)
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
            "there is nothing to reload; name a plugin with --plugin, or `pip install -e` one"
        )
    return [path.resolve() for path in paths]


def _editable_plugins() -> Iterator[Path]:
    """Where installed plugins of others are, if not among the packages of this environment."""
    packages = Path(sysconfig.get_path("purelib")).resolve()
    for point in installed_plugins():
        spec = importlib.util.find_spec(point.module.partition(".")[0])
        if is_built_in(point) or spec is None or spec.origin is None:
            continue
        file = Path(spec.origin).resolve()
        if not file.is_relative_to(packages):
            yield file.parent if spec.submodule_search_locations else file


def variables_for(settings: Settings) -> dict[str, str]:
    """Those of the bot's process: what this command has decided about the settings is in them."""
    telegram = {
        "token": settings.telegram.token.get_secret_value(),
        "api_base": settings.telegram.api_base,
        "webhook_base": settings.telegram.webhook_base,
    }
    # As a whole: an empty variable would leave the webhook of a file in its place.
    decided = {f"IMPASTO_TELEGRAM__{name.upper()}" for name in (*telegram, "token_file")}
    inherited = {name: value for name, value in os.environ.items() if name.upper() not in decided}
    return inherited | {
        "IMPASTO_STATE_DIR": str(settings.state_dir),
        "IMPASTO_TELEGRAM": json.dumps(telegram),
        "IMPASTO_SERVER__PORT": str(settings.server.port),
        "IMPASTO_PLUGINS__FILES": json.dumps([str(path) for path in settings.plugins.files]),
    }


async def _started(settings: Settings, arguments: Sequence[str]) -> asyncio.subprocess.Process:
    command = [sys.executable, "-P", "-m", "impasto", *arguments, "run"]
    return await asyncio.create_subprocess_exec(
        *command, env=variables_for(settings), process_group=0
    )


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
