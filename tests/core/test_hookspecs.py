"""Every hook is explained and used: a hook without a user is a guess."""

from __future__ import annotations

import inspect

import pytest

from impasto import hookspecs
from impasto.hookspecs import BOT_GROUP, PAINTING_GROUP
from impasto.plugins import PluginHost
from impasto.settings import Settings

HOOKS = sorted(name for name in vars(hookspecs) if name.startswith("impasto_"))
PROCESSES = ("Bot", "Painting process", "Both processes", "Command line")


@pytest.fixture(scope="module")
def hosts() -> dict[str, PluginHost]:
    return {group: PluginHost(group, Settings()).load() for group in (BOT_GROUP, PAINTING_GROUP)}


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hooks_docstring_begins_with_where_it_runs_and_says_what_to_return(hook: str) -> None:
    documentation = inspect.getdoc(getattr(hookspecs, hook)) or ""
    assert documentation.startswith(PROCESSES)
    assert "return" in documentation.lower()


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_is_marked_and_typed(hook: str) -> None:
    function = getattr(hookspecs, hook)
    assert hasattr(function, "impasto_spec"), "marked with @hookspec"
    signature = inspect.signature(function)
    annotations = [p.annotation for p in signature.parameters.values()]
    assert inspect.Signature.empty not in [*annotations, signature.return_annotation]


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_is_implemented_by_a_built_in_plugin(
    hook: str, hosts: dict[str, PluginHost]
) -> None:
    users = [
        record.name
        for host in hosts.values()
        for record in host.active
        if hook in record.hooks and record.origin == "built-in"
    ]
    assert users, f"nobody uses {hook}"


def test_all_built_in_plugins_load(hosts: dict[str, PluginHost]) -> None:
    failed = {r.name: r.error for host in hosts.values() for r in host.records if r.error}
    assert failed == {}


def test_the_module_explains_how_a_plugin_is_written() -> None:
    assert hookspecs.__doc__ is not None
    for word in ("hookimpl", BOT_GROUP, PAINTING_GROUP, "impasto_order"):
        assert word in hookspecs.__doc__
