"""The program `impasto`: global options, its own commands, those of plugins, and how it fails.

One module for each group of commands. What is heavy (torch, aiogram) is imported inside them, so
that each command pays for its own needs only. Commands of plugins use the names in `__all__`.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core
import typer.main

from impasto.cli import bot, plugins, settings
from impasto.cli.bot import run_until_stopped, stop_on_signals
from impasto.cli.session import AsJson, Session, echo_json, print_json, print_table, session_of
from impasto.errors import ImpastoError, OwnerError, PluginError, described
from impasto.logs import prepare_streams
from impasto.plugins.containment import contained_program, running

__all__ = [
    "AsJson",
    "Session",
    "app",
    "echo_json",
    "main",
    "print_json",
    "print_table",
    "run_until_stopped",
    "session_of",
    "stop_on_signals",
]

if TYPE_CHECKING:
    from impasto.plugins import PluginHost

DEBUG_VARIABLE = "IMPASTO_DEBUG"
COMPLETION_VARIABLE = "_IMPASTO_COMPLETE"
"""Set by a shell that wants to know what may follow, after Tab."""


class PluginCommands(typer.core.TyperGroup):
    """The program's own commands and those of plugins.

    Loading plugins takes a second, so it waits until somebody asks for the list of all commands, or
    for a command that is not one of our own. Where the settings or a plugin keep them from being
    loaded, commands of built-in plugins are there all the same, and see to `--strict` themselves:
    `doctor` says what is wrong.
    """

    _of_plugins: dict[str, Any] | None = None

    def list_commands(self, ctx: Any) -> list[str]:
        return [*self.commands, *sorted(self._plugin_commands(ctx))]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        command = self.commands.get(cmd_name)
        if command is None:
            try:
                command = self._plugin_commands(ctx).get(cmd_name)
            except OwnerError:
                command = commands_of_plugins(built_in_plugins(), set(self.commands)).get(cmd_name)
                if command is None:
                    raise
        if command is not None:
            show_flags_as_such(command, ctx)
        return command

    def get_params(self, ctx: Any) -> list[Any]:
        params = super().get_params(ctx)
        clear_types_of_flags(params)
        return params

    def _plugin_commands(self, ctx: Any) -> dict[str, Any]:
        if self._of_plugins is None:
            session = session_of(ctx)
            found = commands_of_plugins(session.offering, set(self.commands))
            if session.strict:
                session.offering.check_strict()
            self._of_plugins = found
        return self._of_plugins


def built_in_plugins() -> PluginHost:
    """The built-in plugins of the bot process, at default settings."""
    from impasto.hookspecs import BOT_GROUP
    from impasto.logs import configure_logging
    from impasto.plugins import PluginHost
    from impasto.settings import PluginsSettings, Settings

    settings = Settings(plugins=PluginsSettings(safe_mode=True))
    configure_logging(settings.log)  # structlog by itself prints, and prints are logged
    return PluginHost(BOT_GROUP, settings).load()


def show_flags_as_such(command: Any, context: Any) -> None:
    """Help says no type of a flag, as none is typed: typer says "<bool>"."""
    clear_types_of_flags([*command.params, command.get_help_option(context)])
    for below in getattr(command, "commands", {}).values():
        show_flags_as_such(below, context)


def clear_types_of_flags(params: Iterable[Any]) -> None:
    for param in params:
        if getattr(param, "is_flag", False) and param.metavar is None:
            param.metavar = ""


def commands_of_plugins(host: PluginHost, taken: set[str]) -> dict[str, Any]:
    """Commands of plugins by name, of two plugins' that of the built-in one; a plugin whose
    commands cannot be built fails alone."""
    from impasto.plugins.finding import BUILT_IN

    found: dict[str, Any] = {}
    for record in sorted(host.active, key=lambda record: record.origin != BUILT_IN):
        if "impasto_commands" not in record.hooks:
            continue
        cli = typer.Typer(rich_markup_mode="markdown")
        try:
            host.call_one(record, "impasto_commands", cli=cli)
            with running(record.name, "impasto_commands"):
                commands = typer.main.get_group(cli).commands
            clash = sorted(set(commands) & (taken | set(found)))
            if clash:
                raise PluginError(
                    record.name, f"impasto_commands: the command {clash[0]!r} is there already"
                )
        except Exception as error:
            host.fail(record, error, "impasto_commands")
        else:
            found.update(commands)
    return found


app = typer.Typer(
    name="impasto",
    cls=PluginCommands,
    help="Repaint photos in the style of a picture: in a Telegram bot, or right here.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from impasto import __version__

        typer.echo(f"impasto {__version__}")
        raise typer.Exit


@app.callback()
def _program(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            help="Settings file (TOML); environment variables and .env override it.", is_eager=True
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop if any plugin fails.", is_eager=True)
    ] = False,
    debug: Annotated[
        bool,
        typer.Option(
            "--debug",
            envvar=DEBUG_VARIABLE,
            help="Log everything, and show where errors come from.",
            is_eager=True,
        ),
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version),
    ] = False,
) -> None:
    session_of(context)


app.command("run")(bot.run)
app.command("worker")(bot.worker)
plugins_app = typer.Typer(context_settings={"help_option_names": ["-h", "--help"]})
plugins_app.callback(invoke_without_command=True)(plugins.plugins)
plugins_app.command("install")(plugins.install)
plugins_app.command("uninstall")(plugins.uninstall)
app.add_typer(plugins_app, name="plugins")
app.command("settings")(settings.settings)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the program; always ends in SystemExit: 0, 1 (failed), 2 (usage) or 130 (Ctrl-C)."""
    is_read = prepare_streams()
    words = sys.argv[1:] if arguments is None else list(arguments)
    debug = "--debug" in words or bool(os.environ.get(DEBUG_VARIABLE))
    is_completing = COMPLETION_VARIABLE in os.environ
    with _silence() if is_completing else contextlib.nullcontext():
        try:
            with contained_program():
                app(args=words, prog_name="impasto")
        except Exception as error:
            if debug:
                raise
            typer.echo(_sentence(error), err=is_read)
            sys.exit(1)


def _silence() -> contextlib.AbstractContextManager[object]:
    """What is said would stand in the line that somebody types."""
    return contextlib.redirect_stderr(io.StringIO())


def _sentence(error: Exception) -> str:
    """What went wrong, for a person at a terminal."""
    from impasto.logs import scrub

    if isinstance(error, ImpastoError):
        return scrub(f"impasto: {error}")
    return scrub(f"impasto: {described(error)} (run `impasto --debug ...` to see where)")
