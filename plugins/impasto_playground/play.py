"""`impasto play`: the bot in a chat page on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import tempfile
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from impasto.cli import Session, run_until_stopped, session_of, stop_on_signals
from impasto.errors import OwnerError

if TYPE_CHECKING:
    from impasto_playground.server import Playground


def play(
    context: typer.Context,
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the chat page; 0 takes a free one.")
    ] = 8080,
    browser: Annotated[bool, typer.Option(help="Open the chat page in a browser.")] = True,
    state_dir: Annotated[
        Path | None,
        typer.Option(help="Folder for what is written; a temporary one if not given."),
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
    """Talk to the bot in a chat page on this machine: no token, no account, no network."""
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
    from impasto_playground.reloading import run_reloading
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
            typer.echo(f"Talk to the bot at {playground.url} (Ctrl-C ends it)", err=True)
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
            problem = f"the chat page cannot listen on {host}:{port}: {error.strerror or error}"
        raise OwnerError(problem) from None
