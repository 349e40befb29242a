"""`impasto plugins`: what there is to paint with and to talk with, and who brings it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer

from impasto.cli.session import AsJson, Session, print_json, print_table, session_of
from impasto.cli.settings import show_settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from impasto.plugins import PluginHost, PluginRecord
    from impasto.settings import Settings
    from impasto.settings.description import SettingInfo


def plugins(
    context: typer.Context,
    hooks: Annotated[bool, typer.Option("--hooks", help="Show who implements which hook.")] = False,
    settings: Annotated[
        bool, typer.Option("--settings", help="Show the settings of plugins and their values.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the plugins of both processes, and why one does not work."""
    session = session_of(context)
    hosts = _load_both(session)
    records = [(process, record) for process, host in hosts.items() for record in host.records]
    if settings:
        show_settings(session.settings, _infos(hosts.values()), as_json=as_json)
    elif as_json:
        print_json(_as_json(process, record) for process, record in records)
    elif hooks:
        print_table(("hook", "runs in", "plugins"), _hook_rows(hosts))
    else:
        print_table(
            ("name", "version", "origin", "process", "status", "hooks"),
            (
                (r.name, r.version, r.origin, process, r.error or r.status, "\n".join(r.hooks))
                for process, r in records
            ),
        )
    if session.strict:
        for host in hosts.values():
            host.check_strict()


def _load_both(session: Session) -> dict[str, PluginHost]:
    """Both groups in this process, and what they offer asked for: that shows who breaks a promise.

    The listing must show failed plugins also when it is to be strict about them, so it is strict
    at its end only.
    """
    from impasto.hookspecs import BOT_GROUP, PAINTING_GROUP
    from impasto.painting.catalogue import Catalogue
    from impasto.plugins import PluginHost

    bot = PluginHost(BOT_GROUP, session.settings).load()
    painting = PluginHost(PAINTING_GROUP, session.settings).load()
    _ask_all(bot, session.settings)
    Catalogue(painting)
    return {"bot": bot, "painting": painting}


def _ask_all(bot: PluginHost, settings: Settings) -> None:
    """Calls the hooks of the bot's start, as the start does."""
    from impasto.contracts import JobQueue, Presenter, Storage, StylePreset

    presets = bot.collect("impasto_styles", StylePreset, settings=settings)
    asked: list[tuple[str, type[Any], dict[str, Any]]] = [
        ("impasto_storages", Storage, {}),
        ("impasto_queues", JobQueue, {}),
        ("impasto_presenters", Presenter, {"presets": presets}),
    ]
    for hook, contract, more in asked:
        bot.collect(hook, contract, settings=settings, **more)
    for _ in bot.call("impasto_routers", settings=settings):
        pass


def _infos(hosts: Iterable[PluginHost]) -> list[SettingInfo]:
    """Each setting of each plugin, also of one that is in both processes, once."""
    from impasto.settings.description import settings_in

    infos = {
        info.name: info
        for host in hosts
        for record, model in host.call("impasto_settings")
        for info in settings_in(model, f"plugins.{record.name}.")
    }
    return list(infos.values())


def _as_json(process: str, record: PluginRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "version": record.version,
        "origin": record.origin,
        "process": process,
        "order": record.order,
        "hooks": record.hooks,
        "status": record.status,
        "error": record.error,
    }


def _hook_rows(hosts: dict[str, PluginHost]) -> Iterable[tuple[str, str, str]]:
    """Every hook, the process that its documentation names first, and its plugins in order."""
    from impasto import hookspecs

    for hook in hookspecs.HOOKS:
        documentation = inspect.getdoc(getattr(hookspecs, hook)) or ""
        where = documentation.split(".")[0].split(",")[0]
        names = dict.fromkeys(
            r.name for host in hosts.values() for r in host.active if hook in r.hooks
        )
        yield hook, where.lower(), ", ".join(names)
