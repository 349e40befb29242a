"""What painting finds on this machine: `python -m impasto.painting probe`.

`impasto doctor` starts it, as it must not load torch itself. It reads a Probe from standard input
and writes a Probed to standard output, after an Entered for each plugin whose code has run.
"""

from __future__ import annotations

import sys

import torch

from impasto.contracts import Device
from impasto.errors import ImpastoError
from impasto.logs import configure_logging
from impasto.memory import MEGABYTE, memory_for_painting, return_free_memory
from impasto.messages import Probe, Probed
from impasto.painting.catalogue import Catalogue, load_catalogue
from impasto.painting.network import Network
from impasto.painting.process.progress import speaking
from impasto.painting.strips.plan import most_pixels
from impasto.painting.threads import thread_count
from impasto.settings import AUTO, Settings

SQUARE = 1.0
"""Aspect ratio: other pictures of the same number of pixels take a little more or less memory."""


def probe(question: Probe) -> Probed:
    """Loads all that painting needs, as the painting process does, and paints nothing."""
    settings = Settings.model_validate(question.settings)
    configure_logging(settings.log)
    failed_plugins: dict[str, str] = {}
    try:
        catalogue = load_catalogue(settings)
        failed_plugins = catalogue.host.failed
        device = catalogue.device(settings.painting.device)
        network = catalogue.network(settings.painting.network, device)
        catalogue.optimizer(settings.painting.optimizer)
    except ImpastoError as error:
        return Probed(torch=torch.__version__, problem=str(error), failed_plugins=failed_plugins)
    why_not_fine = catalogue.why_not_fine()
    auto_mb: int | None = None
    fitting_pixels: dict[int, int] = {}
    if device.torch_device().type == "cpu":
        return_free_memory()
        auto_mb = _auto_mb(settings)
        budgets = {mb for mb in (*question.budgets, auto_mb) if mb is not None}
        fitting_pixels = {mb: _fitting(catalogue, network, device.name, mb) for mb in budgets}
    return Probed(
        torch=torch.__version__,
        failed_plugins=failed_plugins,
        device=device.name,
        unusable_devices=_unusable_devices(catalogue, device),
        precision=str(device.feature_dtype()).removeprefix("torch."),
        threads=thread_count(),
        network=network.name,
        why_not_fine=why_not_fine,
        optimizer=settings.painting.optimizer,
        auto_mb=auto_mb,
        fitting_pixels=fitting_pixels,
    )


def _unusable_devices(catalogue: Catalogue, used: Device) -> dict[str, str]:
    reasons = {name: device.why_not() for name, device in catalogue.devices.items()}
    return {name: why for name, why in reasons.items() if why and name != used.name}


def _auto_mb(settings: Settings) -> int | None:
    share = memory_for_painting() if settings.painting.memory_mb == AUTO else None
    return None if share is None else share // MEGABYTE


def _fitting(catalogue: Catalogue, network: Network, device_name: str, megabytes: int) -> int:
    """Pixels of the largest picture where `painting.memory_mb` is `megabytes`: the device is made
    anew with that setting, and asked."""
    host = catalogue.host
    painting = host.settings.painting.model_copy(update={"memory_mb": megabytes})
    settings = host.settings.model_copy(update={"painting": painting})
    devices = host.collect("impasto_devices", Device, settings=settings)
    device = next(device for device in devices if device.name == device_name)
    return most_pixels(network, SQUARE, device.memory(), device.strip_bytes()) or 0


def main() -> int:
    question = Probe.model_validate_json(sys.stdin.buffer.read())
    with speaking() as say:
        say(probe(question))
    return 0
