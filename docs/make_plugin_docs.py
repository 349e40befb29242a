"""Writes docs/plugins/hooks/, a page for each hook, from its specification, contract and suite, and
docs/plugins/reference.md, from the types of what plugins are handed, and the list of plugins.

Run it after any of these has changed: python docs/make_plugin_docs.py
"""

from __future__ import annotations

import ast
import inspect
import itertools
import re
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

import impasto
from impasto import contracts, hookspecs
from impasto.testing import conformance

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "plugins" / "hooks"
TEMPLATES = ROOT / "plugins" / "impasto_authors" / "templates" / "kinds"
KINDS = {
    "impasto_chat_commands": "dialog",
    "impasto_checks": "check",
    "impasto_commands": "command",
    "impasto_devices": "device",
    "impasto_job_changed": "observer",
    "impasto_networks": "network",
    "impasto_optimizers": "optimizer",
    "impasto_postprocessors": "postprocess",
    "impasto_preprocessors": "preprocess",
    "impasto_presenters": "presenter",
    "impasto_queues": "queue",
    "impasto_routers": "dialog",
    "impasto_storages": "storage",
    "impasto_styles": "style",
    "impasto_web_routes": "web",
}
"""Hooks for which `impasto new-plugin` has a template."""
EXAMPLES = {
    "impasto_settings": """\
```python
# my_plugins/rotate.py
from typing import Literal

from impasto import hookimpl
from impasto.settings import Section
from pydantic import Field

class RotateSettings(Section):
    degrees: Literal[0, 90, 180, 270] = 90
    \"\"\"By how much pictures are turned.\"\"\"
    roles: set[Literal["content", "style"]] = Field(default={"style"}, min_length=1)
    \"\"\"Which pictures are turned.\"\"\"

class Rotate:
    name = "rotate"
    order = 45  # before the pixel cap (50)

    def __init__(self, section):
        self.roles = frozenset(section.roles)
        self._degrees = section.degrees

    def __call__(self, picture, context):
        return picture.rotate(self._degrees, expand=True)

@hookimpl
def impasto_settings():
    return RotateSettings

@hookimpl
def impasto_preprocessors(settings):
    return [Rotate(settings.plugin("rotate"))]
```

```toml
# impasto.toml
[plugins]
folder = "my_plugins"

[plugins.rotate]
degrees = 180
```

`settings.plugin("rotate")`, with the plugin's own name, is the checked section, a `RotateSettings`,
in every other hook of the plugin. The texts below the fields, their bounds and defaults are what
`impasto plugins --settings` shows. The environment variable `IMPASTO_PLUGINS__ROTATE__DEGREES` wins
over the file. A wrong value costs the plugin, not the bot. A test overrides the fixture
`impasto_settings`: `{"plugins": {"rotate": {"degrees": 90}}}`.""",
}
"""Of hooks that no template is about."""
EXAMPLE = {"name": "mine", "stem": "mine", "class_name": "Mine", "title": "Mine"}


GROUPS = {
    "For the conversation": (
        "JobService Estimates last_photo language_of ChatCommand Job JobState TelegramPicture "
        "ChosenStyle PaintOptions StylePreset Failure Effort Progress Presenter Say"
    ),
    "For painting": (
        "Preprocessor Postprocessor PictureContext Role Optimizer Problem Evaluation Iterate "
        "Losses Device NetworkSource Network Convolution Readout load_network weights_folder"
    ),
    "To paint from Python": ("open_picture PaintRequest paint Painting ThumbnailStyle thumbnails"),
    "For storages and queues": (
        "Storage Journal News Limits LimitReached WaitingJob in_order Buckets Rate MemoryBuckets "
        "LocalIsolation JobQueue"
    ),
    "For all": "hookimpl Settings Section Finding",
    "Errors": (
        "ImpastoError ChatError TooManyJobs PictureError PaintingFailed OwnerError SettingsError "
        "WeightsError NotAvailable PluginError InvalidTransition"
    ),
}
"""Everything that can be imported from `impasto`, in the order of the reference."""
OF_THE_CORE = {
    "JobService": {"renew", "job_changed"},
    "Estimates": {"renew", "learn", "options_in_time", "seconds_left"},
    "Job": {"time_in_state"},
}
"""Members that are no business of plugins."""


def reference() -> str:
    """The page about everything that can be imported from `impasto`."""
    parts = [
        "# Reference\n\nEverything here is imported from `impasto`, and costs nothing before it is "
        f"used. It is part of [hook API {hookspecs.HOOK_API}](deprecation.md). This page is made "
        "from the code by `docs/make_plugin_docs.py`.\n"
    ]
    for title, names in GROUPS.items():
        links = ", ".join(f"[`{name}`](#{name.lower()})" for name in names.split())
        parts.append(f"## {title}\n\n{links}\n")
        parts += [_described(name) for name in names.split()]
    return "\n".join(parts)


BY_OTHERS: dict[str, tuple[str, str]] = {}
"""Plugins of other people: where they are, and what they do in a sentence, by their packages."""


def plugin_list() -> str:
    """The page that lists plugins."""
    head = (
        "# Plugins there are\n\nInstall one by others with `impasto plugins install <package>`; it "
        "runs with the bot's rights. `impasto plugins` shows what is installed, and whether it "
        "works.\n"
    )
    others = [f"| [`{name}`]({where}) | {what} |" for name, (where, what) in BY_OTHERS.items()]
    none = ["None yet: yours could be the first, [this is how](publishing.md#to-be-found)."]
    table = ["| plugin | what it does |", "|---|---|"]
    points = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    modules = {
        name: module
        for group in (hookspecs.BOT_GROUP, hookspecs.PAINTING_GROUP)
        for name, module in points[group].items()
    }
    rows = ["## Built in", "", "Each can be left out (`plugins.deny`) and replaced.", "", *table]
    for name, module in sorted(modules.items()):
        path = ROOT / "plugins" / module
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        doc = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
        paragraph = _cell(doc.partition("\n\n")[0])
        rows.append(f"| [`{name}`](../../{file.relative_to(ROOT)}) | {paragraph} |")
    listed = [*table, *others] if others else none
    return "\n".join([head, "## By others", "", *listed, "", *rows, ""])


def _described(name: str) -> str:
    value = getattr(impasto, name)
    head = f"### {name}\n"
    if name == "Role":
        return f"{head}\n```python\n{value}\n```\n\n{_text_below(contracts.painting, name)}\n"
    if name == "hookimpl":
        return f"{head}\n{_text_below(impasto, name)}\n"
    if inspect.isfunction(value):
        [definition] = ast.parse(inspect.getsource(value)).body
        return f"{head}\n```python\n{_head(definition)}\n```\n\n{inspect.getdoc(value)}\n"
    doc, _ = _attributes_of(inspect.getdoc(value) or "")
    if name == "Settings":
        doc = f"{doc}\n\n[Every setting](../settings.md)."
    parts = [head, doc, ""]
    members = members_of(name)
    rows = [member for member in members if not member.is_method]
    if rows:
        parts += ["| member | meaning |", "|---|---|"]
        parts += [f"| `{_cell(row.code)}` | {_cell(row.doc)} |" for row in rows] + [""]
    for method in members:
        if method.is_method:
            parts += [f"```python\n{method.code}\n```\n", method.doc, ""]
    return "\n".join(parts)


class Member(NamedTuple):
    name: str
    code: str
    doc: str
    is_method: bool


def members_of(name: str) -> list[Member]:
    """The members of a class of `impasto` that concern plugins."""
    value = getattr(impasto, name)
    [definition] = ast.parse(textwrap.dedent(inspect.getsource(value))).body
    _, attributes = _attributes_of(inspect.getdoc(value) or "")
    found: dict[str, Member] = {}
    for member in _all_members(definition, attributes):
        known = found.get(member.name)
        if known is None or not known.doc:
            found[member.name] = member
    if name == "Settings":
        return [found["plugin"]]
    return [member for key, member in found.items() if key not in OF_THE_CORE.get(name, set())]


def _all_members(definition: Any, attributes: Mapping[str, str]) -> Iterator[Member]:
    for node, after in zip(definition.body, [*definition.body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign | ast.Assign):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            name = ast.unparse(target)
            doc = after.value.value if _is_text(after) else attributes.get(name, "")
            if not name.startswith("_") and name != "model_config":
                yield Member(name, ast.unparse(node), doc, is_method=False)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _method(node)


def _method(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Member]:
    decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
    if any("validator" in decorator for decorator in decorators):
        return
    doc = ast.get_docstring(node) or ""
    if "property" in decorators:
        returns = f": {ast.unparse(node.returns)}" if node.returns else ""
        yield Member(node.name, node.name + returns, doc, is_method=False)
    elif node.name == "__init__":
        yield from _set_in(node)
    elif node.name == "__call__" or not node.name.startswith("_"):
        yield Member(node.name, _head(node), doc, is_method=True)


def _set_in(constructor: Any) -> Iterator[Member]:
    """The public attributes that a constructor sets, with the text below each."""
    for node, after in zip(constructor.body, [*constructor.body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign | ast.Assign):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            match = re.fullmatch(r"self\.([a-z]\w*)", ast.unparse(target))
            if match:
                doc = after.value.value if _is_text(after) else ""
                yield Member(match[1], match[1], doc, is_method=False)


def _head(node: Any) -> str:
    """A function's signature, a parameter to a line where it is long."""
    prefix = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    arguments = ast.unparse(node.args).removeprefix("self, ").removeprefix("self")
    line = f"{prefix} {node.name}({arguments}){returns}"
    if len(line) <= 100:
        return line
    parameters = re.split(r", (?![^\[(]*[\])])", arguments)  # not at commas within brackets
    lines = [f"    {parameter}," for parameter in parameters]
    return "\n".join([f"{prefix} {node.name}(", *lines, f"){returns}"])


def _attributes_of(doc: str) -> tuple[str, dict[str, str]]:
    """A class's docstring without its section `Attributes:`, and that by name."""
    before, _, section = doc.partition("\nAttributes:\n")
    entries = re.findall(r"^ {4}([\w, ]+): (.*(?:\n {8}.*)*)", section, re.MULTILINE)
    texts = {name: text for names, text in entries for name in names.split(", ")}
    return before.strip(), {name: text[0].upper() + text[1:] for name, text in texts.items()}


def _text_below(module: Any, name: str) -> str:
    body = ast.parse(inspect.getsource(module)).body
    for node, after in itertools.pairwise(body):
        targets = node.targets if isinstance(node, ast.Assign) else []
        if _is_text(after) and name in [ast.unparse(target) for target in targets]:
            return inspect.cleandoc(after.value.value)
    raise LookupError(name)


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
    """What the reference says of it, in a table."""
    name = contract.__name__
    doc, _ = _attributes_of(inspect.getdoc(contract) or "")
    where = f"../reference.md#{name.lower()}"
    lines = [f"## What it returns: `{name}`\n", doc, ""]
    lines += [f"What its members take and return is in [the reference]({where}).", ""]
    lines += ["| member | meaning |", "|---|---|"]
    for member in members_of(name):
        code = member.code.removeprefix("def ").replace("async def ", "async ")
        lines.append(f"| `{_cell(code)}` | {_cell(member.doc)} |")
    return "\n".join(lines) + "\n"


def _is_text(node: Any) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _example(hook: str) -> str:
    if hook in EXAMPLES:
        return f"## A plugin that works\n\n{EXAMPLES[hook]}\n"
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
    fixture, returns = fixture_of(suite)
    return (
        f"## Its conformance suite\n\n{inspect.getdoc(suite)}\n\n```python\n"
        "import pytest\n"
        f"from impasto.testing.conformance import {name}\n\n"
        f"class TestMine({name}):\n    @pytest.fixture\n    def {fixture}(self):\n"
        f"        return ...  # {returns}\n```\n\nIts tests:\n\n" + "\n".join(tests) + "\n"
    )


def fixture_of(suite: type) -> tuple[str, str]:
    """The fixture that a suite wants overridden, and the type of what it returns."""
    for base in suite.__mro__[:-1]:
        [definition] = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        for node in definition.body:
            if isinstance(node, ast.FunctionDef) and "raise NotImplementedError" in ast.unparse(
                node
            ):
                returns = ast.unparse(node.returns) if node.returns else ""
                return node.name, "the module" if returns == "Any" else returns
    raise LookupError(f"{suite.__name__} has nothing to override")


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
    for name, text in {"reference.md": reference(), "list.md": plugin_list()}.items():
        (FOLDER.parent / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
