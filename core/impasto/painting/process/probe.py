"""What painting finds on this machine: `python -m impasto.painting probe`.

`impasto doctor` starts it, as it must not load torch itself. It reads a `Question` from standard
input and writes an `Answer` to standard output, after whatever plugins may have printed there.
"""

from __future__ import annotations

import sys
from typing import Any

import torch
from pydantic import BaseModel, Field

from impasto.contracts import Device
from impasto.errors import ImpastoError
from impasto.memory import return_free_memory
from impasto.painting.catalogue import Catalogue, load_catalogue
from impasto.painting.finish import why_not_fine
from impasto.painting.memory_use import bytes_taken_once_warm, room_within
from impasto.painting.network import Network
from impasto.painting.strips.plan import most_pixels
from impasto.painting.threads import usable_cpus
from impasto.settings import Settings

MEGABYTE = 2**20
SQUARE = 1.0


class Question(BaseModel):
    """The bot's settings without secrets, and amounts of memory, in MB, to be judged."""

    settings: dict[str, Any]
    budgets: list[int] = Field(default_factory=list)


class Answer(BaseModel):
    """What was found; `problem` says why painting would not start."""

    torch: str
    problem: str = ""
    failed_plugins: dict[str, str] = Field(default_factory=dict)
    """Why, by name."""
    device: str = ""
    not_used: dict[str, str] = Field(default_factory=dict)
    """Why other devices cannot be used here, by name."""
    precision: str = ""
    threads: int = 0
    network: str = ""
    why_not_fine: str | None = None
    """Why pictures at the cap cannot be fine."""
    optimizer: str = ""
    device_pixels: int | None = None
    """Pixel cap of the device by the settings."""
    fitting_pixels: dict[int, int] = Field(default_factory=dict)
    """Pixels of the largest picture that fits, by budget; on a CPU only."""


def probe(question: Question) -> Answer:
    """Loads all that painting needs, as the painting process does, and paints nothing."""
    settings = Settings.model_validate(question.settings)
    answer = Answer(torch=torch.__version__)
    try:
        catalogue = load_catalogue(settings)
        answer.failed_plugins = {r.name: r.error for r in catalogue.host.records if r.error}
        device = catalogue.device(settings.painting.device)
        network = catalogue.network(settings.painting.network, device)
        catalogue.optimizer(settings.painting.optimizer)
    except ImpastoError as error:
        answer.problem = str(error)
        return answer
    answer.device = device.name
    answer.not_used = _not_used(catalogue, device)
    answer.precision = str(device.feature_dtype()).removeprefix("torch.")
    answer.threads = settings.painting.threads or usable_cpus()
    answer.network = network.name
    answer.why_not_fine = why_not_fine(catalogue)
    answer.optimizer = settings.painting.optimizer
    answer.device_pixels = device.max_pixels()
    if device.torch_device().type == "cpu":
        return_free_memory()
        answer.fitting_pixels = {mb: _fitting(network, device, mb) for mb in question.budgets}
    return answer


def _not_used(catalogue: Catalogue, used: Device) -> dict[str, str]:
    reasons = {name: device.why_not() for name, device in catalogue.devices.items()}
    return {name: why for name, why in reasons.items() if why and name != used.name}


def _fitting(network: Network, device: Device, megabytes: int) -> int:
    """Square pictures: others of as many pixels take a little more or less."""
    available = room_within(megabytes * MEGABYTE, bytes_taken_once_warm())
    return most_pixels(network, SQUARE, available, device.strip_bytes()) or 0


def main() -> int:
    print(probe(Question.model_validate_json(sys.stdin.read())).model_dump_json())  # noqa: T201
    return 0
