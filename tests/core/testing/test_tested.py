"""Which broken plugins fail a test, and which are only told."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from impasto.errors import PluginsFailed
from impasto.hookspecs import BOT_GROUP
from impasto.plugins import PluginHost, PluginRecord
from impasto.settings import Settings
from impasto.testing.factories import check_tested


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PluginHost:
    """As in the tests of a project `impasto-mine`."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "impasto-mine"\n')
    monkeypatch.chdir(tmp_path / "tests")
    return PluginHost(BOT_GROUP, Settings())


def broken(origin: str) -> PluginRecord:
    return PluginRecord(name="broken", version="1", origin=origin, error="on purpose")


@pytest.mark.parametrize("origin", ["impasto-mine", "given", "built-in", "/somewhere/mine.py"])
def test_one_that_the_test_is_about_fails_it(host: PluginHost, origin: str) -> None:
    host.records.append(broken(origin))
    with pytest.raises(PluginsFailed, match=r"broken .*: on purpose"):
        check_tested(host)


def test_another_that_is_installed_is_told(host: PluginHost) -> None:
    host.records.append(broken("impasto-others"))
    told = r"an installed plugin does not work: broken \(impasto-others\): on purpose"
    with pytest.warns(UserWarning, match=told):
        check_tested(host)


def test_working_ones_are_not_mentioned(host: PluginHost) -> None:
    host.records.append(PluginRecord(name="fine", version="1", origin="impasto-others"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_tested(host)
