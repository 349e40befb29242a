"""Tests that any implementation of a hook must pass: inherit them, and say what is tested.

from impasto.testing.conformance import OptimizerConformance

class TestMomentum(OptimizerConformance):
    @pytest.fixture
    def optimizer(self):
        return Momentum()

Some of them are coroutines: pytest runs these with `asyncio_mode = "auto"` (pytest-asyncio).
"""

from __future__ import annotations

from typing import Final

from impasto.lazy import lazy_names

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

# Those of painting plugins need torch.
__all__, __getattr__ = lazy_names(__name__)
