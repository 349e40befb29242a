"""Tests that any implementation of a hook must pass: inherit them, and say what is tested.

from impasto.testing.conformance import OptimizerConformance

class TestMomentum(OptimizerConformance):
    @pytest.fixture
    def optimizer(self):
        return Momentum()
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from impasto.testing.conformance.devices import DeviceConformance
    from impasto.testing.conformance.networks import NetworkConformance
    from impasto.testing.conformance.observers import ObserverConformance
    from impasto.testing.conformance.operating import ChecksConformance, WebRoutesConformance
    from impasto.testing.conformance.optimizers import OptimizerConformance
    from impasto.testing.conformance.pictures import (
        PostprocessorConformance,
        PreprocessorConformance,
    )
    from impasto.testing.conformance.plugins import DialogConformance, PluginConformance
    from impasto.testing.conformance.presenters import PresenterConformance
    from impasto.testing.conformance.queues import QueueConformance
    from impasto.testing.conformance.storages import StorageConformance
    from impasto.testing.conformance.styles import StylesConformance

__all__ = [
    "ChecksConformance",
    "DeviceConformance",
    "DialogConformance",
    "NetworkConformance",
    "ObserverConformance",
    "OptimizerConformance",
    "PluginConformance",
    "PostprocessorConformance",
    "PreprocessorConformance",
    "PresenterConformance",
    "QueueConformance",
    "StorageConformance",
    "StylesConformance",
    "WebRoutesConformance",
]

SUITES: Final = {
    "impasto_checks": "ChecksConformance",
    "impasto_commands": "PluginConformance",
    "impasto_devices": "DeviceConformance",
    "impasto_job_changed": "ObserverConformance",
    "impasto_networks": "NetworkConformance",
    "impasto_optimizers": "OptimizerConformance",
    "impasto_postprocessors": "PostprocessorConformance",
    "impasto_preprocessors": "PreprocessorConformance",
    "impasto_presenters": "PresenterConformance",
    "impasto_queues": "QueueConformance",
    "impasto_routers": "DialogConformance",
    "impasto_settings": "PluginConformance",
    "impasto_storages": "StorageConformance",
    "impasto_styles": "StylesConformance",
    "impasto_telegram_called": "PluginConformance",
    "impasto_web_routes": "WebRoutesConformance",
}
"""The suite for each hook."""

_ELSEWHERE = {
    "ChecksConformance": "operating",
    "DeviceConformance": "devices",
    "DialogConformance": "plugins",
    "NetworkConformance": "networks",
    "ObserverConformance": "observers",
    "OptimizerConformance": "optimizers",
    "PluginConformance": "plugins",
    "PostprocessorConformance": "pictures",
    "PreprocessorConformance": "pictures",
    "PresenterConformance": "presenters",
    "QueueConformance": "queues",
    "StorageConformance": "storages",
    "StylesConformance": "styles",
    "WebRoutesConformance": "operating",
}


def __getattr__(name: str) -> Any:
    if name not in _ELSEWHERE:
        raise AttributeError(f"module 'impasto.testing.conformance' has no attribute {name!r}")
    module = importlib.import_module(f"impasto.testing.conformance.{_ELSEWHERE[name]}")
    return getattr(module, name)
