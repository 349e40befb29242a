"""Find, order, load, isolate and list plugins.

pluggy calls hooks; this module sees to it that one broken plugin costs only itself. pluggy's own
`load_setuptools_entrypoints` stops at the first failure, one raising implementation discards
everybody's results, and `check_pending` stops at the first misspelt hook. So each plugin is loaded,
verified and called by itself; a failing one is unregistered, logged and listed with its error.
"""

from __future__ import annotations

import difflib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pluggy
import structlog
from pydantic import BaseModel

from impasto import hookspecs
from impasto.errors import PluginError, PluginsFailed, SettingsError
from impasto.settings import RESERVED_PLUGIN_NAMES, Settings

log = structlog.get_logger(__name__)
T = TypeVar("T")

DEFAULT_ORDER = 100
OWN_DISTRIBUTION = "impasto"
BUILT_IN = "built-in"
PAINTING_SUBFOLDER = "painting"


@dataclass(slots=True)
class PluginRecord:
    """One plugin that was found, whether it works or not."""

    name: str
    version: str
    origin: str
    """`built-in`, the name of the distribution, or the path of a one-file plugin."""
    plugin: Any = None
    order: int = DEFAULT_ORDER
    hooks: list[str] = field(default_factory=list)
    denied: bool = False
    error: str | None = None

    @property
    def status(self) -> str:
        if self.denied:
            return "denied"
        return "failed" if self.error else "active"


class PluginHost:
    """The plugins of one entry-point group, loaded with `load` and called hook by hook."""

    def __init__(self, group: str, settings: Settings, *, strict: bool = False) -> None:
        self.group = group
        self.settings = settings
        self.strict = strict
        self.records: list[PluginRecord] = []
        self._owners: dict[int, str] = {}
        self._manager = pluggy.PluginManager("impasto")
        self._manager.add_hookspecs(hookspecs)

    def load(self) -> PluginHost:
        """Finds and registers all plugins, in a fixed order, and checks their settings sections.

        Raises:
            PluginsFailed: `strict` and at least one plugin failed.
            SettingsError: a plugin's settings section is wrong.
        """
        for record, load in self._find():
            self.records.append(record)
            if self._is_denied(record.name):
                record.denied = True
                continue
            try:
                record.plugin = load()
                self._register(record)
            # SystemExit: a module that calls sys.exit() on import is broken, not in charge.
            except (Exception, SystemExit) as error:
                self.fail(record, error)
        self.records.sort(key=lambda record: (record.order, record.name))
        self._validate_sections()
        if self.strict:
            self.check_strict()
        return self

    def check_strict(self) -> None:
        """Raises PluginsFailed when any plugin has failed so far."""
        failed = [f"{r.name} ({r.origin}): {r.error}" for r in self.records if r.error]
        if failed:
            raise PluginsFailed("plugins failed:\n" + "\n".join(failed))

    @property
    def active(self) -> list[PluginRecord]:
        """Working plugins in the order in which they are called."""
        return [r for r in self.records if r.status == "active"]

    def call(self, hook: str, /, **arguments: Any) -> Iterator[tuple[PluginRecord, Any]]:
        """Calls one hook plugin by plugin; yields what each working one returned.

        A plugin whose implementation raises is unregistered and skipped.
        """
        for record in self.active:
            if hook not in record.hooks:
                continue
            try:
                result = self.call_one(record, hook, **arguments)
            except (Exception, SystemExit) as error:
                self.fail(record, error, hook)
                continue
            yield record, result

    def call_one(self, record: PluginRecord, hook: str, /, **arguments: Any) -> Any:
        """Calls one plugin's implementation of a hook; whatever it raises comes through."""
        others = [r.plugin for r in self.active if r is not record]
        caller = self._manager.subset_hook_caller(hook, remove_plugins=others)
        results = caller(**arguments)
        return results[0] if results else None

    def collect(self, hook: str, contract: type[T], **arguments: Any) -> list[T]:
        """All objects that a hook returns, checked and sorted by their `order`, then name.

        A plugin that returns something else than objects of `contract`, or an object whose name
        is taken, is unregistered and none of its objects is used.
        """
        taken: dict[str, str] = {}
        accepted: list[tuple[int, str, T]] = []
        for record, result in self.call(hook, **arguments):
            try:
                objects = _checked(record.name, hook, contract, result)
                entries = [(*_place(record, hook, item), item) for item in objects]
                names: set[str] = set()
                for _, name, _ in entries:
                    if name in taken or name in names:
                        owner = taken.get(name, record.name)
                        raise PluginError(
                            record.name, f"{hook}: the name {name!r} is taken by {owner!r}"
                        )
                    names.add(name)
            except PluginError as error:
                self.fail(record, error, hook)
                continue
            taken |= dict.fromkeys(names, record.name)
            self._owners |= {id(item): record.name for item in objects}
            accepted += entries
        accepted.sort(key=lambda entry: entry[:2])
        return [item for _, _, item in accepted]

    def owner_of(self, item: object) -> str:
        """Name of the plugin whose hook returned this object."""
        return self._owners.get(id(item), "unknown")

    def _find(self) -> Iterator[tuple[PluginRecord, Any]]:
        """Records of everything that could be loaded, each with the function that loads it."""
        entry_points = importlib.metadata.entry_points(group=self.group)
        for entry_point in sorted(entry_points, key=_built_in_first):
            distribution = entry_point.dist
            origin = distribution.name if distribution else "unknown"
            record = PluginRecord(
                name=entry_point.name,
                version=distribution.version if distribution else "",
                origin=BUILT_IN if origin == OWN_DISTRIBUTION else origin,
            )
            yield record, entry_point.load
        for path in self._one_file_plugins():
            yield (
                PluginRecord(name=path.stem, version="", origin=str(path)),
                lambda path=path: _import_file(path),
            )

    def _one_file_plugins(self) -> list[Path]:
        folder = self.settings.plugins.folder
        if folder is None:
            return []
        if self.group == hookspecs.PAINTING_GROUP:
            folder = folder / PAINTING_SUBFOLDER
        elif not folder.is_dir():
            raise SettingsError(f"plugins.folder = {str(folder)!r}: there is no such folder")
        return sorted(path for path in folder.glob("*.py") if not path.name.startswith("_"))

    def _is_denied(self, name: str) -> bool:
        allow, deny = self.settings.plugins.allow, self.settings.plugins.deny
        return name in deny or (bool(allow) and name not in allow)

    def _register(self, record: PluginRecord) -> None:
        if record.name in RESERVED_PLUGIN_NAMES:
            raise PluginError(record.name, "this name is a key of [plugins]; choose another")
        order = getattr(record.plugin, "impasto_order", DEFAULT_ORDER)
        if not isinstance(order, int):
            raise PluginError(record.name, f"impasto_order must be a whole number, not {order!r}")
        record.order = order
        for other in self._manager.list_name_plugin():
            if record.name == other[0]:
                raise PluginError(record.name, "there is another plugin of this name")
            if record.plugin is other[1]:
                raise PluginError(record.name, f"is the same object as the plugin {other[0]!r}")
        self._manager.register(record.plugin, name=record.name)
        callers = self._manager.get_hookcallers(record.plugin) or []
        for caller in callers:
            implementations = [i for i in caller.get_hookimpls() if i.plugin is record.plugin]
            if caller.spec is None and not all(i.optionalhook for i in implementations):
                raise PluginError(record.name, _misspelt(caller.name))
        record.hooks = sorted(caller.name for caller in callers if caller.spec is not None)
        if not record.hooks:
            raise PluginError(
                record.name, "has no hook; mark functions named impasto_... with @hookimpl"
            )

    def _validate_sections(self) -> None:
        """Settings of plugins: a wrong value stops the start, a section of nobody is a warning."""
        problems: list[str] = []
        for record, model in self.call("impasto_settings"):
            if not (isinstance(model, type) and issubclass(model, BaseModel)):
                problem = f"impasto_settings must return a pydantic model class, not {model!r}"
                self.fail(record, PluginError(record.name, problem))
                continue
            try:
                self.settings.validate_plugin_section(record.name, model)
            except SettingsError as error:
                problems.append(str(error))
        if problems:
            raise SettingsError("\n".join(problems))
        # Sections are shared by both processes; the bot alone speaks about those of nobody.
        if self.group == hookspecs.BOT_GROUP:
            self._warn_of_absent_plugins()

    def _warn_of_absent_plugins(self) -> None:
        """Names in `[plugins]` that are nobody's: mistyped, or of a plugin not installed here."""
        painting = PluginHost(hookspecs.PAINTING_GROUP, self.settings)
        names = {record.name for record in self.records}
        names |= {record.name for record, _ in painting._find()}
        plugins = self.settings.plugins
        for name in sorted(set(plugins.sections) - names):
            log.warning("settings_of_absent_plugin", section=f"plugins.{name}")
        for setting in ("allow", "deny"):
            for name in sorted(set(getattr(plugins, setting)) - names):
                log.warning("absent_plugin_named", setting=f"plugins.{setting}", plugin=name)

    def fail(self, record: PluginRecord, error: BaseException, hook: str = "") -> None:
        """Takes a plugin out: unregistered, logged, and listed with its error."""
        record.error = (f"{hook}: " if hook else "") + (f"{type(error).__name__}: {error}")
        if isinstance(error, PluginError):
            record.error = error.problem
        if record.plugin is not None and self._manager.get_plugin(record.name) is record.plugin:
            self._manager.unregister(record.plugin)
        log.error("plugin_failed", plugin=record.name, origin=record.origin, error=record.error)
        log.debug("plugin_failed_traceback", plugin=record.name, exc_info=error)


def _import_file(path: Path) -> ModuleType:
    """Imports a one-file plugin under a name of its own, so that it can shadow no other module."""
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


def _misspelt(name: str) -> str:
    known = [hook for hook in vars(hookspecs) if hook.startswith("impasto_")]
    close = difflib.get_close_matches(name, known, n=1)
    return f"there is no hook {name}" + (f"; did you mean {close[0]}?" if close else "")


def _checked(plugin: str, hook: str, contract: type[T], result: Any) -> list[T]:
    """The objects a hook returned, or a PluginError that says what came and what was expected."""
    if result is None or isinstance(result, str | bytes | dict):
        raise PluginError(
            plugin, f"{hook} must return a list of {contract.__name__}s, not {result!r}"
        )
    if not isinstance(result, Iterable):
        raise PluginError(
            plugin, f"{hook} must return a list of {contract.__name__}s, not {result!r}"
        )
    try:
        objects = list(result)
        fits = [isinstance(item, contract) for item in objects]
    except Exception as error:  # of a generator's body, or of a property that is looked at
        raise PluginError(plugin, f"{hook}: {type(error).__name__}: {error}") from error
    for item, fit in zip(objects, fits, strict=True):
        if not fit:
            missing = _missing_attributes(contract, item)
            detail = f"; it lacks {', '.join(missing)}" if missing else ""
            raise PluginError(
                plugin, f"{hook} returned {item!r}, which is no {contract.__name__}{detail}"
            )
    return objects


def _missing_attributes(contract: type, item: object) -> list[str]:
    names = set(getattr(contract, "__annotations__", {})) | {
        name for name, value in vars(contract).items() if callable(value) and name[0] != "_"
    }
    return sorted(name for name in names if not hasattr(item, name))


def _place(record: PluginRecord, hook: str, item: Any) -> tuple[int, str]:
    """Order (the plugin's, where the object has none) and name of an object: where it is sorted."""
    name, order = item.name, getattr(item, "order", record.order)
    if not isinstance(name, str) or not name:
        raise PluginError(record.name, f"{hook}: the name of {item!r} must be a word, not {name!r}")
    if not isinstance(order, int):
        raise PluginError(
            record.name, f"{hook}: the order of {name!r} must be a whole number, not {order!r}"
        )
    return order, name


def _built_in_first(entry_point: importlib.metadata.EntryPoint) -> tuple[str, bool, str]:
    """Sorts by name; of two plugins of one name, our own stays whatever is installed beside it."""
    distribution = entry_point.dist
    foreign = distribution is None or distribution.name != OWN_DISTRIBUTION
    return entry_point.name, foreign, entry_point.value
