"""What is checked at load: the error names plugin, hook, what came and what was expected."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pluggy
import pytest
from structlog.testing import capture_logs

from impasto import hookimpl, hookspecs
from impasto.contracts import JobQueue, Optimizer, Preprocessor, Storage, StylePreset
from impasto.hookspecs import PAINTING_GROUP
from impasto.plugins import PluginHost
from impasto.settings import Settings

from .plugin_bench import Plugin, host_with, record_of, settings_with

ALONE = settings_with()


def error_of(host: PluginHost) -> str:
    return record_of(host).error or ""


class Sepia:
    """A preprocessor as it should be; subclasses break one promise each."""

    name: Any = "sepia"
    order: Any = 1
    roles: Any = frozenset({"content"})

    def __call__(self, picture: Any, context: Any) -> Any:
        return picture


class NoOrder:
    name = "sepia"
    roles = frozenset({"content"})

    def __call__(self, picture: Any, context: Any) -> Any: ...


class TextOrder(Sepia):
    order = "first"


class WrongRole(Sepia):
    roles = frozenset({"photo"})


class RolesInASet(Sepia):
    roles = {"content"}  # noqa: RUF012


class NoContext(Sepia):
    def __call__(self, picture: Any) -> Any: ...  # type: ignore[override]


class Async(Sepia):
    async def __call__(self, picture: Any, context: Any) -> Any: ...


class Explodes(Sepia):
    @property
    def name(self) -> str:  # type: ignore[override]
        raise RuntimeError("boom")


BROKEN = [
    (NoOrder(), "returned NoOrder 'sepia', which is no Preprocessor; it lacks order"),
    (TextOrder(), "its order is 'first', not int"),
    (WrongRole(), "its roles is frozenset({'photo'}), not frozenset["),
    (RolesInASet(), "its roles is {'content'}, not frozenset["),
    (NoContext(), "its __call__(picture) does not take (picture, context)"),
    (Async(), "its __call__ must be a plain method, not `async def`"),
    (Sepia, "it is a class, return an object: Sepia(...)"),
    (Explodes(), "looking at it raises RuntimeError: boom"),
    (lambda picture, context: picture, "it lacks name, order, roles"),
]


@pytest.mark.parametrize(
    ("item", "problem"), BROKEN, ids=lambda value: getattr(type(value), "__name__", "")
)
def test_an_object_that_does_not_fit_is_refused_in_words(item: object, problem: str) -> None:
    host = host_with(
        group=PAINTING_GROUP, mine=Plugin(impasto_preprocessors=lambda settings: [item])
    )
    contract: type = Preprocessor
    assert host.collect("impasto_preprocessors", contract, settings=ALONE) == []
    assert error_of(host).startswith("impasto_preprocessors returned ")
    assert problem in error_of(host)


def test_one_that_fits_is_taken() -> None:
    sepia = Sepia()
    host = host_with(
        group=PAINTING_GROUP, mine=Plugin(impasto_preprocessors=lambda settings: [sepia])
    )
    contract: type = Preprocessor
    assert host.collect("impasto_preprocessors", contract, settings=ALONE) == [sepia]


def test_a_method_may_take_more_than_it_is_given() -> None:
    class Mine:
        name = "mine"

        def minimize(self, problem: Any, steps: int, momentum: float = 0.9) -> Any: ...

    mine = Mine()
    host = host_with(group=PAINTING_GROUP, mine=Plugin(impasto_optimizers=lambda settings: [mine]))
    contract: type = Optimizer
    assert host.collect("impasto_optimizers", contract, settings=ALONE) == [mine]


def test_a_method_that_is_awaited_must_be_async() -> None:
    class Mine:
        name = "mine"
        embedded_worker = True

        def open(self) -> None: ...
        async def announce(self) -> None: ...
        async def wait(self) -> None: ...
        async def close(self) -> None: ...

    host = host_with(mine=Plugin(impasto_queues=lambda settings: [Mine()]))
    contract: type = JobQueue
    assert host.collect("impasto_queues", contract, settings=ALONE) == []
    assert error_of(host).endswith("which is no JobQueue; its open must be `async def`")


def test_properties_of_a_contract_count_too() -> None:
    class Mine:
        name = "mine"
        journal = None

        async def open(self) -> None: ...
        async def close(self) -> None: ...

    host = host_with(mine=Plugin(impasto_storages=lambda settings: [Mine()]))
    contract: type = Storage
    assert host.collect("impasto_storages", contract, settings=ALONE) == []
    assert re.search(r"it lacks .*\bdialogue\b", error_of(host))


def test_values_are_looked_into() -> None:
    preset: Any = StylePreset(
        name="x",
        titles={"en": "x"},
        picture="x.png",  # type: ignore[arg-type]
        credit="",
        licence="",
    )
    host = host_with(mine=Plugin(impasto_styles=lambda settings: [preset]))
    assert host.collect("impasto_styles", StylePreset, settings=ALONE) == []
    assert "its picture is 'x.png', not pathlib.Path" in error_of(host)


def test_a_hook_cannot_be_async() -> None:
    async def styles(settings: Settings) -> list[StylePreset]:
        return []

    host = host_with(mine=Plugin(impasto_styles=styles))
    assert error_of(host) == "impasto_styles must be a plain function, not `async def`"


def test_a_hook_cannot_wrap_those_of_others() -> None:
    def styles(settings: Settings) -> Any:
        return (yield)

    plugin = Plugin()
    plugin.impasto_styles = hookimpl(wrapper=True)(styles)  # type: ignore[attr-defined]
    assert "impasto_styles cannot be a wrapper" in error_of(host_with(mine=plugin))


def test_a_plugin_in_the_wrong_group_is_told_the_right_one() -> None:
    painting = Plugin(impasto_optimizers=lambda settings: [])
    assert error_of(host_with(mine=painting)) == (
        "impasto_optimizers runs in the other process; "
        "register the plugin in the entry-point group 'impasto.painting'"
    )
    styles = Plugin(impasto_styles=lambda settings: [])
    assert error_of(host_with(group=PAINTING_GROUP, mine=styles)).endswith("group 'impasto'")


@pytest.mark.parametrize("required", ["1.0", hookspecs.HOOK_API])
def test_a_plugin_that_needs_this_hook_api_or_an_older_minor_one_works(required: str) -> None:
    plugin = Plugin(impasto_styles=lambda settings: [])
    plugin.impasto_api = required  # type: ignore[attr-defined]
    assert error_of(host_with(mine=plugin)) == ""


@pytest.mark.parametrize(
    ("required", "problem"),
    [
        ("1.99", "needs hook API 1.99, and this is 1.0; install a newer version of impasto"),
        ("2.0", "needs hook API 2.0, and this is 1.0; install a newer version of impasto"),
        ("0.9", "needs hook API 0.9, and this is 1.0; install a newer version of the plugin"),
        (1, "impasto_api must be text such as '1.0', not 1"),
        ("new", "impasto_api must be text such as '1.0', not 'new'"),
    ],
)
def test_a_plugin_that_needs_another_hook_api_says_which(required: object, problem: str) -> None:
    plugin = Plugin(impasto_styles=lambda settings: [])
    plugin.impasto_api = required  # type: ignore[attr-defined]
    assert error_of(host_with(mine=plugin)) == problem


def deprecations(logged: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Plugin and message of each deprecation in the log."""
    return [(e["plugin"], e["what"]) for e in logged if e["event"] == "plugin_uses_deprecated"]


class TestDeprecation:
    """The policy is pluggy's own: a specification warns when a plugin implements it."""

    @pytest.fixture(autouse=True)
    def an_old_hook(self, monkeypatch: pytest.MonkeyPatch) -> None:
        mark = pluggy.HookspecMarker("impasto")

        def impasto_filters(settings: Settings, kind: str) -> list[Any]:  # type: ignore[empty-body]
            """Bot. Return filters."""

        monkeypatch.setattr(
            hookspecs,
            "impasto_filters",
            mark(
                warn_on_impl=DeprecationWarning("impasto_filters goes with 2.0"),
                warn_on_impl_args={"kind": DeprecationWarning("kind goes with 2.0")},
            )(impasto_filters),
            raising=False,
        )
        monkeypatch.setattr(hookspecs, "HOOKS", (*hookspecs.HOOKS, "impasto_filters"))

    def test_who_implements_it_is_warned_and_still_called(self, tmp_path: Path) -> None:
        plugin = Plugin(impasto_filters=lambda settings: ["sepia"])
        with pytest.warns(DeprecationWarning, match="goes with 2.0"), capture_logs() as logged:
            host = host_with(mine=plugin)
        assert [result for _, result in host.call("impasto_filters", settings=ALONE, kind="")] == [
            ["sepia"]
        ]
        assert deprecations(logged) == [("mine", "impasto_filters goes with 2.0")]

    def test_arguments_can_be_deprecated_too(self) -> None:
        def filters(settings: Settings, kind: str) -> list[Any]:
            return []

        with pytest.warns(DeprecationWarning, match="goes with"), capture_logs() as logged:
            host_with(mine=Plugin(impasto_filters=filters))
        assert ("mine", "kind goes with 2.0") in deprecations(logged)

    def test_who_does_not_is_left_alone(self) -> None:
        with warnings.catch_warnings(), capture_logs() as logged:
            warnings.simplefilter("error")
            host = host_with(mine=Plugin(impasto_styles=lambda settings: []))
        assert record_of(host).status == "active"
        assert deprecations(logged) == []
