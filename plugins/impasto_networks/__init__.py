"""The feature networks of `weights/weights.toml`, and commands to get and check them.

In both groups: the painting process is offered the networks, the command line the command. So
torch is imported inside functions only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from impasto import Finding, hookimpl
from impasto.settings import AUTO, EMBEDDED_NETWORK
from impasto_networks.manifest import NetworkFile, network_files, problem_of

if TYPE_CHECKING:
    import typer

    from impasto.settings import Settings


@hookimpl
def impasto_networks(settings: Settings) -> list[NetworkFile]:
    return network_files(settings.state_dir)


@hookimpl
def impasto_checks(settings: Settings) -> list[Finding]:
    """The files of networks that are here, compared with their digests."""
    wanted = settings.painting.network
    used = EMBEDDED_NETWORK if wanted == AUTO else wanted
    return [
        _checked(network, is_used=network.name == used)
        for network in network_files(settings.state_dir)
        if network.path.is_file() or network.name == used
    ]


def _checked(network: NetworkFile, *, is_used: bool) -> Finding:
    name = f"network {network.name}"
    problem = problem_of(network) or network.why_not()
    if problem is None:
        return Finding.ok(name, "the file is the one on record")
    remedy = f"`impasto weights fetch {network.name}`" if network.entry.source else "pip"
    make = Finding.problem if is_used else Finding.warning
    return make(name, problem, f"get it anew with {remedy}")


@hookimpl
def impasto_commands(cli: typer.Typer) -> None:
    from impasto_networks.commands import weights

    cli.add_typer(weights, name="weights")
