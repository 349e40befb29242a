"""`impasto plugins`: the plugins of both processes, their hooks and their settings; and how further
ones are installed."""

from __future__ import annotations

import importlib.util
import inspect
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from impasto.cli.session import AsJson, Session, print_json, print_table, session_of
from impasto.cli.settings import show_settings
from impasto.errors import OwnerError
from impasto.hookspecs import BOT_GROUP, PAINTING_GROUP

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from impasto.plugins import PluginHost, PluginRecord
    from impasto.settings import Settings
    from impasto.settings.description import SettingInfo


def plugins(
    context: typer.Context,
    hooks: Annotated[
        bool, typer.Option("--hooks", help="Show which plugins implement which hook.")
    ] = False,
    settings: Annotated[
        bool, typer.Option("--settings", help="Show the settings of plugins and their values.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List all plugins; those that failed come last, and the reasons below them.

    Exits with 0 even if a plugin failed; `impasto --strict plugins` then exits with 1.
    """
    if context.invoked_subcommand is not None:
        return
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
        print_table(("name", "from", "runs in", "status", "hooks"), _rows(records))
        for process, record in records:
            for problem in filter(None, [record.error, *record.remarks]):
                typer.echo(f"{record.name} ({process}): {problem}")
    if session.strict:
        for host in hosts.values():
            host.check_strict()


def _load_both(session: Session) -> dict[str, PluginHost]:
    """Both groups, loaded in this process, with their hooks called: that shows which plugins break
    their contract.

    With `--strict` the listing shall show failed plugins, too, so it is strict at its end only.
    """
    from impasto.plugins import PluginHost

    bot = PluginHost(BOT_GROUP, session.settings).load()
    _call_start_hooks(bot, session.settings)
    from impasto.painting.catalogue import Catalogue  # with torch, which no plugin above may load

    painting = PluginHost(PAINTING_GROUP, session.settings).load()
    Catalogue(painting)
    return {"bot": bot, "painting": painting}


def _call_start_hooks(bot: PluginHost, settings: Settings) -> None:
    """Calls the hooks that a bot calls at its start."""
    from impasto.contracts import ChatCommand, JobQueue, Presenter, Storage, StylePreset

    presets = bot.collect("impasto_styles", StylePreset, settings=settings)
    bot.collect("impasto_storages", Storage, settings=settings)
    bot.collect("impasto_queues", JobQueue, settings=settings)
    bot.collect("impasto_presenters", Presenter, settings=settings, presets=presets)
    bot.collect("impasto_chat_commands", ChatCommand, settings=settings)
    list(bot.call("impasto_routers", settings=settings))


def _infos(hosts: Iterable[PluginHost]) -> list[SettingInfo]:
    """Each setting of each plugin; once, even if the plugin is in both processes."""
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
        "remarks": record.remarks,
    }


def _rows(records: Sequence[tuple[str, PluginRecord]]) -> Iterator[tuple[str, ...]]:
    """A row for each plugin, also where it is in both processes, failed ones last, near their
    errors; hooks without what all of their names begin with."""
    from impasto.plugins.finding import BUILT_IN

    by_plugin: dict[tuple[str, str, str], dict[str, PluginRecord]] = {}
    for process, record in records:
        key = (record.name, record.origin, record.version)
        by_plugin.setdefault(key, {})[process] = record
    failed_last = sorted(
        by_plugin.items(), key=lambda entry: any(record.error for record in entry[1].values())
    )
    for (name, origin, version), halves in failed_last:
        hooks = {hook.removeprefix("impasto_"): None for r in halves.values() for hook in r.hooks}
        status = ", ".join(dict.fromkeys(r.status for r in halves.values()))
        source = origin if origin == BUILT_IN else f"{origin} {version}".strip()
        yield (
            name,
            source,
            "both" if len(halves) > 1 else next(iter(halves)),
            status,
            ", ".join(hooks),
        )


def _hook_rows(hosts: dict[str, PluginHost]) -> Iterable[tuple[str, str, str]]:
    """Every hook, the process that its docstring names first, and its plugins in their order."""
    from impasto import hookspecs

    for hook in hookspecs.HOOKS:
        documentation = inspect.getdoc(getattr(hookspecs, hook)) or ""
        where = documentation.split(".")[0].split(",")[0]
        names = dict.fromkeys(
            r.name for host in hosts.values() for r in host.active if hook in r.hooks
        )
        yield hook, where.lower(), ", ".join(names)


def install(
    packages: Annotated[
        list[str] | None,
        typer.Argument(help="Names, versions, addresses or folders, as for pip."),
    ] = None,
    *,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", "-U", help="Upgrade what is installed already.")
    ] = False,
    editable: Annotated[
        str, typer.Option("--editable", "-e", help="A project's folder, to run its code in place.")
    ] = "",
) -> None:
    """Install plugins into the environment of this program.

    They run with the bot's rights: install only what you trust."""
    wanted = [*(packages or []), *(["--editable", editable] if editable else [])]
    if not wanted:
        raise typer.BadParameter("name a package, or a folder with --editable")
    before = plugins_by_distribution()
    _pip("install", *(["--upgrade"] if upgrade else []), *wanted)
    after = plugins_by_distribution()
    for distribution, names in after.items():
        if names != before.get(distribution):
            typer.echo(
                f"{distribution} adds {', '.join(sorted(names))}; `impasto plugins` shows it"
            )
    if after == before and not upgrade:
        typer.echo("no plugin has come with it, or it was there already", err=True)


def uninstall(
    names: Annotated[list[str], typer.Argument(help="Names of plugins, or of their packages.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Uninstall the packages of plugins."""
    packages = dict.fromkeys(package_of(name) for name in names)
    _pip("uninstall", *(["--yes"] if yes else []), *packages)


def package_of(name: str) -> str:
    """The installed package of a plugin, by the name of either.

    Raises:
        OwnerError: there is none, or the plugin is built in.
    """
    from impasto.plugins.finding import OWN_DISTRIBUTION

    for distribution, plugins in plugins_by_distribution().items():
        if name in plugins or _normal(name) == _normal(distribution):
            if _normal(distribution) == OWN_DISTRIBUTION:
                raise OwnerError(
                    f"{name!r} is a part of impasto; plugins.deny in the settings leaves it out"
                )
            return distribution
    raise OwnerError(
        f"no package of a plugin {name!r} is installed; `impasto plugins` lists them, and a plugin "
        "that is a single file is removed with its file"
    )


def plugins_by_distribution() -> dict[str, set[str]]:
    """Names of installed plugins by the package that they come from."""
    from impasto.plugins.finding import installed_plugins

    found: dict[str, set[str]] = {}
    for point in installed_plugins():
        if point.dist is not None:
            found.setdefault(point.dist.name, set()).add(point.name)
    return found


def _normal(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _pip(*arguments: str) -> None:
    """Runs pip; what it says is to be read. Raises OwnerError or typer.Exit with its exit code."""
    if importlib.util.find_spec("pip") is None:
        command = f"uv pip {arguments[0]} --python {sys.executable}"
        raise OwnerError(f"this Python has no pip; with uv it is: {command} ...")
    ended = subprocess.run([sys.executable, "-P", "-m", "pip", *arguments], check=False)  # noqa: S603
    if ended.returncode != 0:
        raise typer.Exit(ended.returncode)
