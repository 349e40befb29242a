"""`impasto plugins install` and `uninstall`: pip, in the environment that this program runs in."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import subprocess
import sys
from typing import Annotated

import typer

from impasto.errors import OwnerError
from impasto.hookspecs import BOT_GROUP, PAINTING_GROUP


def install(
    packages: Annotated[
        list[str] | None,
        typer.Argument(help="As pip takes them: names, versions, addresses or folders."),
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
    found: dict[str, set[str]] = {}
    for group in (BOT_GROUP, PAINTING_GROUP):
        for point in importlib.metadata.entry_points(group=group):
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
