"""Writes docs/plugins/hooks/: a page for each hook, from its specification, contract and suite.

Run it after any of these has changed: python docs/make_plugin_docs.py
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from pathlib import Path
from string import Template
from typing import Any

from impasto import contracts, hookspecs
from impasto.testing import conformance

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "plugins" / "hooks"
TEMPLATES = ROOT / "core" / "impasto" / "cli" / "templates" / "kinds"
KINDS = {
    "impasto_devices": "device",
    "impasto_job_changed": "observer",
    "impasto_networks": "network",
    "impasto_optimizers": "optimizer",
    "impasto_postprocessors": "postprocess",
    "impasto_preprocessors": "preprocess",
    "impasto_queues": "queue",
    "impasto_routers": "dialog",
    "impasto_styles": "style",
}
"""Hooks for which `impasto new-plugin` has a template."""
EXAMPLE = {"name": "mine", "class_name": "Mine", "title": "Mine"}


def pages() -> dict[str, str]:
    """Every page by its file name."""
    written = {f"{hook}.md": _page(hook) for hook in hookspecs.HOOKS}
    written["README.md"] = _index()
    return written


def _index() -> str:
    rows = [
        f"| [`{hook}`]({hook}.md) | {_process(hook)} | {_first_sentence(hook)} |"
        for hook in hookspecs.HOOKS
    ]
    head = (
        f"# Hooks\n\nHook API {hookspecs.HOOK_API}. These pages are made from the code by "
        "`docs/make_plugin_docs.py`.\n\n| hook | runs in | what to return |\n|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


def _page(hook: str) -> str:
    contract = _contract(hook)
    parts = [
        f"# `{hook}`\n\n{_doc(hook)}\n",
        f"Entry-point group: {_groups(hook)}.\n",
        f"```python\n@hookimpl\n{_signature(hook)}: ...\n```\n",
        _contract_section(contract) if contract is not None else "",
        _example(hook),
        _suite(hook),
        _built_in(hook),
        "[All hooks](README.md)\n",
    ]
    return "\n".join(part for part in parts if part)


def _doc(hook: str) -> str:
    return inspect.getdoc(getattr(hookspecs, hook)) or ""


def _process(hook: str) -> str:
    return re.split(r"[.,]", _doc(hook), maxsplit=1)[0].lower()


def _first_sentence(hook: str) -> str:
    """The first sentence that says what to do, as a cell of a table."""
    text = " ".join(_doc(hook).split())
    found = re.search(r"((Return|Observe|Add)\b.*?[.;])( |$)", text)
    return (found[1].rstrip(";.") + ".").replace("|", "\\|") if found else text


def _groups(hook: str) -> str:
    if hook == "impasto_settings":
        return f"`{hookspecs.BOT_GROUP}` or `{hookspecs.PAINTING_GROUP}`, with your other hooks"
    is_painting = hook in hookspecs.PAINTING_HOOKS
    return f"`{hookspecs.PAINTING_GROUP if is_painting else hookspecs.BOT_GROUP}`"


def _signature(hook: str) -> str:
    signature = inspect.signature(getattr(hookspecs, hook))
    parameters = ", ".join(f"{p.name}: {p.annotation}" for p in signature.parameters.values())
    return f"def {hook}({parameters}) -> {signature.return_annotation}"


def _contract(hook: str) -> type | None:
    """The class of the objects that a hook returns, if it is one of ours."""
    returns = str(inspect.signature(getattr(hookspecs, hook)).return_annotation)
    match = re.fullmatch(r"Sequence\[(\w+)\]", returns)
    found = getattr(contracts, match[1], None) if match else None
    return found if isinstance(found, type) else None


def _contract_section(contract: type) -> str:
    lines = [f"## What it returns: `{contract.__name__}`\n", inspect.getdoc(contract) or "", ""]
    [definition] = ast.parse(textwrap.dedent(inspect.getsource(contract))).body
    lines += ["| member | meaning |", "|---|---|"]
    for name, meaning in _members(definition):
        lines.append(f"| `{name}` | {meaning} |")
    return "\n".join(lines) + "\n"


def _members(definition: Any) -> list[tuple[str, str]]:
    """Attributes with the text below them, methods with their signatures and docstrings."""
    found: list[tuple[str, str]] = []
    for node, after in zip(definition.body, [*definition.body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign):
            plain = "What settings pick it by." if ast.unparse(node) == "name: str" else ""
            text = after.value.value if _is_text(after) else plain
            found.append((ast.unparse(node), _cell(text)))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (
            node.name == "__call__" or not node.name.startswith("_")
        ):
            arguments = ast.unparse(node.args).removeprefix("self, ").removeprefix("self")
            returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
            is_property = any(ast.unparse(d) == "property" for d in node.decorator_list)
            prefix = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
            call = "" if is_property else f"({arguments})"
            name = f"{prefix}{node.name}{call}{returns}"
            found.append((name.replace("|", "\\|"), _cell(ast.get_docstring(node) or "")))
    return found


def _is_text(node: Any) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _example(hook: str) -> str:
    kind = KINDS.get(hook)
    if kind is None:
        return ""
    source = Template((TEMPLATES / f"{kind}.py.txt").read_text(encoding="utf-8"))
    return (
        f"## A plugin that works\n\n`impasto new-plugin mine --kind {kind}` writes it, with its "
        f"tests:\n\n```python\n{source.substitute(EXAMPLE)}```\n"
    )


def _suite(hook: str) -> str:
    name = conformance.SUITES[hook]
    suite = getattr(conformance, name)
    tests = [
        f"- {test.removeprefix('test_').replace('_', ' ')}"
        for test in dir(suite)
        if test.startswith("test_")
    ]
    return (
        f"## Its conformance suite\n\n`impasto.testing.conformance.{name}` tests that it\n\n"
        + "\n".join(tests)
        + "\n"
    )


def _built_in(hook: str) -> str:
    found = []
    for path in sorted((ROOT / "plugins").iterdir()):
        file = path / "__init__.py" if path.is_dir() else path
        if file.is_file() and f"def {hook}(" in file.read_text(encoding="utf-8"):
            found.append(f"[`{path.stem}`](../../../{file.relative_to(ROOT)})")
    return f"Built-in plugins that have it: {', '.join(found)}.\n"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    written = pages()
    for stale in set(FOLDER.glob("*.md")) - {FOLDER / name for name in written}:
        stale.unlink()
    for name, text in written.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
