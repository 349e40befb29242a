"""`impasto styles` and `impasto plugins`: what there is to paint with, and who brings it."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from impasto.cli.session import Session, session_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from impasto.plugins import PluginHost, PluginRecord
    from impasto.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def add_commands(cli: typer.Typer) -> None:
    cli.command("styles")(styles)
    cli.command("plugins")(plugins)


def styles(context: typer.Context, as_json: AsJson = False) -> None:
    """List the preset styles."""
    from impasto.contracts import StylePreset

    session = session_of(context)
    presets = session.bot.collect("impasto_styles", StylePreset, settings=session.settings)
    if session.strict:
        session.bot.check_strict()
    if as_json:
        _print_json(
            {
                "name": preset.name,
                "titles": preset.titles,
                "picture": str(preset.picture),
                "credit": preset.credit,
                "licence": preset.licence,
            }
            for preset in presets
        )
        return
    _print_table(
        ("name", "title", "credit", "licence"),
        (
            (preset.name, f"{preset.emoji} {preset.title('en')}", preset.credit, preset.licence)
            for preset in presets
        ),
    )


def plugins(
    context: typer.Context,
    hooks: Annotated[bool, typer.Option("--hooks", help="Show who implements which hook.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the plugins of both processes, working or not."""
    session = session_of(context)
    hosts = _load_both(session)
    records = [(process, record) for process, host in hosts.items() for record in host.records]
    if as_json:
        _print_json(_as_json(process, record) for process, record in records)
    elif hooks:
        _print_table(("hook", "runs in", "plugins"), _hook_rows(hosts))
    else:
        _print_table(
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
    from impasto.painting.toolbox import Toolbox
    from impasto.plugins import PluginHost

    bot = PluginHost(BOT_GROUP, session.settings).load()
    painting = PluginHost(PAINTING_GROUP, session.settings).load()
    _ask_all(bot, session.settings)
    Toolbox(painting)
    return {"bot": bot, "painting": painting}


def _ask_all(bot: PluginHost, settings: Settings) -> None:
    """Calls the hooks of the bot's start, as the start does."""
    from impasto.contracts import Presenter, StylePreset
    from impasto.jobs.journal import Storage
    from impasto.jobs.queue import JobQueue

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

    for hook, function in vars(hookspecs).items():
        if not hook.startswith("impasto_"):
            continue
        where = (inspect.getdoc(function) or "").split(".")[0].split(",")[0]
        names = dict.fromkeys(
            r.name for host in hosts.values() for r in host.active if hook in r.hooks
        )
        yield hook, where.lower(), ", ".join(names)


def _print_json(items: Iterable[dict[str, Any]]) -> None:
    typer.echo(json.dumps(list(items), indent=2, ensure_ascii=False))


def _print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
