"""Who may import whom, as the design says; and what a running bot does not load."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLUGINS = ROOT / "plugins"
NAMES = sorted(path.stem for path in PLUGINS.iterdir() if path.stem.startswith("impasto_"))
PAINTING_PLUGINS = {
    "impasto_adam",
    "impasto_cpu",
    "impasto_cuda",
    "impasto_lbfgs",
    "impasto_networks",
    "impasto_preprocess",
    "impasto_simplify",
}


def test_the_contracts_of_import_linter_hold() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def imported_by(plugin: str) -> set[str]:
    """Full names of all modules that a plugin's files import, at any depth of indentation, but
    for those that only type checkers see."""
    package = PLUGINS / plugin
    files = package.rglob("*.py") if package.is_dir() else [package.with_suffix(".py")]
    names: set[str] = set()
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                node.body = []
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names.add(node.module or "")
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("plugin", NAMES)
def test_a_plugin_imports_no_other_plugin(plugin: str) -> None:
    others = {name.partition(".")[0] for name in imported_by(plugin)} & set(NAMES) - {plugin}
    assert others == set()


# The command `paint` paints in its own process, in which no bot runs.
@pytest.mark.parametrize("plugin", sorted(set(NAMES) - PAINTING_PLUGINS - {"impasto_paint"}))
def test_a_plugin_of_the_bot_needs_no_torch(plugin: str) -> None:
    imported = imported_by(plugin)
    assert not {"torch", "torchvision"} & {name.partition(".")[0] for name in imported}
    assert not [name for name in imported if name.startswith("impasto.painting")]


@pytest.mark.parametrize("plugin", sorted(PAINTING_PLUGINS))
def test_a_plugin_of_the_painting_process_needs_no_aiogram(plugin: str) -> None:
    assert "aiogram" not in {name.partition(".")[0] for name in imported_by(plugin)}


def loaded_after(program: str) -> set[str]:
    """Top-level modules in a fresh interpreter that has run `program`."""
    script = f"{program}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


@pytest.mark.slow
def test_importing_the_bot_does_not_load_torch() -> None:
    modules = (
        "impasto",
        "impasto.cli",
        "impasto.jobs.service",
        "impasto.jobs.worker",
        "impasto_playground",
        "impasto.telegram.app",
        "impasto_dialog",
        "impasto_networks",
        "impasto_paint.paint",
        "impasto_paint.sheet",
        "impasto_sqlite",
    )
    assert not {"torch", "torchvision"} & loaded_after(f"import {', '.join(modules)}")


@pytest.mark.slow
def test_loading_the_bots_plugins_loads_no_torch_and_no_playground() -> None:
    """Of the playground only what names its command."""
    program = """
import sys
from impasto.contracts import Presenter, StylePreset
from impasto.hookspecs import BOT_GROUP
from impasto.plugins import PluginHost
from impasto.settings import Settings
host = PluginHost(BOT_GROUP, Settings(), strict=True).load()
presets = host.collect("impasto_styles", StylePreset, settings=host.settings)
host.collect("impasto_presenters", Presenter, settings=host.settings, presets=presets)
list(host.call("impasto_routers", settings=host.settings))
host.check_strict()
assert "playground" in [record.name for record in host.active]
assert not [name for name in sys.modules if name.startswith("impasto_playground.")]
"""
    loaded = loaded_after(program)
    assert {"aiogram", "impasto_playground"} <= loaded, "this was the bot"
    assert not {"torch", "torchvision"} & loaded


@pytest.mark.slow
def test_painting_does_not_load_aiogram_nor_torchvision() -> None:
    program = """
from impasto.painting.catalogue import load_catalogue
from impasto.settings import Settings
load_catalogue(Settings(), strict=True)
"""
    loaded = loaded_after(program)
    assert "torch" in loaded, "this was the painting process"
    assert not {"aiogram", "torchvision"} & loaded
