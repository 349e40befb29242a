"""A bot none of whose parts is built in that can be replaced; run in an environment where the
replacements are installed, by test_replacements.py."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import impasto_patient
import impasto_steepest
import impasto_stripes
import impasto_terse
import pytest

from impasto import NetworkSource, Optimizer, Presenter
from impasto.contracts import JobQueue
from impasto.testing import App, Chat, conformance

REPLACED = ["dialog", "lbfgs", "adam", "networks", "tiny_network", "local_queue"]


@pytest.fixture
def impasto_settings() -> dict[str, Any]:
    return {
        "plugins": {"deny": REPLACED},
        "queue": {"kind": "patient"},
        "painting": {"optimizer": "steepest", "network": "stripes"},
    }


async def test_a_bot_of_replacements_paints(impasto_app: App, chat: Chat) -> None:
    assert {r.name for r in impasto_app.plugins.active}.isdisjoint(REPLACED)
    await chat.send_text("/start")
    assert "A photo, please." in await chat.reply()
    await chat.send_photo()
    assert (await chat.painting()).size == (73, 55)
    assert "Done." in chat.replies()[-1]
    assert "Here." in chat.replies()[-2]


class TestTerse(conformance.DialogConformance):
    @pytest.fixture
    def plugin(self) -> ModuleType:
        return impasto_terse


class TestTersePresenter(conformance.PresenterConformance):
    @pytest.fixture
    def presenter(self) -> Presenter:
        return impasto_terse.Terse()


class TestSteepest(conformance.OptimizerConformance):
    @pytest.fixture
    def optimizer(self) -> Optimizer:
        return impasto_steepest.Steepest()


class TestStripes(conformance.NetworkConformance):
    @pytest.fixture
    def network(self) -> NetworkSource:
        return impasto_stripes.Stripes()


class TestPatient(conformance.QueueConformance):
    @pytest.fixture
    def queue(self) -> JobQueue:
        return impasto_patient.Patient()
