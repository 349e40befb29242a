"""Whether a plugin keeps its promises: its hooks, and the objects that they return.

Every refusal names the plugin, the hook, what came and what was expected. Objects are compared
with their contract (a Protocol, or a class of values) as far as that is possible without running
them: attributes and their types, methods and what they take, `async` or not.
"""

from __future__ import annotations

import inspect
import re
import reprlib
import typing
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import pluggy
from pydantic import TypeAdapter, ValidationError

from impasto import hookspecs
from impasto.errors import PluginError, described, did_you_mean

T = TypeVar("T")

_REQUIREMENT: Final = re.compile(r"(\d+)\.(\d+)")


def check_requirement(plugin: str, required: object) -> None:
    """Whether the hook API of this program is one that a plugin can live with: the same major
    version, and at least the minor version that `impasto_api` of the plugin names.

    Raises:
        PluginError: it is not.
    """
    match = _REQUIREMENT.fullmatch(required) if isinstance(required, str) else None
    if match is None:
        raise PluginError(
            plugin, f"impasto_api must be text such as '{hookspecs.HOOK_API}', not {required!r}"
        )
    major, minor = (int(part) for part in hookspecs.HOOK_API.split("."))
    wants = int(match[1]), int(match[2])
    if wants[0] == major and wants[1] <= minor:
        return
    remedy = "impasto" if wants > (major, minor) else "the plugin"
    raise PluginError(
        plugin,
        f"needs hook API {required}, and this is {hookspecs.HOOK_API}; "
        f"install a newer version of {remedy}",
    )


def declared_order(plugin: str, module: object, default: int) -> int:
    """The plugin's `impasto_order`.

    Raises:
        PluginError: it is no whole number.
    """
    order = getattr(module, "impasto_order", default)
    if not isinstance(order, int):
        raise PluginError(plugin, f"impasto_order must be a whole number, not {order!r}")
    return order


def check_hooks(plugin: str, names: Iterable[str], group: str) -> None:
    """Whether a plugin with these hooks belongs into the process of this entry-point group.

    Raises:
        PluginError: it has no hook, or all of them run in the other process.
    """
    if not names:
        raise PluginError(plugin, "has no hook; mark functions named impasto_... with @hookimpl")
    hooks = set(names) - {"impasto_settings"}
    is_painting = group == hookspecs.PAINTING_GROUP
    here = hooks & hookspecs.PAINTING_HOOKS if is_painting else hooks - hookspecs.PAINTING_HOOKS
    if hooks and not here:
        right = hookspecs.BOT_GROUP if is_painting else hookspecs.PAINTING_GROUP
        raise PluginError(
            plugin,
            f"{', '.join(sorted(hooks))} runs in the other process; "
            f"register the plugin in the entry-point group '{right}'",
        )


def check_arguments(plugin: str, module: object, manager: pluggy.PluginManager) -> None:
    """Whether what a plugin has marked takes only arguments that its hooks have.

    Raises:
        PluginError: it asks for another one.
    """
    for hook in hookspecs.HOOKS:
        if manager.parse_hookimpl_opts(module, hook) is None:
            continue
        allowed = list(inspect.signature(getattr(hookspecs, hook)).parameters)
        for name, parameter in inspect.signature(getattr(module, hook)).parameters.items():
            is_wanted = parameter.kind is parameter.POSITIONAL_OR_KEYWORD
            if is_wanted and parameter.default is parameter.empty and name not in allowed:
                hint = did_you_mean(name, allowed)
                given = f": it may take {', '.join(allowed)}" if allowed else ": it takes none"
                raise PluginError(plugin, f"{hook} has no argument {name!r}{hint or given}")


def check_implementation(plugin: str, hook: str, implementation: pluggy.HookImpl) -> None:
    """Whether what a plugin has marked can implement a hook at all.

    Raises:
        PluginError: there is no such hook, or the function cannot simply be called.
    """
    if hook not in hookspecs.HOOKS:
        hint = did_you_mean(hook, hookspecs.HOOKS)
        raise PluginError(plugin, f"there is no hook {hook}{hint}")
    function = implementation.function
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise PluginError(plugin, f"{hook} must be a plain function, not `async def`")
    if implementation.wrapper or implementation.hookwrapper:
        raise PluginError(
            plugin, f"{hook} cannot be a wrapper: each plugin is called by itself, none is wrapped"
        )


def checked_objects(plugin: str, hook: str, contract: type[T], result: Any) -> list[T]:
    """The objects that a hook returned.

    Raises:
        PluginError: they are not what the contract promises.
    """
    if isinstance(result, str | bytes | dict) or not isinstance(result, Iterable):
        raise PluginError(
            plugin, f"{hook} must return a list of {contract.__name__}s, not {reprlib.repr(result)}"
        )
    objects = list(result)
    for item in objects:
        try:
            problem = _problem_of(item, contract)
        except Exception as error:  # of a property that is looked at
            problem = f"; looking at it raises {described(error)}"
        if problem is not None:
            raise PluginError(
                plugin, f"{hook} returned {named(item)}, which is no {contract.__name__}{problem}"
            )
    return objects


def place_of(plugin: str, hook: str, item: Any, default_order: int) -> tuple[int, str]:
    """Order (the plugin's, where the object has none) and name of an object: where it is sorted.

    Raises:
        PluginError: they are no number and no word.
    """
    name, order = item.name, getattr(item, "order", default_order)
    if not isinstance(name, str) or not name:
        raise PluginError(plugin, f"{hook}: the name of {item!r} must be a word, not {name!r}")
    if not isinstance(order, int):
        raise PluginError(
            plugin, f"{hook}: the order of {name!r} must be a whole number, not {order!r}"
        )
    return order, name


def named(item: object) -> str:
    """An object by its class and name where it has one, as messages show it."""
    kind = type(item)
    try:
        name = getattr(item, "name", None)
    except Exception:  # of a property; `checked_objects` tells of it
        name = None
    if isinstance(name, str):
        return f"{kind.__name__} {name!r}"
    return reprlib.repr(item) if kind.__module__ == "builtins" else f"a {kind.__name__}"


def _problem_of(item: object, contract: type) -> str | None:
    """What keeps an object from being what a contract asks for; None when nothing does."""
    if isinstance(item, type):
        return f"; it is a class, return an object: {item.__name__}(...)"
    if not getattr(contract, "_is_protocol", False):
        return _wrong_value(item, contract) if isinstance(item, contract) else ""
    missing = sorted(name for name in _members(contract) if not hasattr(item, name))
    if missing:
        return f"; it lacks {', '.join(missing)}"
    return _wrong_value(item, contract) or _wrong_method(item, contract)


def _members(contract: type) -> set[str]:
    properties = {name for name, value in vars(contract).items() if isinstance(value, property)}
    return set(typing.get_type_hints(contract)) | properties | set(_methods(contract))


def _methods(contract: type) -> dict[str, Callable[..., Any]]:
    return {
        name: value
        for name, value in vars(contract).items()
        if inspect.isfunction(value) and (name == "__call__" or not name.startswith("_"))
    }


def _wrong_value(item: object, contract: type) -> str | None:
    for name, hint in typing.get_type_hints(contract).items():
        value = getattr(item, name)
        try:
            TypeAdapter(hint).validate_python(value, strict=True)
        except ValidationError:
            return f"; its {name} is {value!r}, not {inspect.formatannotation(hint)}"
    return None


def _wrong_method(item: object, contract: type) -> str | None:
    for name, promise in _methods(contract).items():
        method = getattr(item, name)
        if not callable(method):
            return f"; its {name} is {method!r}, not a method"
        parameters = list(inspect.signature(promise).parameters)[1:]
        try:
            signature = inspect.signature(method)
        except ValueError:  # written in C
            continue
        try:
            signature.bind(*parameters)
        except TypeError:
            takes, given = ", ".join(signature.parameters), ", ".join(parameters)
            return f"; its {name}({takes}) does not take ({given})"
        is_async = inspect.iscoroutinefunction(method)
        if is_async != inspect.iscoroutinefunction(promise) and inspect.isroutine(method):
            wanted = "a plain method, not `async def`" if is_async else "`async def`"
            return f"; its {name} must be {wanted}"
    return None
