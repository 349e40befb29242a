"""`impasto weights list`, `fetch` and `verify`.

Every command line loads this module, so torch and torchvision are imported in functions only.
"""

from __future__ import annotations

import functools
import http.client
import importlib
import json
import sys
import urllib.error
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from impasto.cli import print_table, session_of
from impasto.errors import NotAvailable, WeightsError
from impasto_networks import NetworkFile, network_files, problem_of, sha256_of

if TYPE_CHECKING:
    import torch

weights = typer.Typer(
    help="List, fetch and check feature networks.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

_NO_CONNECTION = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)
_MISSING_OPERATOR = "torchvision::nms"
_UNDECLARED_OPERATORS = ("nms", "qnms")
_OPERATOR_SCHEMA = "{}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def _fetchable(context: typer.Context, incomplete: str) -> list[str]:
    networks = network_files(session_of(context).settings.state_dir)
    return [n.name for n in networks if n.entry.source and n.name.startswith(incomplete)]


@weights.command("list")
def list_networks(context: typer.Context) -> None:
    """List all networks, and whether each is installed."""
    from impasto.contracts import NetworkSource
    from impasto.hookspecs import PAINTING_GROUP
    from impasto.plugins import PluginHost

    session = session_of(context)
    settings = session.settings
    host = PluginHost(PAINTING_GROUP, settings, strict=session.strict).load()
    networks = host.collect("impasto_networks", NetworkSource, settings=settings)
    print_table(
        ("name", "status", "what"),
        [(each.name, each.why_not() or "ready", each.description) for each in networks],
    )


@weights.command("fetch")
def fetch_network(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            help="Name of the network, as in `impasto weights list`.",
            metavar="NAME",
            autocompletion=_fetchable,
        ),
    ],
    copy: Annotated[
        Path | None,
        typer.Option("--from", help="A copy of the checkpoint; nothing is downloaded then."),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the downloaded checkpoint.")] = False,
) -> None:
    """Get a network: download torchvision's checkpoint, keep the layers that are needed.

    This takes about 850 MB of memory, as the checkpoint is loaded whole. For a smaller machine,
    fetch on another one, and copy both files in the folder weights of its state_dir to the same
    folder here.
    """
    networks = {n.name: n for n in network_files(session_of(context).settings.state_dir)}
    if name not in networks:
        raise NotAvailable("network", name, list(networks))
    fetch(networks[name], copy=copy, keep=keep)
    typer.echo(f"{name}: {networks[name].path}")


@weights.command()
def verify(context: typer.Context) -> None:
    """Check that the networks' files are undamaged."""
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
        raise WeightsError(f"damaged files: {', '.join(wrong)}")


def fetch(network: NetworkFile, *, copy: Path | None = None, keep: bool = False) -> None:
    """Makes the network's file from torchvision's checkpoint, which is loaded whole.

    Args:
        network: one with a source.
        copy: the source's checkpoint where it is on this machine already; it is not changed.
        keep: leave the downloaded checkpoint beside the network's file.

    Raises:
        NotAvailable: the network comes with the program.
        WeightsError: the download failed, or the checkpoint is not what it should be.
    """
    source, through = network.entry.source, network.entry.through
    if source is None or through is None:
        raise NotAvailable(
            "network", network.name, [], "it comes with Impasto and need not be fetched"
        )
    try:
        if copy is not None:
            _save(network, first_layers(_read(copy), through, copy.name))
            return
        origin = torchvision_weights(source)
        checkpoint = network.path.with_name(origin.url.rpartition("/")[2])
        state = _read(checkpoint) if checkpoint.is_file() else _download(origin, checkpoint)
        _save(network, first_layers(state, through, checkpoint.name))
        if not keep:
            checkpoint.unlink()
    except OSError as error:
        raise WeightsError(f"{network.path} cannot be made: {error.strerror or error}") from None


def first_layers(state: object, through: str, name: str) -> dict[str, torch.Tensor]:
    """The convolutions of VGG-19's state dict up to `through`, as contiguous float32. Raises
    WeightsError where the state dict, of a checkpoint called `name`, has no such convolution."""
    if not isinstance(state, dict) or f"{through}.weight" not in state:
        raise WeightsError(f"{name} has no {through}: it is not torchvision's VGG-19")
    last = int(through.removeprefix("features."))
    return {
        key: value.detach().float().contiguous()
        for key, value in state.items()
        if key.startswith("features.") and int(key.split(".")[1]) <= last
    }


def _download(origin: Any, checkpoint: Path) -> object:
    try:
        return origin.get_state_dict(
            progress=True, check_hash=True, weights_only=True, model_dir=str(checkpoint.parent)
        )
    except _NO_CONNECTION as error:
        why = getattr(error, "reason", None) or error
        raise WeightsError(
            f"{checkpoint.name} cannot be downloaded from {origin.url} ({why}); check the network, "
            "or name a copy of it with --from"
        ) from None
    except RuntimeError as error:  # the hash
        raise WeightsError(f"{checkpoint.name} arrived damaged: {error}; get it again") from None


def _read(checkpoint: Path) -> object:
    """The contents of a checkpoint, whose name says how its SHA-256 begins."""
    import torch

    if not checkpoint.is_file():
        raise WeightsError(f"there is no file {checkpoint}")
    named = torch.hub.HASH_REGEX.search(checkpoint.name)
    if named is not None and not sha256_of(checkpoint).startswith(named[1]):
        raise WeightsError(
            f"{checkpoint.name} is damaged: its SHA-256 does not begin with {named[1]}; "
            "get it again"
        )
    try:
        return torch.load(checkpoint, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # unpickling raises whatever it likes on damaged input
        raise WeightsError(f"{checkpoint} is not a checkpoint of torch: {error}") from None


def _save(network: NetworkFile, tensors: dict[str, torch.Tensor]) -> None:
    """Writes the network's file and its digest, each in one step."""
    from safetensors.torch import save_file

    from impasto.painting.network import FORMAT, METADATA_KEY

    entry = network.entry
    description = {
        "format": FORMAT,
        "name": network.name,
        "style_layers": dict.fromkeys(entry.style_layers, 1.0),
        "content_layers": dict.fromkeys(entry.content_layers, 1.0),
        "source": f"torchvision {entry.source}",
        "licence": entry.licence,
    }
    network.path.parent.mkdir(parents=True, exist_ok=True)
    partial = network.path.with_name(network.path.name + ".partial")
    save_file(tensors, partial, metadata={METADATA_KEY: json.dumps(description)})
    partial.chmod(0o644)  # safetensors makes files that only their owner can read
    digest = sha256_of(partial)
    partial.replace(network.path)
    partial.write_text(f"{digest}  {network.path.name}\n", encoding="ascii")
    partial.replace(network.digest_path)


def torchvision_weights(source: str) -> Any:
    """torchvision's weights by their name, as `VGG19_Weights.IMAGENET1K_V1`."""
    collection, _, member = source.partition(".")
    return getattr(import_torchvision().models, collection)[member]


@functools.cache
def import_torchvision() -> ModuleType:
    """torchvision, also beside a torch that it was not built for.

    A registry's torchvision is built for CUDA. Next to a CPU build of torch its C++ operators do
    not load, and `import torchvision` ends with "operator torchvision::nms does not exist", though
    fetching weights needs no operator. So the two operators that its import looks up are declared
    where they are missing. They stay without an implementation: a call still fails.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if _MISSING_OPERATOR not in str(error):
            raise
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]  # half imported
    for name in _UNDECLARED_OPERATORS:
        _library().define(_OPERATOR_SCHEMA.format(name))  # type: ignore[no-untyped-call]
    return importlib.import_module("torchvision")


@functools.cache
def _library() -> torch.library.Library:
    """Declarations are withdrawn with the object that made them, so it is kept."""
    import torch

    return torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
