"""The pages about plugins are complete and current, and what they tell is so."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from impasto import hookspecs
from impasto.testing import make_photo

from ..environments import ROOT, environment
from .not_run import exception_for
from .pages import (
    commands_in_blocks,
    commands_in_text,
    programs,
    run_script,
    variables_with,
    write_program,
)

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
    named = re.findall(r"`(tests/\S+\.py)::(?:\w+::)?(\w+)`", text)
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


@pytest.mark.slow
def test_the_tutorial_can_be_followed(tmp_path: Path) -> None:
    """Every file is written as it stands there, every command run in its order, then those in the
    text."""
    page = FOLDER / "tutorial.md"
    folder = tmp_path / "reader"
    folder.mkdir()
    write_files("tutorial.md", folder)
    make_photo(64, 48).save(folder / "photo.jpg")
    in_text = [c for c in commands_in_text(page) if not exception_for(c)]
    assert any("-o out.png" in command for command in in_text)
    commands = [*commands_in_blocks(page), *in_text]
    variables = variables_with(programs(tmp_path / "bin"))
    printed = run_script("\n".join(commands), folder, variables)
    assert "red_and_blue" in printed
    assert "plugins.crisp.percent" in printed
    assert " passed" in printed
    for plugin in ("postcards", "crisp", "bold"):
        assert re.search(rf"{plugin}.*active", printed)
    assert (folder / "out.png").is_file()


@pytest.mark.slow
def test_five_minutes_are_enough(tmp_path: Path) -> None:
    """The commands of the first page, in an environment where pip downloads nothing."""
    python = environment(tmp_path / "venv", with_impasto=True)
    folder = programs(tmp_path / "bin", python)
    offline = "--no-deps --no-build-isolation --quiet --disable-pip-version-check"
    write_program(
        folder / "pip", f'#!/bin/sh\nshift\nexec {python} -m pip install {offline} "$@"\n'
    )
    write_program(folder / "pytest", f'#!/bin/sh\nexec {python} -m pytest "$@"\n')
    script = "\n".join(commands_in_blocks(FOLDER / "README.md"))
    assert " passed" in run_script(script, tmp_path, variables_with(folder))


@pytest.mark.slow
def test_the_page_about_the_kit_is_a_test_itself(tmp_path: Path) -> None:
    write_files("testing.md", tmp_path)
    command = "pytest -q -p no:cacheprovider -o asyncio_mode=auto"
    variables = variables_with(programs(tmp_path / "bin"))
    assert " passed" in run_script(command, tmp_path, variables)
