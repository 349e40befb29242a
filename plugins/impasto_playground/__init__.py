"""A Bot API server on this machine and a chat page: the bot with no token and no account.

`impasto play` runs the bot there. The names below are loaded when they are first used: a bot that
runs on Telegram has this plugin too, and needs only the name of its command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from impasto import hookimpl
from impasto.lazy import lazy_names

if TYPE_CHECKING:
    import typer

__all__, __getattr__ = lazy_names(__name__)


@hookimpl
def impasto_commands(cli: typer.Typer) -> None:
    from impasto_playground.play import play

    cli.command("play")(play)
