"""The feature networks of `weights/weights.toml`, and `impasto weights` to get and check them.

In both groups: the painting process is offered the networks, the command line the command. So
torch is imported inside functions only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from impasto import hookimpl
from impasto_networks.manifest import NetworkFile, network_files

if TYPE_CHECKING:
    import typer

    from impasto.settings import Settings


@hookimpl
def impasto_networks(settings: Settings) -> list[NetworkFile]:
    return network_files(settings.state_dir)


@hookimpl
def impasto_commands(cli: typer.Typer) -> None:
    from impasto_networks.commands import weights

    cli.add_typer(weights, name="weights")
