"""`impasto run`, `impasto worker` and `impasto play`: the bot on Telegram, a process that paints
for it, and the bot in a chat page of its own."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import tempfile
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from impasto.cli.session import Session, session_of
from impasto.errors import OwnerError

if TYPE_CHECKING:
    from impasto.plugins import PluginHost
    from impasto.settings import Settings
    from impasto_playground import Playground


class Program(Protocol):
    """What runs in a process of its own until it is stopped."""

    async def __call__(
        self,
        settings: Settings,
        host: PluginHost,
        *,
        stop: asyncio.Event | None = None,
        on_ready: Callable[[], None] | None = None,
        changes: asyncio.Queue[Settings] | None = None,
    ) -> None: ...


def add_commands(cli: typer.Typer) -> None:
    cli.command("play")(play)
    cli.command("run")(run)
    cli.command("worker")(worker)


def run(context: typer.Context) -> None:
    """Run the bot on Telegram until it is stopped. SIGHUP has it read its settings again."""
    from impasto.telegram.app import run_bot

    session = session_of(context)
    asyncio.run(_run(session.settings, session.bot, run_bot, read=session.load_settings))


def worker(context: typer.Context) -> None:
    """Paint what bots on other machines accept, until it is stopped. See docs/scaling.md."""
    from impasto.telegram.worker_app import run_worker

    session = session_of(context)
    asyncio.run(_run(session.settings, session.bot, run_worker, read=session.load_settings))


async def _run(
    settings: Settings,
    host: PluginHost,
    program: Program,
    on_ready: Callable[[], None] | None = None,
    *,
    read: Callable[[], Settings] | None = None,
) -> None:
    from impasto.plugins.watchdog import LoopWatchdog

    def ready() -> None:
        if host.strict:
            host.check_strict()  # now that every hook of the start was called
        if on_ready is not None:
            on_ready()

    with stop_on_signals() as stop, settings_on_hangup(read) as changes:
        async with LoopWatchdog(host, settings.plugins.slow_seconds):
            await program(settings, host, stop=stop, on_ready=ready, changes=changes)


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
    from impasto_playground import Playground

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
            from impasto.cli.reloading import run_reloading

            with stop_on_signals() as stop:
                await run_reloading(settings, session.arguments, stop=stop, on_ready=show)
        else:
            await _run(settings, session.load_bot(settings), run_bot, on_ready=show)
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


@contextlib.contextmanager
def settings_on_hangup(
    read: Callable[[], Settings] | None,
) -> Iterator[asyncio.Queue[Settings] | None]:
    """Settings that are read again at every SIGHUP; those that cannot be used are told in the log
    and change nothing."""
    import structlog

    if read is None or not hasattr(signal, "SIGHUP"):
        yield None
        return
    changes: asyncio.Queue[Settings] = asyncio.Queue()

    def again() -> None:
        try:
            changes.put_nowait(read())
        except OwnerError as error:
            structlog.get_logger(__name__).error("settings_not_reloaded", why=str(error))

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, again)
    try:
        yield changes
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


@contextlib.contextmanager
def stop_on_signals() -> Iterator[asyncio.Event]:
    """An event that SIGINT and SIGTERM set; a second signal ends the process as it always does."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def asked() -> None:
        stop.set()
        for number in signals:
            loop.remove_signal_handler(number)

    try:
        for number in signals:
            loop.add_signal_handler(number, asked)
    except NotImplementedError:  # Windows: Ctrl-C raises KeyboardInterrupt instead
        yield stop
        return
    try:
        yield stop
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
