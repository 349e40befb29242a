"""Painting plugins that fail when they are asked: named, and passed over where that is possible."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from structlog.testing import capture_logs

from impasto.contracts import Device, NetworkSource
from impasto.errors import NotAvailable, PluginError
from impasto.hookspecs import PAINTING_GROUP
from impasto.painting.catalogue import Catalogue
from impasto.settings import Settings
from impasto.testing.tiny_network import TinyNetwork
from impasto_cpu import Cpu

from .plugin_bench import Plugin, host_with


class Fine(Cpu):
    """A device that works; subclasses break."""

    name = "fine"
    order = 2

    def __init__(self) -> None:
        super().__init__(max_pixels=4096, memory_mb=0)


class Raises(Fine):
    name = "raises"
    order = 1

    def why_not(self) -> str | None:
        raise OSError("no driver")


class Unplugged(Fine):
    name = "unplugged"

    def torch_device(self) -> torch.device:
        raise OSError("unplugged")


def toolbox_with(devices: list[Any] | None = None, network: Any = None) -> Catalogue:
    def impasto_devices(settings: Settings) -> list[Device]:
        return devices or [Fine()]

    def impasto_networks(settings: Settings) -> list[NetworkSource]:
        return [network or TinyNetwork()]

    plugin = Plugin(impasto_devices=impasto_devices, impasto_networks=impasto_networks)
    return Catalogue(host_with(group=PAINTING_GROUP, theirs=plugin))


def test_a_device_that_raises_is_passed_over_by_auto() -> None:
    catalogue = toolbox_with([Raises(), Fine()])
    with capture_logs() as logged:
        assert catalogue.device("auto").name == "fine"
    [failed] = logged
    assert (failed["plugin"], failed["problem"]) == ("theirs", "raises: OSError: no driver")


def test_who_asks_for_it_by_name_is_told_whose_it_is() -> None:
    with pytest.raises(NotAvailable, match="plugin 'theirs': raises: OSError: no driver"):
        toolbox_with([Raises()]).device("raises")


def test_a_device_that_fails_when_it_is_used_is_its_plugins_fault() -> None:
    catalogue = toolbox_with([Unplugged()])
    with pytest.raises(PluginError, match="unplugged: OSError: unplugged") as caught:
        catalogue.network("tiny", catalogue.device("unplugged"))
    assert caught.value.plugin == "theirs"


@pytest.mark.parametrize(
    ("load", "problem"),
    [
        (lambda: 1 / 0, "tiny: ZeroDivisionError: division by zero"),
        (lambda: "vgg", "the network 'tiny' must load a Network, not 'vgg'"),
    ],
)
def test_a_network_that_cannot_be_loaded_is_its_plugins_fault(load: Any, problem: str) -> None:
    network = TinyNetwork()
    network.load = load  # type: ignore[method-assign]
    catalogue = toolbox_with(network=network)
    with pytest.raises(PluginError, match=problem):
        catalogue.network("tiny", catalogue.device("auto"))


def test_too_little_memory_is_nobodys_fault() -> None:
    network = TinyNetwork()

    def load() -> Any:
        raise MemoryError

    network.load = load  # type: ignore[method-assign]
    catalogue = toolbox_with(network=network)
    with pytest.raises(MemoryError):
        catalogue.network("tiny", catalogue.device("auto"))
