"""Loads plugins and calls their hooks, one by one, so that each can fail by itself.

pluggy's own `load_setuptools_entrypoints` stops at the first failure, one raising implementation
discards everybody's results, and `check_pending` stops at the first misspelt hook. Here each plugin
is loaded, verified and called alone; one that breaks a promise is unregistered, logged and listed
with its error. One that is only slow, or fails at watching, is counted and named.
"""

from __future__ import annotations

import os
import time
import traceback
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

import pluggy
import structlog
from pydantic import BaseModel

from impasto import hookspecs
from impasto.errors import PluginError, PluginsFailed, SettingsError
from impasto.plugins.checks import (
    check_hooks,
    check_implementation,
    check_requirement,
    checked_objects,
    declared_order,
    place_of,
)
from impasto.plugins.finding import find_plugins, warn_of_absent_plugins
from impasto.plugins.records import PluginRecord
from impasto.plugins.tracing import TRACE_VARIABLE, summary
from impasto.plugins.troubles import write_troubles
from impasto.settings import RESERVED_PLUGIN_NAMES, Settings

log = structlog.get_logger(__name__)
T = TypeVar("T")

CHANCES: Final = 3
"""An observer that fails so often in a row is taken out; once may be a network that was away."""
OBSERVER_SECONDS: Final = 0.1
"""Observers run on the event loop, between one person's tap and another's: slow is earlier."""


class PluginHost:
    """The plugins of one entry-point group, loaded with `load` and called hook by hook.

    Args:
        strict: `load` and `check_strict` raise when any plugin has failed.
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
        self._troubles_in: Path | None = None
        self._is_traced = os.environ.get(TRACE_VARIABLE, "0") not in ("", "0")
        self._manager = pluggy.PluginManager("impasto")
        self._manager.add_hookspecs(hookspecs)

    def load(self) -> PluginHost:
        """Finds and registers all plugins, in a fixed order, and checks their settings sections.

        Raises:
            PluginsFailed: `strict` and at least one plugin failed.
            SettingsError: a plugin's settings section is wrong.
        """
        given = (
            (PluginRecord(name=name, version="", origin="given"), lambda plugin=plugin: plugin)
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

    def call(self, hook: str, /, **arguments: Any) -> Iterator[tuple[PluginRecord, Any]]:
        """Calls one hook plugin by plugin; yields what each working one returned.

        A plugin whose implementation raises is unregistered and skipped; one that only observes
        is skipped and counted, and unregistered when it fails `CHANCES` times in a row.
        """
        for record in self.active:
            if hook not in record.hooks:
                continue
            try:
                result = self.call_one(record, hook, **arguments)
            except (Exception, SystemExit) as error:
                self._hook_failed(record, hook, error)
                continue
            record.failures_in_a_row = 0
            yield record, result

    def call_one(self, record: PluginRecord, hook: str, /, **arguments: Any) -> Any:
        """Calls one plugin's implementation of a hook; whatever it raises comes through. What a
        generator yields comes as a list."""
        others = [r.plugin for r in self.active if r is not record]
        caller = self._manager.subset_hook_caller(hook, remove_plugins=others)
        begin = time.perf_counter()
        result: Any = None
        try:
            results = caller(**arguments)
            result = results[0] if results else None
            if isinstance(result, Iterator):
                result = list(result)
        except BaseException as error:
            result = error
            raise
        finally:
            self._called(record, hook, time.perf_counter() - begin, result)
        return result

    def collect(self, hook: str, contract: type[T], **arguments: Any) -> list[T]:
        """All objects that a hook returns, checked and sorted by their `order`, then name.

        A plugin that returns something else than objects of `contract`, or an object whose name
        is taken, is unregistered and none of its objects is used.
        """
        taken: dict[str, str] = {}
        accepted: list[tuple[int, str, T]] = []
        for record, result in self.call(hook, **arguments):
            try:
                objects = checked_objects(record.name, hook, contract, result)
                entries = [(*place_of(record.name, hook, o, record.order), o) for o in objects]
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

    def blame(self, error: BaseException) -> PluginRecord | None:
        """The plugin in whose code an exception was raised or passed on last."""
        files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
        return self.plugin_of_files(reversed(files))

    def plugin_of_files(self, files: Iterable[str]) -> PluginRecord | None:
        """The plugin to which the first of these source files belongs that is any plugin's."""
        for file in files:
            for record in self.records:
                if record.plugin is not None and record.has_file([file]):
                    return record
        return None

    def left_out(self) -> str:
        """The plugins that were found and do not work, in words, for messages about what is
        missing; empty when there are none."""
        names = [f"{r.name}: {r.status}" for r in self.records if r.status != "active"]
        return f"not loaded: {', '.join(names)}" if names else ""

    def keep_troubles_in(self, state_dir: Path) -> None:
        """From here on what goes wrong is written down for `impasto plugins`."""
        self._troubles_in = state_dir
        self._write_troubles()

    def note(self, plugin: str | PluginRecord, where: str, problem: str) -> None:
        """Counts something that went wrong in a plugin and does not take it out."""
        for record in self.records:
            if plugin in (record, record.name) and record.note(where, problem) is not None:
                self._write_troubles()
                return

    def fail(self, record: PluginRecord, error: BaseException, hook: str = "") -> None:
        """Takes a plugin out: unregistered, logged, and listed with its error."""
        is_worded = isinstance(error, PluginError) or not hook
        record.error = _described(error) if is_worded else f"{hook}: {_described(error)}"
        if record.plugin is not None and self._manager.get_plugin(record.name) is record.plugin:
            self._manager.unregister(record.plugin)
        log.error("plugin_failed", plugin=record.name, origin=record.origin, error=record.error)
        log.debug("plugin_failed_traceback", plugin=record.name, exc_info=error)
        self.note(record, hook or "load", f"taken out: {_described(error)}")

    def _hook_failed(self, record: PluginRecord, hook: str, error: BaseException) -> None:
        record.failures_in_a_row += 1
        if hook not in hookspecs.OBSERVERS or record.failures_in_a_row >= CHANCES:
            self.fail(record, error, hook)
            return
        log.error("plugin_hook_failed", plugin=record.name, hook=hook, exc_info=error)
        self.note(record, hook, _described(error))

    def _called(self, record: PluginRecord, hook: str, seconds: float, result: Any) -> None:
        """Every call passes here: the trace, and the names of the slow."""
        if self._is_traced:
            log.info(
                "hook_called",
                plugin=record.name,
                hook=hook,
                seconds=round(seconds, 4),
                result=summary(result),
            )
        patience = self.settings.plugins.slow_seconds
        if hook in hookspecs.OBSERVERS:
            patience = min(patience, OBSERVER_SECONDS)
        if seconds > patience:
            log.warning("hook_slow", plugin=record.name, hook=hook, seconds=round(seconds, 2))
            self.note(record, hook, f"took longer than {patience:g} s")

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
        with warnings.catch_warnings(record=True) as deprecations:
            warnings.simplefilter("always")
            self._manager.register(record.plugin, name=record.name)
        self._tell_deprecations(record, deprecations)
        for caller in self._manager.get_hookcallers(record.plugin) or []:
            for implementation in caller.get_hookimpls():
                if implementation.plugin is not record.plugin:
                    continue
                if caller.spec is not None or not implementation.optionalhook:
                    check_implementation(record.name, caller.name, implementation)
                    record.hooks.append(caller.name)
        record.hooks.sort()
        check_hooks(record.name, record.hooks, self.group)

    def _tell_deprecations(
        self, record: PluginRecord, deprecations: list[warnings.WarningMessage]
    ) -> None:
        """Deprecations are for the plugin's author and for whoever runs the bot."""
        for warning in deprecations:
            # Again, for pytest and for `python -W`, now that it is known whose it is.
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
            log.warning("plugin_uses_deprecated", plugin=record.name, what=str(warning.message))
            self.note(record, "load", f"deprecated: {warning.message}")

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
            warn_of_absent_plugins(self.settings.plugins)

    def _write_troubles(self) -> None:
        if self._troubles_in is not None:
            write_troubles(self._troubles_in, self.group, self.records)


def _described(error: BaseException) -> str:
    if isinstance(error, PluginError):
        return error.problem
    return f"{type(error).__name__}: {error}"
