"""The pages about plugins are complete and current, and what they tell is so."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from string import Template
from types import ModuleType

import pytest

import impasto
from impasto import PaintOptions, PictureContext, Preprocessor, hookspecs
from impasto.hookspecs import PAINTING_GROUP
from impasto.plugins import PluginHost
from impasto.settings import Settings
from impasto.testing import conformance, make_photo
from impasto_authors import Kind

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
TEMPLATES = ROOT / "plugins" / "impasto_authors" / "templates" / "kinds"
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


def test_reference_and_list_are_current(program: ModuleType) -> None:
    for name, current in (
        ("reference.md", program.reference()),
        ("list.md", program.plugin_list()),
    ):
        written = (FOLDER / name).read_text(encoding="utf-8")
        assert written == current, "run: python docs/make_plugin_docs.py"


def test_the_reference_has_everything_once(program: ModuleType) -> None:
    described = [name for names in program.GROUPS.values() for name in names.split()]
    assert sorted(described) == sorted(impasto.__all__)


@pytest.mark.parametrize(
    "name", [name for name in impasto.__all__ if isinstance(getattr(impasto, name), type)]
)
def test_every_member_is_described(program: ModuleType, name: str) -> None:
    assert inspect.getdoc(getattr(impasto, name))
    assert [member.name for member in program.members_of(name) if not member.doc] == []


def imports_in(code: str) -> Iterator[tuple[str, str]]:
    """Module and name of what is imported from impasto."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "impasto":
            yield from ((str(node.module), alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            yield from ((name, "") for name in names if name.startswith("impasto."))


def shown_code() -> Iterator[tuple[str, str]]:
    """What authors are shown, by where it stands: blocks of the pages, and the templates."""
    for page in [*PAGES, ROOT / "README.md"]:
        for language, code in BLOCK.findall(page.read_text(encoding="utf-8")):
            if language == "python":
                yield page.name, code
    for template in TEMPLATES.glob("*.py.txt"):
        text = Template(template.read_text(encoding="utf-8")).safe_substitute(module="mine")
        yield template.name, text


def test_what_authors_are_shown_uses_stable_modules_only() -> None:
    """The list is that of deprecation.md; where one has `__all__`, its public names are those."""
    page = (FOLDER / "deprecation.md").read_text(encoding="utf-8")
    stable = set(re.findall(r"^\| `(impasto[\w.]*)` \|", page, re.MULTILINE))
    assert "impasto" in stable
    for module in stable:
        importlib.import_module(module)
    used = {
        (where, module, name)
        for where, code in shown_code()
        if is_python(code)
        for module, name in imports_in(code)
    }
    assert len(used) > 50
    for where, module, name in used:
        assert module in stable, f"{where} imports {name} from {module}"
        public = getattr(importlib.import_module(module), "__all__", None)
        assert public is None or name in public, f"{where}: {module}.{name}"


def is_python(code: str) -> bool:
    """Whether it is whole: signatures alone are not."""
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


def test_what_can_be_imported_is_what_type_checkers_see() -> None:
    tree = ast.parse(Path(impasto.__file__).with_suffix(".pyi").read_text("utf-8"))
    seen = {
        alias.asname: node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert {*seen, "hookimpl"} == set(impasto.__all__)
    for name, module in seen.items():
        assert getattr(impasto, name) is getattr(importlib.import_module(module), name)


def test_importing_impasto_imports_nothing_heavy() -> None:
    program = (
        "import impasto, sys; print(*{'torch', 'aiogram', 'pydantic', 'PIL'} & {*sys.modules})"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == []


def test_each_hook_has_a_page() -> None:
    pages = {path.stem for path in (FOLDER / "hooks").glob("impasto_*.md")}
    assert pages == set(hookspecs.HOOKS)


def test_each_page_says_what_to_return_and_how_it_is_tested(program: ModuleType) -> None:
    for hook in hookspecs.HOOKS:
        page = program.pages()[f"{hook}.md"]
        assert re.search(r"[Rr]eturn", page)
        assert "from impasto.testing.conformance import " in page
        assert "Built-in plugins that have it: [" in page


def test_the_page_about_the_kit_has_every_suite_with_its_fixture(program: ModuleType) -> None:
    text = (FOLDER / "testing.md").read_text(encoding="utf-8")
    for hook, name in conformance.SUITES.items():
        fixture, _ = program.fixture_of(getattr(conformance, name))
        [row] = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
        assert f"[`{hook}`](hooks/{hook}.md)" in row
        assert f"| `{fixture}` |" in row


def test_the_first_page_names_every_kind() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    named = {word for row in rows for word in re.findall(r"`(\w+)`", row)}
    assert {*Kind} <= named


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


def test_the_example_of_settings_works(tmp_path: Path) -> None:
    write_files("hooks/impasto_settings.md", tmp_path)
    sections = tomllib.loads((tmp_path / "impasto.toml").read_text(encoding="utf-8"))["plugins"]
    sections |= {"folder": tmp_path / sections["folder"], "allow": ["rotate"]}
    settings = Settings.model_validate({"plugins": sections})
    host = PluginHost(PAINTING_GROUP, settings, strict=True).load()
    [rotate] = host.collect("impasto_preprocessors", Preprocessor, settings=settings)
    context = PictureContext(role="style", options=PaintOptions())
    photo = make_photo()
    assert rotate(photo, context) == photo.rotate(180)
    assert rotate.roles == {"style"}


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
    assert "plugins.crisp.percent" in printed
    assert " passed" in printed
    for plugin in ("surprise", "crisp", "broad", "bold"):
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
