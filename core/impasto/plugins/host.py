"""Loads plugins and calls their hooks one by one, so that each can fail by itself.

pluggy's own `load_setuptools_entrypoints` stops at the first failure, one raising implementation
discards everybody's results, and `check_pending` stops at the first misspelt hook. Here each plugin
is loaded, verified and called alone; one that breaks a promise is unregistered, logged and listed
with its error.
"""

from __future__ import annotations

import inspect
import os
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, Final, TypeVar

import pluggy
import structlog
from pydantic import BaseModel

from impasto import hookspecs
from impasto.errors import PluginError, PluginsFailed, SettingsError
from impasto.plugins.checks import (
    check_arguments,
    check_hooks,
    check_implementation,
    check_requirement,
    checked_objects,
    declared_order,
    named,
    place_of,
)
from impasto.plugins.finding import GIVEN, PluginRecord, find_plugins, warn_of_absent_plugins
from impasto.settings import RESERVED_PLUGIN_NAMES, Settings

log = structlog.get_logger(__name__)
T = TypeVar("T")

CHANCES: Final = 3
"""An observer is taken out when it has failed this many times in a row: a single failure may be a
server that was away."""
OBSERVER_SECONDS: Final = 0.1
"""An observer that takes longer is slow: it runs on the event loop while people wait."""
TRACE_VARIABLE: Final = "IMPASTO_TRACE_HOOKS"
"""Environment variable; 1 logs each call of a hook with its duration and result."""


class PluginHost:
    """The plugins of one entry-point group, loaded with `load` and called hook by hook.

    Args:
        strict: `load` raises when any plugin has failed.
        more: plugins by name that are loaded besides those that are found.
    """

    def __init__(
        self,
        group: str,
        settings: Settings,
        *,
        strict: bool = False,
        more: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        self.group = group
        self.settings = settings
        self.strict = strict
        self.records: list[PluginRecord] = []
        self._more = more
        self._owners: dict[int, str] = {}
        self._manager = pluggy.PluginManager("impasto")
        self._manager.add_hookspecs(hookspecs)
        self._is_traced = os.environ.get(TRACE_VARIABLE, "0") not in ("", "0")

    def load(self) -> PluginHost:
        """Finds and registers all plugins, in a fixed order, and checks their settings sections.

        Raises:
            PluginsFailed: `strict` and at least one plugin failed.
            SettingsError: a plugin's settings section is wrong.
        """
        given = (
            (PluginRecord(name=name, version="", origin=GIVEN), lambda plugin=plugin: plugin)
            for name, plugin in self._more.items()
        )
        for record, load in [*find_plugins(self.group, self.settings.plugins), *given]:
            self.records.append(record)
            if record.left_out:
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

    @property
    def failed(self) -> dict[str, str]:
        """Errors of the plugins that were taken out, by their names."""
        return {record.name: record.error for record in self.records if record.error}

    def call(self, hook: str, /, **arguments: Any) -> Iterator[tuple[PluginRecord, Any]]:
        """Calls one hook plugin by plugin; yields what each working one returned.

        A plugin whose implementation raises is skipped and taken out; one that only observes may
        fail, and is taken out when it has failed `CHANCES` times in a row.
        """
        for record in self.active:
            if hook not in record.hooks:
                continue
            try:
                result = self.call_one(record, hook, **arguments)
            except (Exception, SystemExit) as error:
                record.failures_in_a_row += 1
                if hook in hookspecs.OBSERVERS and record.failures_in_a_row < CHANCES:
                    log.error("plugin_hook_failed", plugin=record.name, hook=hook, exc_info=error)
                else:
                    self.fail(record, error, hook)
                continue
            record.failures_in_a_row = 0
            yield record, result

    def call_one(self, record: PluginRecord, hook: str, /, **arguments: Any) -> Any:
        """Calls one plugin's implementation of a hook; whatever it raises comes through. What a
        generator yields comes as a list."""
        others = [r.plugin for r in self.active if r is not record]
        caller = self._manager.subset_hook_caller(hook, remove_plugins=others)
        begin = time.perf_counter()
        told = ""
        try:
            results = caller(**arguments)
            result = results[0] if results else None
            result = list(result) if isinstance(result, Iterator) else result
            told = _summary(result) if self._is_traced else ""
            return result
        except BaseException as error:
            told = f"raised {type(error).__name__}: {error}"
            raise
        finally:
            seconds = time.perf_counter() - begin
            if self._is_traced:
                log.info(
                    "hook_called",
                    plugin=record.name,
                    hook=hook,
                    seconds=round(seconds, 4),
                    result=told,
                )
            patience = self.settings.plugins.slow_seconds
            if hook in hookspecs.OBSERVERS:
                patience = min(patience, OBSERVER_SECONDS)
            if seconds > patience:
                log.warning("hook_slow", plugin=record.name, hook=hook, seconds=round(seconds, 2))

    def collect(self, hook: str, contract: type[T], **arguments: Any) -> list[T]:
        """All objects that a hook returns, checked and sorted by their `order`, then name.

        A plugin that returns something else than objects of `contract`, or an object whose name
        is taken, is taken out and none of its objects is used.
        """
        taken: dict[str, str] = {}
        accepted: list[tuple[int, str, T]] = []
        for record, result in self.call(hook, **arguments):
            try:
                objects = checked_objects(record.name, hook, contract, result)
                entries = [(*place_of(record.name, hook, o, record.order), o) for o in objects]
                names = [name for _, name, _ in entries]
                for name in names:
                    if name in taken or names.count(name) > 1:
                        owner = taken.get(name, record.name)
                        raise PluginError(
                            record.name, f"{hook}: the name {name!r} is taken by {owner!r}"
                        )
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

    def plugin_in(
        self, stack: Sequence[traceback.FrameSummary]
    ) -> tuple[PluginRecord, traceback.FrameSummary] | None:
        """The plugin whose code was entered last in a stack (outermost frame first), and its
        innermost frame; None when no plugin's code is there."""
        homes = [(record, home) for record in self.records if (home := _home(record.plugin))]
        for frame in reversed(stack):
            for record, home in homes:
                if Path(frame.filename).is_relative_to(home):
                    return record, frame
        return None

    def left_out(self) -> str:
        """The plugins that were found and do not work, in words, for messages about what is
        missing; empty when there are none."""
        names = [f"{r.name}: {r.status}" for r in self.records if r.status != "active"]
        return f"not loaded: {', '.join(names)}" if names else ""

    def fail(self, record: PluginRecord, error: BaseException, hook: str = "") -> None:
        """Takes a plugin out: unregistered, logged, and listed with its error."""
        if isinstance(error, PluginError):
            record.error = error.problem
        else:
            record.error = f"{hook}: " * bool(hook) + f"{type(error).__name__}: {error}"
        if record.plugin is not None and self._manager.get_plugin(record.name) is record.plugin:
            self._manager.unregister(record.plugin)
        log.error("plugin_failed", plugin=record.name, origin=record.origin, error=record.error)
        log.debug("plugin_failed_traceback", plugin=record.name, exc_info=error)

    def _register(self, record: PluginRecord) -> None:
        if record.name in RESERVED_PLUGIN_NAMES:
            raise PluginError(record.name, "this name is a key of [plugins]; choose another")
        check_requirement(record.name, getattr(record.plugin, "impasto_api", hookspecs.HOOK_API))
        record.order = declared_order(record.name, record.plugin, record.order)
        for other in self._manager.list_name_plugin():
            if record.name == other[0]:
                raise PluginError(record.name, "there is another plugin of this name")
            if record.plugin is other[1]:
                raise PluginError(record.name, f"is the same object as the plugin {other[0]!r}")
        check_arguments(record.name, record.plugin, self._manager)
        with warnings.catch_warnings(record=True) as deprecations:
            warnings.simplefilter("always")
            self._manager.register(record.plugin, name=record.name)
        for warning in deprecations:
            # For whoever runs the bot; and again for its author, in pytest and `python -W`.
            log.warning("plugin_uses_deprecated", plugin=record.name, what=str(warning.message))
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
        for caller in self._manager.get_hookcallers(record.plugin) or []:
            for implementation in caller.get_hookimpls():
                if implementation.plugin is not record.plugin:
                    continue
                if caller.spec is not None or not implementation.optionalhook:
                    check_implementation(record.name, caller.name, implementation)
                    record.hooks.append(caller.name)
        record.hooks.sort()
        check_hooks(record.name, record.hooks, self.group)

    def _validate_sections(self) -> None:
        """Settings of plugins: a wrong value ends the start, one of no plugin is a warning."""
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
        # Sections are shared by both processes; the bot alone warns of those that no plugin has.
        if self.group == hookspecs.BOT_GROUP:
            warn_of_absent_plugins(self.settings.plugins)


def _home(plugin: object) -> Path | None:
    """The source file of a plugin, or the folder of a package; None where there is none."""
    try:
        file = Path(inspect.getfile(plugin if isinstance(plugin, ModuleType) else type(plugin)))
    except (TypeError, OSError):
        return None
    return file.parent if file.name == "__init__.py" else file


def _summary(result: object) -> str:
    if isinstance(result, list | tuple):
        return f"[{', '.join(map(named, result))}]"
    return named(result)
