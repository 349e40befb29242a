"""From torchvision's checkpoint to a network file: download, slice, describe, save."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from impasto.errors import NotAvailable, WeightsError
from impasto_networks.checkpoints import read_features
from impasto_networks.download import ShowProgress, check_hash, download
from impasto_networks.manifest import NetworkFile, sha256_of

if TYPE_CHECKING:
    import torch

METADATA_KEY = "impasto"
FORMAT = 1


def fetch(
    network: NetworkFile, show: ShowProgress, *, copy: Path | None = None, keep: bool = False
) -> None:
    """Makes the network's file.

    Args:
        network: one with a source.
        show: is told how far the download is.
        copy: the source's checkpoint where it is on this machine already; it is not changed.
        keep: leave the downloaded checkpoint beside the network's file.

    Raises:
        NotAvailable: the network comes with the program.
        WeightsError: the download failed, or the checkpoint is not what it should be.
    """
    source, through = network.entry.source, network.entry.through
    if source is None or through is None:
        raise NotAvailable(
            "network", network.name, [], "it comes with impasto: no need to fetch it"
        )
    try:
        if copy is not None:
            if not copy.is_file():
                raise WeightsError(f"there is no file {copy}")
            check_hash(copy, copy.name)
            _save(network, read_features(copy, through))
            return
        url = source_url(source)
        checkpoint = network.path.with_name(url.rpartition("/")[2])
        if checkpoint.is_file():
            check_hash(checkpoint, checkpoint.name)
        else:
            download(url, checkpoint, show)
        _save(network, read_features(checkpoint, through))
        if not keep:
            checkpoint.unlink()
    except OSError as error:
        raise WeightsError(f"{network.path} cannot be made: {error.strerror or error}") from None


def source_url(source: str) -> str:
    """The address of torchvision's weights by their name, as `VGG19_Weights.IMAGENET1K_V1`."""
    from impasto.painting.torchvision_import import import_torchvision

    collection, _, member = source.partition(".")
    weights = getattr(import_torchvision().models, collection)[member]
    return str(weights.url)


def _save(network: NetworkFile, tensors: dict[str, torch.Tensor]) -> None:
    """Writes the network's file and its digest, each in one step."""
    from safetensors.torch import save_file

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
