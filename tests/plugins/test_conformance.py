"""Our own plugins pass the suites that everybody else's can be held to."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from aiohttp.web import AbstractRouteDef

import impasto_adam
import impasto_cpu
import impasto_cuda
import impasto_dialog
import impasto_lbfgs
import impasto_log_jobs
import impasto_metrics
import impasto_networks
import impasto_preprocess
import impasto_simplify
import impasto_styles
from impasto import hookspecs
from impasto.contracts import (
    Device,
    Finding,
    JobQueue,
    NetworkSource,
    Optimizer,
    Preprocessor,
    Presenter,
    Storage,
    StylePreset,
)
from impasto.settings import Settings
from impasto.testing import conformance, tiny_network
from impasto_dialog.presenter import DialogPresenter
from impasto_local_queue import LocalQueue
from impasto_networks import network_files
from impasto_sqlite import SqliteStorage

MODULES = (
    "impasto_adam",
    "impasto_cpu",
    "impasto_cuda",
    "impasto_dialog",
    "impasto_lbfgs",
    "impasto_local_queue",
    "impasto_log_jobs",
    "impasto_metrics",
    "impasto_networks",
    "impasto_playground",
    "impasto_preprocess",
    "impasto_sentry",
    "impasto_simplify",
    "impasto_sqlite",
    "impasto_styles",
)


@pytest.mark.parametrize("hook", hookspecs.HOOKS)
def test_each_hook_has_a_suite(hook: str) -> None:
    assert isinstance(getattr(conformance, conformance.SUITES[hook]), type)


def test_all_suites_are_used_here() -> None:
    used = {base.__name__ for suite in SUITES_HERE for base in suite.__mro__}
    assert set(conformance.SUITES.values()) <= used


class TestPlugins(conformance.PluginConformance):
    @pytest.fixture(params=MODULES)
    def plugin(self, request: pytest.FixtureRequest) -> ModuleType:
        return importlib.import_module(request.param)


class TestDialog(conformance.DialogConformance):
    @pytest.fixture
    def plugin(self) -> ModuleType:
        return impasto_dialog


class TestPresenter(conformance.PresenterConformance):
    @pytest.fixture
    def presenter(self) -> Presenter:
        return DialogPresenter([])


class TestOptimizers(conformance.OptimizerConformance):
    @pytest.fixture(params=["lbfgs", "adam"])
    def optimizer(self, request: pytest.FixtureRequest) -> Optimizer:
        if request.param == "lbfgs":
            return impasto_lbfgs.Lbfgs(history=6)
        return impasto_adam.Adam(learning_rate=0.05)


class TestDevices(conformance.DeviceConformance):
    @pytest.fixture(params=[impasto_cpu, impasto_cuda], ids=["cpu", "cuda"])
    def device(self, request: pytest.FixtureRequest) -> Device:
        [device] = request.param.impasto_devices(settings=Settings())
        return device  # type: ignore[no-any-return]


class TestNetworks(conformance.NetworkConformance):
    @pytest.fixture(params=["embedded", "vgg19", "tiny"])
    def network(self, request: pytest.FixtureRequest, tmp_path: Path) -> NetworkSource:
        sources: dict[str, Any] = {source.name: source for source in network_files(tmp_path)}
        sources["tiny"] = tiny_network.TinyNetwork()
        return sources[request.param]  # type: ignore[no-any-return]


class TestPreprocessors(conformance.PreprocessorConformance):
    @pytest.fixture(params=["exif", "pixel_cap", "brush_size", "color_match", "simplify"])
    def preprocessor(self, request: pytest.FixtureRequest) -> Preprocessor:
        settings = Settings()
        steps = [
            *impasto_preprocess.impasto_preprocessors(settings),
            *impasto_simplify.impasto_preprocessors(settings),
        ]
        return next(step for step in steps if step.name == request.param)


class TestPostprocessors(conformance.PostprocessorConformance):
    @pytest.fixture(params=["one_color", "keep_colors"])
    def postprocessor(self, request: pytest.FixtureRequest) -> Any:
        steps = impasto_preprocess.impasto_postprocessors(settings=Settings())
        return next(step for step in steps if step.name == request.param)


class TestStyles(conformance.StylesConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def styles(cls) -> list[StylePreset]:
        return list(impasto_styles.impasto_styles(settings=Settings()))


class TestQueue(conformance.QueueConformance):
    @pytest.fixture
    def queue(self) -> JobQueue:
        return LocalQueue()

    def test_its_jobs_are_painted_in_the_bots_own_worker(self) -> None:
        assert isinstance(LocalQueue(), JobQueue)
        assert LocalQueue().embedded_worker


class TestStorage(conformance.StorageConformance):
    @pytest.fixture
    def make_storage(self, tmp_path: Path) -> Callable[[], Storage]:
        return lambda: SqliteStorage(tmp_path)


class TestObservers(conformance.ObserverConformance):
    @pytest.fixture(params=[impasto_log_jobs, impasto_metrics], ids=["log_jobs", "metrics"])
    def observer(self, request: pytest.FixtureRequest) -> ModuleType:
        return request.param  # type: ignore[no-any-return]


class TestWebRoutes(conformance.WebRoutesConformance):
    @pytest.fixture
    def routes(self) -> Sequence[AbstractRouteDef]:
        return impasto_metrics.impasto_web_routes(settings=Settings())  # type: ignore[no-any-return]


class TestChecks(conformance.ChecksConformance):
    @pytest.fixture(params=[impasto_metrics, impasto_networks], ids=["metrics", "networks"])
    def findings(self, request: pytest.FixtureRequest) -> Sequence[Finding]:
        return request.param.impasto_checks(settings=Settings())  # type: ignore[no-any-return]


SUITES_HERE = [value for value in vars().values() if isinstance(value, type)]
