"""A Bot API server on this machine and a chat page: the bot with no token and no account.

`impasto play` runs the bot there. The names below are loaded when they are first used: a bot that
runs on Telegram has this plugin too, and needs only the name of its command.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from impasto import hookimpl

if TYPE_CHECKING:
    import typer

    from impasto_playground.faults import Fault, FaultKind
    from impasto_playground.person import Person
    from impasto_playground.server import Playground

__all__ = ["Fault", "FaultKind", "Person", "Playground"]

_MODULES = {"Fault": "faults", "FaultKind": "faults", "Person": "person", "Playground": "server"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


@hookimpl
def impasto_commands(cli: typer.Typer) -> None:
    from impasto_playground.play import play

    cli.command("play")(play)
