"""`impasto weights list`, `fetch` and `verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from impasto.cli import session_of
from impasto.errors import NotAvailable, WeightsError
from impasto_networks.manifest import NetworkFile, network_files, problem_of

weights = typer.Typer(help="List, fetch and check feature networks.", no_args_is_help=True)


@weights.command("list")
def list_networks(context: typer.Context) -> None:
    """List all networks that plugins offer, and whether they are here."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from impasto.contracts import NetworkSource
    from impasto.hookspecs import PAINTING_GROUP
    from impasto.plugins import PluginHost

    session = session_of(context)
    settings = session.settings
    host = PluginHost(PAINTING_GROUP, settings, strict=session.strict).load()
    table = Table("name", "status", "what", box=box.SIMPLE_HEAD)
    for network in host.collect("impasto_networks", NetworkSource, settings=settings):
        status = network.why_not() or "ready"
        table.add_row(network.name, status, network.description)
    Console().print(table)


@weights.command()
def fetch(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="As `impasto weights list` names it.")],
    copy: Annotated[
        Path | None,
        typer.Option("--from", help="A copy of the checkpoint; nothing is downloaded then."),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the downloaded checkpoint.")] = False,
) -> None:
    """Get a network: download torchvision's checkpoint, keep the layers that are needed."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    from impasto_networks.fetching import fetch as fetch_network

    network = _named(context, name)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(network.name, total=None)
        fetch_network(
            network,
            lambda done, total: bar.update(task, completed=done, total=total),
            copy=copy,
            keep=keep,
        )
    typer.echo(f"{name}: {network.path}")


@weights.command()
def verify(context: typer.Context) -> None:
    """Compare the networks' files with the digests on record."""
    wrong = []
    for network in network_files(session_of(context).settings.state_dir):
        problem = problem_of(network)
        if problem is not None:
            wrong.append(network.name)
            typer.echo(f"{network.name}: {problem}")
        elif network.why_not() is None:
            typer.echo(f"{network.name}: ok")
        else:
            typer.echo(f"{network.name}: not here; {network.why_not()}")
    if wrong:
        raise WeightsError(f"not as they should be: {', '.join(wrong)}")


def _named(context: typer.Context, name: str) -> NetworkFile:
    networks = {n.name: n for n in network_files(session_of(context).settings.state_dir)}
    if name not in networks:
        raise NotAvailable("network", name, list(networks))
    return networks[name]
