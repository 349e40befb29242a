"""Loads plugins and calls their hooks one by one, so that each can fail by itself.

pluggy's own `load_setuptools_entrypoints` stops at the first failure, one raising implementation
discards everybody's results, and `check_pending` stops at the first misspelt hook. Here each plugin
is loaded, verified and called alone; one that breaks a promise is unregistered, logged and listed
with its error.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
import time
import traceback
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, Final, TypeVar

import pluggy
import structlog
from pydantic import BaseModel

from impasto import hookspecs
from impasto.errors import PluginError, PluginsFailed, SettingsError, described
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
from impasto.plugins.containment import is_from_outside, running
from impasto.plugins.finding import (
    BUILT_IN,
    GIVEN,
    PluginRecord,
    find_plugins,
    warn_of_absent_plugins,
)
from impasto.settings import RESERVED_PLUGIN_NAMES, Settings

log = structlog.get_logger(__name__)
T = TypeVar("T")

CHANCES: Final = 3
"""An observer is taken out when it has failed this many times in a row: a single failure may be a
server that was away."""
OBSERVER_SECONDS: Final = 0.1
"""An observer that takes longer is slow: it runs on the event loop while people wait."""
TORCH: Final = "torch"
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
            SettingsError: a folder or file of the settings is not there.
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
                with self._running(record, "import"):
                    record.plugin = load()
                    self._register(record)
            except Exception as error:
                self.fail(record, error, where=_entered_at(error))
        self.records.sort(key=lambda record: (record.order, record.name))
        self._validate_sections()
        if self.strict:
            self.check_strict()
        return self

    def check_strict(self) -> None:
        """Raises PluginsFailed when any plugin has failed so far, or does not do all it should."""
        wrong = ((r, "; ".join(filter(None, [r.error, *r.remarks]))) for r in self.records)
        failed = [f"{record.name} ({record.origin}): {what}" for record, what in wrong if what]
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
            except Exception as error:
                record.failures_in_a_row[hook] += 1
                if hook in hookspecs.OBSERVERS and record.failures_in_a_row[hook] < CHANCES:
                    log.error("plugin_hook_failed", plugin=record.name, hook=hook, exc_info=error)
                else:
                    self.fail(record, error, hook)
                continue
            record.failures_in_a_row[hook] = 0
            yield record, result

    def call_one(self, record: PluginRecord, hook: str, /, **arguments: Any) -> Any:
        """Calls one plugin's implementation of a hook; the Exceptions that it raises come through,
        everything else as a PluginError. What a generator yields comes as a list."""
        others = [r.plugin for r in self.active if r is not record]
        caller = self._manager.subset_hook_caller(hook, remove_plugins=others)
        begin = time.perf_counter()
        told = ""
        try:
            with self._running(record, hook):
                results = caller(**arguments)
                result = results[0] if results else None
                result = list(result) if isinstance(result, Iterator) else result
                told = _summary(result) if self._is_traced else ""
            return result
        except Exception as error:
            told = f"raised {described(error)}"
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

        A plugin that returns something else than objects of `contract` is taken out, and none of
        its objects is used. Of objects of one name only the first is used, built-in ones before
        all others; the plugin keeps its other objects.
        """
        found: list[tuple[PluginRecord, list[tuple[tuple[int, str], T]]]] = []
        for record, result in self.call(hook, **arguments):
            try:
                with self._running(record, hook):
                    objects = checked_objects(record.name, hook, contract, result)
                    places = [place_of(record.name, hook, o, record.order) for o in objects]
            except Exception as error:
                self.fail(record, error, hook)
                continue
            self.own(record.name, objects)
            found.append((record, list(zip(places, objects, strict=True))))
        owners: dict[str, str] = {}
        accepted: list[tuple[tuple[int, str], T]] = []
        for record, entries in sorted(found, key=lambda each: each[0].origin != BUILT_IN):
            taken: dict[str, set[str]] = {}
            for (order, name), item in entries:
                if name in owners:
                    taken.setdefault(owners[name], set()).add(name)
                else:
                    owners[name] = record.name
                    accepted.append(((order, name), item))
            for other, names in taken.items():
                self._remark(record, _same_names(contract.__name__, names, other))
        accepted.sort(key=lambda entry: entry[0])
        return [item for _, item in accepted]

    def own(self, plugin: str, objects: Iterable[object]) -> None:
        """Notes whose these objects are."""
        self._owners |= {id(item): plugin for item in objects}

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

    def raised_in(self, error: BaseException) -> str | None:
        """Name of the plugin in whose code an exception was raised; None where it was in none's."""
        found = self.plugin_in(traceback.extract_tb(error.__traceback__))
        return found[0].name if found else None

    def contained(self, error: BaseException) -> Exception:
        """What a plugin's coroutine raised, as an Exception that names the plugin where it was none
        before. Raises it as it is where it came from outside."""
        if isinstance(error, Exception):
            return error
        if is_from_outside(error):
            raise error
        blamed = PluginError(self.raised_in(error) or "unknown", described(error))
        return blamed.with_traceback(error.__traceback__)

    def left_out(self) -> str:
        """The plugins that were found and do not work, in words, for messages about what is
        missing; empty when there are none."""
        names = [f"{r.name}: {r.error or r.status}" for r in self.records if r.status != "active"]
        return f"not loaded: {', '.join(names)}" if names else ""

    def fail(
        self, record: PluginRecord, error: BaseException, hook: str = "", *, where: str = ""
    ) -> None:
        """Takes a plugin out: unregistered, logged, and listed with its error."""
        if isinstance(error, PluginError):
            record.error = error.problem
        else:
            record.error = f"{hook}: " * bool(hook) + described(error)
        record.error += where
        if record.plugin is not None and self._manager.get_plugin(record.name) is record.plugin:
            self._manager.unregister(record.plugin)
        log.error("plugin_failed", plugin=record.name, origin=record.origin, error=record.error)
        log.debug("plugin_failed_traceback", plugin=record.name, exc_info=error)

    @contextlib.contextmanager
    def _running(self, record: PluginRecord, what: str) -> Iterator[None]:
        """As `containment.running`. Only what is called at the start has a limit, as an observer
        must not be ended in the middle of a job; and nothing of a built-in plugin has, as without
        it the bot lacks a part, and it is the machine that is slow."""
        is_limited = record.origin != BUILT_IN and what not in hookspecs.OBSERVERS
        seconds = self.settings.plugins.start_seconds if is_limited else 0
        had_torch = TORCH in sys.modules
        with running(record.name, what, seconds):
            yield
        if self.group == hookspecs.BOT_GROUP and TORCH in sys.modules and not had_torch:
            self._remark(record, "loads torch in the bot: 200 MB that only painting plugins need")

    def _remark(self, record: PluginRecord, remark: str) -> None:
        """Tells, once, of what does not keep a plugin from working."""
        if remark not in record.remarks:
            record.remarks.append(remark)
            log.error("plugin_remark", plugin=record.name, origin=record.origin, remark=remark)

    def _register(self, record: PluginRecord) -> None:
        if record.name in RESERVED_PLUGIN_NAMES:
            raise PluginError(record.name, "this name is a key of [plugins]; choose another")
        check_requirement(record.name, getattr(record.plugin, "impasto_api", hookspecs.HOOK_API))
        record.order = declared_order(record.name, record.plugin, record.order)
        if (namesake := self._manager.get_plugin(record.name)) is not None:
            [used] = (r for r in self.records if r.plugin is namesake)
            problem = f"there is another plugin of this name ({used.origin}), which is used"
            raise PluginError(record.name, problem)
        if (other := self._manager.get_name(record.plugin)) is not None:
            raise PluginError(record.name, f"is the same object as the plugin {other!r}")
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
        """Settings of plugins: a wrong value costs its plugin, one of no plugin is a warning."""
        for record, model in self.call("impasto_settings"):
            try:
                if not (isinstance(model, type) and issubclass(model, BaseModel)):
                    problem = f"impasto_settings must return a pydantic model class, not {model!r}"
                    raise PluginError(record.name, problem)
                with self._running(record, "impasto_settings"):
                    self.settings.validate_plugin_section(record.name, model)
            except SettingsError as error:
                self.fail(record, PluginError(record.name, "; ".join(str(error).splitlines())))
            except Exception as error:
                self.fail(record, error, "impasto_settings")
        # Sections are shared by both processes; the bot alone warns of those that no plugin has.
        if self.group == hookspecs.BOT_GROUP:
            warn_of_absent_plugins(self.settings.plugins)


def _entered_at(error: BaseException) -> str:
    """File and line, in parentheses, of the module whose import has raised: its own line, not that
    of a library in which it ended. Empty where that is none of an import."""
    importing = False
    for frame in traceback.extract_tb((error.__cause__ or error).__traceback__):
        if frame.filename.startswith("<frozen importlib"):
            importing = True
        elif importing:
            return f" ({frame.filename}, line {frame.lineno})"
    return ""


def _home(plugin: object) -> Path | None:
    """The source file of a plugin, or the folder of a package; None where there is none."""
    try:
        file = Path(inspect.getfile(plugin if isinstance(plugin, ModuleType) else type(plugin)))
    except (TypeError, OSError):
        return None
    return file.parent if file.name == "__init__.py" else file


def _same_names(kind: str, names: Set[str], other: str) -> str:
    """That these objects are left out, and what their author is to do."""
    listed = ", ".join(map(repr, sorted(names)))
    if len(names) == 1:
        left_out = f"its {kind} {listed} is left out, as that of the plugin {other!r} has this name"
        return f"{left_out}; rename it"
    left_out = f"its {kind}s {listed} are left out, as those of the plugin {other!r} have"
    return f"{left_out} these names; rename them"


def _summary(result: object) -> str:
    if isinstance(result, list | tuple):
        return f"[{', '.join(map(named, result))}]"
    return named(result)
