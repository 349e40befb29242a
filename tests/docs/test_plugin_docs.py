"""The pages about plugins are complete and current, and what they tell is so."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from impasto import hookspecs

from ..environments import ROOT

FOLDER = ROOT / "docs" / "plugins"
PAGES = sorted(FOLDER.rglob("*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
NAMED = re.compile(r"# (\S+\.(?:py|toml))\n")


@pytest.fixture(scope="module")
def program() -> ModuleType:
    """docs/make_plugin_docs.py"""
    spec = importlib.util.spec_from_file_location(
        "make_plugin_docs", ROOT / "docs" / "make_plugin_docs.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pages_of_hooks_are_current(program: ModuleType) -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in (FOLDER / "hooks").iterdir()}
    current = program.pages()
    stale = [name for name in {*written, *current} if written.get(name) != current.get(name)]
    assert stale == [], "run: python docs/make_plugin_docs.py"


def test_each_hook_has_a_page() -> None:
    pages = {path.stem for path in (FOLDER / "hooks").glob("impasto_*.md")}
    assert pages == set(hookspecs.HOOKS)


def test_each_page_says_what_to_return_and_how_it_is_tested(program: ModuleType) -> None:
    for hook in hookspecs.HOOKS:
        page = program.pages()[f"{hook}.md"]
        assert re.search(r"[Rr]eturn", page)
        assert "impasto.testing.conformance." in page
        assert "Built-in plugins that have it: [" in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", BLOCK.sub("", text)):
        assert target.startswith("http") or (page.parent / target).exists(), target


def test_what_contains_a_plugin_is_tested() -> None:
    text = (FOLDER / "containment.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/\S+\.py)::(\w+)`", text)
    assert len(named) > 20
    for path, name in named:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        functions = ast.FunctionDef | ast.AsyncFunctionDef
        names = {node.name for node in ast.walk(tree) if isinstance(node, functions)}
        assert name in names, f"{path} has no {name}"


def blocks_of(page: str) -> list[tuple[str, str]]:
    """Language and code of the blocks of a page."""
    return BLOCK.findall((FOLDER / page).read_text(encoding="utf-8"))


def write_files(page: str, folder: Path) -> None:
    """Each block whose first line is the name of a file becomes that file."""
    for _, code in blocks_of(page):
        if match := NAMED.match(code):
            path = folder / match[1]
            path.parent.mkdir(exist_ok=True)
            path.write_text(code.removeprefix(match[0]), encoding="utf-8")


def run(command: str, folder: Path) -> str:
    """What a line of a shell block prints, with the programs of this environment."""
    surroundings = {n: v for n, v in os.environ.items() if not n.startswith("IMPASTO_")}
    surroundings["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    result = subprocess.run(
        ["sh", "-ec", command],
        cwd=folder,
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
    return result.stdout


@pytest.mark.slow
def test_the_tutorial_can_be_followed(tmp_path: Path) -> None:
    """Every file is written as it stands there, every command run in its order."""
    write_files("tutorial.md", tmp_path)
    commands = [code for language, code in blocks_of("tutorial.md") if language == "sh"]
    printed = [run(command, tmp_path) for command in commands]
    assert len(printed) == 3
    styles, settings, tests_and_plugins = printed
    assert "red_and_blue" in styles.splitlines()[-2] + styles.splitlines()[-1]
    assert "plugins.crisp.percent" in settings
    assert " passed" in tests_and_plugins
    for plugin in ("postcards", "crisp", "bold"):
        assert re.search(rf"{plugin}.*active", tests_and_plugins)


@pytest.mark.slow
def test_the_page_about_the_kit_is_a_test_itself(tmp_path: Path) -> None:
    write_files("testing.md", tmp_path)
    assert " passed" in run("pytest -q -p no:cacheprovider -o asyncio_mode=auto", tmp_path)
