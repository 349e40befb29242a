"""Tests that any implementation of a hook must pass: inherit them, and say what is tested.

from impasto.testing.conformance import OptimizerConformance

class TestMomentum(OptimizerConformance):
    @pytest.fixture
    def optimizer(self):
        return Momentum()

Some of them are coroutines: pytest runs these with `asyncio_mode = "auto"` (pytest-asyncio).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from impasto.testing.conformance.bot import (
        ChecksConformance,
        DialogConformance,
        ObserverConformance,
        PluginConformance,
        PresenterConformance,
        StylesConformance,
        WebRoutesConformance,
    )
    from impasto.testing.conformance.painting import (
        DeviceConformance,
        NetworkConformance,
        OptimizerConformance,
        PostprocessorConformance,
        PreprocessorConformance,
    )
    from impasto.testing.conformance.storage import QueueConformance, StorageConformance

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
    "impasto_chat_commands": "DialogConformance",
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
    "DeviceConformance": "painting",
    "NetworkConformance": "painting",
    "OptimizerConformance": "painting",
    "PostprocessorConformance": "painting",
    "PreprocessorConformance": "painting",
    "QueueConformance": "storage",
    "StorageConformance": "storage",
}
"""The modules of suites that are not in `bot`; those of painting plugins need torch."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'impasto.testing.conformance' has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_ELSEWHERE.get(name, 'bot')}")
    return getattr(module, name)
