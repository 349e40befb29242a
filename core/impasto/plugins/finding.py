"""Which plugins there are, none of them imported yet: entry points, the folder, single files.

A single file is loaded in the process in which its hooks run. Which hooks it has is read from its
source, because importing a painting plugin would bring torch into the bot.
"""

from __future__ import annotations

import ast
import functools
import importlib.metadata
import importlib.util
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import structlog

from impasto import hookspecs
from impasto.errors import SettingsError, nearest
from impasto.settings import PluginsSettings, Settings

log = structlog.get_logger(__name__)

OWN_DISTRIBUTION: Final = "impasto"
BUILT_IN: Final = "built-in"
GIVEN: Final = "given"
"""Origins of a plugin: this one is an object of the program itself, such as a test."""
DEFAULT_ORDER: Final = 100

Load = Callable[[], Any]


@dataclass(slots=True)
class PluginRecord:
    """What is known of one plugin that was found, whether it works or not."""

    name: str
    version: str
    origin: str
    """`built-in`, the name of the distribution, or the path of a one-file plugin."""
    plugin: Any = None
    """The module or object that has the hooks; None before it is loaded."""
    order: int = DEFAULT_ORDER
    hooks: list[str] = field(default_factory=list)
    left_out: str = ""
    """Why it was not even imported: `denied` or `off in safe mode`."""
    error: str | None = None
    """Why it was taken out."""
    remarks: list[str] = field(default_factory=list)
    """What is wrong with it though it works."""
    failures_in_a_row: Counter[str] = field(default_factory=Counter)
    """By hook: those that observe may fail now and then."""

    @property
    def status(self) -> str:
        return self.left_out or ("failed" if self.error else "active")


def find_plugins(group: str, settings: PluginsSettings) -> Iterator[tuple[PluginRecord, Load]]:
    """Everything that could be loaded in the process of this group, with what loads it.

    Records of plugins that the settings leave out say so.

    Raises:
        SettingsError: a folder or file of the settings is not there.
    """
    for record, load in _all(group, settings):
        if settings.safe_mode:
            record.left_out = "" if record.origin == BUILT_IN else "off in safe mode"
        elif record.name in settings.deny or (settings.allow and record.name not in settings.allow):
            record.left_out = "denied"
        yield record, load


def _all(group: str, settings: PluginsSettings) -> Iterator[tuple[PluginRecord, Load]]:
    entry_points = importlib.metadata.entry_points(group=group)
    for entry_point in sorted(entry_points, key=_built_in_first):
        distribution = entry_point.dist
        origin = distribution.name if distribution else "unknown"
        record = PluginRecord(
            name=entry_point.name,
            version=distribution.version if distribution else "",
            origin=BUILT_IN if origin == OWN_DISTRIBUTION else origin,
        )
        yield record, entry_point.load
    for path in _files(settings):
        if _belongs(path, group):
            name = path.parent.name if path.name == "__init__.py" else path.stem
            record = PluginRecord(name=name, version="", origin=str(path))
            yield record, functools.partial(import_file, path)


def _files(settings: PluginsSettings) -> list[Path]:
    """One-file plugins: those of the folder by name, then those that are named one by one."""
    found: list[Path] = []
    if settings.folder is not None:
        if not settings.folder.is_dir():
            raise SettingsError(
                f"plugins.folder = {str(settings.folder)!r}: there is no such folder"
            )
        found += sorted(p for p in settings.folder.glob("*.py") if not p.name.startswith("_"))
    for path in settings.files:
        file = path / "__init__.py" if path.is_dir() else path
        if not file.is_file():
            raise SettingsError(f"plugins.files: there is no file {str(file)!r}")
        found.append(file)
    return list({path.resolve(): path for path in found}.values())


def _belongs(path: Path, group: str) -> bool:
    """Whether a file has hooks that run in the process of this group. A file whose hooks cannot
    be told is the bot's: loading it there shows what is wrong with it."""
    hooks = _hooks_in(path)
    is_painting = bool(hooks & hookspecs.PAINTING_HOOKS)
    if group == hookspecs.PAINTING_GROUP:
        return is_painting
    return not is_painting or bool(hooks - hookspecs.PAINTING_HOOKS - {"impasto_settings"})


def _hooks_in(path: Path) -> set[str]:
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return set()
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return names & set(hookspecs.HOOKS)


def installed_plugins() -> list[importlib.metadata.EntryPoint]:
    """The entry points of both processes."""
    groups = (hookspecs.BOT_GROUP, hookspecs.PAINTING_GROUP)
    return [point for group in groups for point in importlib.metadata.entry_points(group=group)]


def built_in_without(hooks: Set[str], group: str) -> list[str]:
    """Names of the built-in plugins of a process that have none of these hooks, by their source."""
    points = importlib.metadata.entry_points(group=group)
    specs = {p.name: importlib.util.find_spec(p.module) for p in points if is_built_in(p)}
    return [
        name
        for name, spec in specs.items()
        if spec is not None and spec.origin and not hooks & _hooks_in(Path(spec.origin))
    ]


def settings_for_painting(settings: Settings) -> dict[str, Any]:
    """Plain values for the painting process, without what it has no business with: the token, and
    the sections of plugins that are not loaded there, in which there may be passwords."""
    others = set(settings.plugins.sections) - _names(hookspecs.PAINTING_GROUP, settings.plugins)
    return settings.model_dump(mode="json", exclude={"telegram": True, "plugins": others})


def without_plugins(values: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Settings as plain values, with which these plugins are not loaded."""
    plugins = values.get("plugins", {})
    return {**values, "plugins": {**plugins, "deny": [*plugins.get("deny", []), *names]}}


def warn_of_absent_plugins(settings: PluginsSettings) -> None:
    """Logs names in `[plugins]` that no plugin has: mistyped, or of a plugin not installed here."""
    groups = (hookspecs.BOT_GROUP, hookspecs.PAINTING_GROUP)
    names = {name for group in groups for name in _names(group, settings)}
    for name in sorted(set(settings.sections) - names):
        log.warning("settings_of_absent_plugin", section=f"plugins.{name}", **_meant(name, names))
    for setting in ("allow", "deny"):
        for name in sorted(set(getattr(settings, setting)) - names):
            log.warning(
                "absent_plugin_named",
                setting=f"plugins.{setting}",
                plugin=name,
                **_meant(name, names),
            )


def _meant(name: str, names: Iterable[str]) -> dict[str, str]:
    meant = nearest(name, names)
    return {"did_you_mean": meant} if meant else {}


def _names(group: str, settings: PluginsSettings) -> set[str]:
    return {record.name for record, _ in find_plugins(group, settings)}


def import_file(path: Path) -> ModuleType:
    """Imports a one-file plugin (or a package by its `__init__.py`) under a name of its own, so
    that it can shadow no other module."""
    name = f"impasto_plugin_file_{path.parent.name}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _built_in_first(entry_point: importlib.metadata.EntryPoint) -> tuple[str, bool, str]:
    """Sorts by name; of two plugins of one name the built-in one is first, and so is kept."""
    return entry_point.name, not is_built_in(entry_point), entry_point.value


def is_built_in(entry_point: importlib.metadata.EntryPoint) -> bool:
    return entry_point.dist is not None and entry_point.dist.name == OWN_DISTRIBUTION
