"""The feature networks of `weights/weights.toml`, and commands to get and check them.

In both groups: the painting process is offered the networks, the command line the command. So
torch is imported inside functions only.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from impasto import Finding, data_folders, hookimpl
from impasto.errors import WeightsError
from impasto.settings import AUTO, EMBEDDED_NETWORK

if TYPE_CHECKING:
    import typer

    from impasto.painting.network import Network
    from impasto.settings import Settings

MANIFEST = "weights.toml"
FETCHED_FOLDER = "weights"
"""Below `state_dir`."""


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


class Entry(BaseModel):
    """One network: a table of `weights.toml`.

    A network with a `source` is fetched; one without lies in `weights/` beside the manifest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: Annotated[str, Field(pattern=r"^[\w.-]+\.safetensors$")]
    sha256: Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$")] = None
    """Of the file that comes with the program. A fetched one has its digest beside it instead."""
    description: str
    licence: str
    style_layers: Annotated[list[str], Field(min_length=1)]
    content_layers: Annotated[list[str], Field(min_length=1)]
    source: str | None = None
    """Weights of torchvision, as `VGG19_Weights.IMAGENET1K_V1`."""
    through: Annotated[str | None, Field(pattern=r"^features\.\d+$")] = None
    """The last convolution that is kept of the source."""


@dataclass(frozen=True, slots=True)
class NetworkFile:
    """A network of the manifest, as a NetworkSource."""

    name: str
    entry: Entry
    path: Path

    @property
    def description(self) -> str:
        return self.entry.description

    @property
    def digest_path(self) -> Path:
        """A file as `sha256sum` writes and reads it, made when a network is fetched."""
        return self.path.with_name(self.path.name + ".sha256")

    def why_not(self) -> str | None:
        if self.path.is_file():
            return None
        if self.entry.source is not None:
            return f"fetch it with `impasto weights fetch {self.name}`"
        return f"{self.path} is missing; install impasto again"

    def load(self) -> Network:
        from impasto.painting.network import load_network

        return load_network(self.path, self.name)

    def expected_sha256(self) -> str | None:
        """What the file's digest has to be, if that is known."""
        if self.entry.source is None:
            return self.entry.sha256
        try:
            return self.digest_path.read_text(encoding="ascii").split()[0]
        except (OSError, UnicodeDecodeError, IndexError):
            return None


def read_manifest(path: Path | None = None) -> dict[str, Entry]:
    """All networks of the manifest by name. Raises WeightsError when it cannot be understood."""
    path = path or data_folders.weights_folder() / MANIFEST
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        return {name: Entry.model_validate(table) for name, table in tables.items()}
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise WeightsError(f"{path} cannot be used: {error}") from None


def network_files(state_dir: Path) -> list[NetworkFile]:
    """The manifest's networks with the places of their files, present or not."""
    packaged, fetched = data_folders.weights_folder(), state_dir / FETCHED_FOLDER
    return [
        NetworkFile(name, entry, (fetched if entry.source else packaged) / entry.file)
        for name, entry in read_manifest().items()
    ]


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def problem_of(network: NetworkFile) -> str | None:
    """What is wrong with a network's file; None also when it was never fetched."""
    if not network.path.is_file():
        return None if network.entry.source else str(network.why_not())
    expected, found = network.expected_sha256(), sha256_of(network.path)
    if expected is None:
        return f"{network.path} has no digest on record; fetch it again"
    if expected != found:
        return f"{network.path} has the SHA-256 {found}, and should have {expected}"
    return None
