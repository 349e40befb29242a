"""`impasto doctor`: checks everything that a start needs, and says what to do about what is wrong.

Here are the command itself and its findings about this machine: Python, settings, the disk.
"""

from __future__ import annotations

import dataclasses
import os
import platform
import shutil
import stat
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import typer

from impasto import hookimpl
from impasto.cli import AsJson, Session, print_json, session_of
from impasto.contracts import Finding
from impasto.data_folders import OTHERS
from impasto.errors import ImpastoError, SettingsError
from impasto.memory import MEGABYTE
from impasto.settings import Settings

COLORS: Final = {
    "ok": typer.colors.GREEN,
    "warning": typer.colors.YELLOW,
    "problem": typer.colors.RED,
}
INDENT: Final = 9
"""Columns before the name of a finding."""
ENOUGH_DISK: Final = 500 * MEGABYTE
LEAST_DISK: Final = 50 * MEGABYTE


@hookimpl
def impasto_commands(cli: typer.Typer) -> None:
    cli.command("doctor")(doctor)


def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Check everything the bot needs to start, and say how to fix what is wrong.

    The exit code is 1 if the bot would not start."""
    found = []
    for finding in findings(session_of(context)):
        found.append(finding)
        if not as_json:
            _print(finding)
    problems = sum(finding.verdict == "problem" for finding in found)
    if as_json:
        print_json(dataclasses.asdict(finding) for finding in found)
    elif problems:
        typer.echo(f"The bot would not start: {problems} of {len(found)} checks failed.", err=True)
    if problems:
        raise typer.Exit(1)


def _print(finding: Finding) -> None:
    verdict = typer.style(f"{finding.verdict:8}", fg=COLORS[finding.verdict])
    typer.echo(f"{verdict} {_indented(f'{finding.name}: {finding.says}')}")
    if finding.advice:
        typer.echo(f"{'':8} {_indented(f'-> {finding.advice}')}")


def _indented(text: str) -> str:
    """Further lines of it begin below the first, on a terminal; elsewhere it stays one line."""
    if not sys.stdout.isatty():
        return text
    width = shutil.get_terminal_size().columns - INDENT
    return textwrap.indent(
        textwrap.fill(text, width, break_on_hyphens=False), INDENT * " "
    ).lstrip()


def findings(session: Session) -> Iterator[Finding]:
    """All findings, each as soon as it was made."""
    from impasto_doctor import bot, painting

    yield Finding.ok("python", f"{platform.python_version()} on {platform.platform()}")
    try:
        settings, host = session.settings, session.bot
    except SettingsError as error:
        advice = "correct it; `impasto settings` lists all settings and what each allows"
        yield Finding.problem("settings", _one_line(error), advice)
        return
    except ImpastoError as error:  # `--strict`
        yield Finding.problem("plugins", _one_line(error), "repair it, or name it in plugins.deny")
        return
    yield check_settings(settings)
    yield from bot.check_plugins(host)
    paints_here = bot.paints_itself(host)
    for finding in painting.check(settings):
        yield finding if paints_here else _for_workers_only(finding)
    yield check_disk(settings.state_dir)
    yield from check_privacy(settings.state_dir)
    yield from bot.check_telegram(settings)
    yield from bot.own_findings(host)


def _one_line(error: Exception) -> str:
    return "; ".join(str(error).splitlines())


def _for_workers_only(finding: Finding) -> Finding:
    """Where workers paint, no problem of painting keeps `impasto run` from starting."""
    if finding.verdict != "problem":
        return finding
    says = f"for `impasto worker` only: {finding.says}"
    return dataclasses.replace(finding, verdict="warning", says=says)


def check_settings(settings: Settings) -> Finding:
    """The settings that are not at their defaults, and where their values came from."""
    from impasto.settings.description import settings_in, shown, value_of

    changed: dict[str, list[str]] = {}
    for info in settings_in(Settings):
        value = value_of(settings, info.name)
        if value != info.default:
            # A variable is named after its setting, so its name would say nothing more.
            origin = settings.origin(info.name).partition(" IMPASTO_")[0]
            described = info.name if info.is_secret else f"{info.name} = {shown(value)}"
            changed.setdefault(origin, []).append(described)
    parts = [f"{', '.join(names)} from {origin}" for origin, names in changed.items()]
    return Finding.ok("settings", "; ".join(parts) or "all at their defaults")


def check_disk(state_dir: Path) -> Finding:
    """Whether `state_dir` has room, and whether what is written there outlives a restart."""
    folder = state_dir.resolve()
    existing = next(path for path in (folder, *folder.parents) if path.is_dir())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        says = f"state_dir {folder} cannot be written: {error.strerror}"
        advice = "set state_dir to a folder of your own, or change its permissions"
        return Finding.problem("disk", says, advice)
    free = shutil.disk_usage(existing).free
    says = f"state_dir {folder} with {free // MEGABYTE:,} MB free"
    if free < ENOUGH_DISK:
        advice = "make room, or shorten queue.keep_hours"
        make = Finding.problem if free < LEAST_DISK else Finding.warning
        return make("disk", says, advice)
    why = why_forgotten(existing)
    if why:
        says = f"{says}; {why}, together with waiting pictures and fetched networks"
        return Finding.warning(
            "disk", says, "put state_dir on a disk or volume that survives restarts"
        )
    return Finding.ok("disk", says)


def check_privacy(state_dir: Path) -> Iterator[Finding]:
    """Whether others on this machine can look at people's photos."""
    folder = state_dir.resolve()
    if not folder.is_dir() or sys.platform == "win32":
        return
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & OTHERS:
        says = f"other users of this machine can look into state_dir {folder} (mode {mode:o})"
        yield Finding.warning("privacy", says, f"chmod 700 {folder}")
    else:
        yield Finding.ok("privacy", f"nobody else can look into {folder}")


def why_forgotten(folder: Path) -> str:
    """Why a folder will be gone after a restart, as far as that can be known; else empty."""
    if "DYNO" in os.environ:
        return "this host forgets its disk at every restart, at least once a day"
    match file_system_of(folder):
        case "tmpfs" | "ramfs" as kind:
            return f"it is in memory ({kind}), and gone at the next restart"
        case "overlay" | "aufs" as kind:
            return f"it is in the container's own layer ({kind}), and gone when that is replaced"
    return ""


def file_system_of(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """Type of the file system that a folder is on; empty where that is not known.

    The format is that of proc(5): the mount point is the fifth field, the type the first after a
    lone hyphen.
    """
    try:
        lines = mounts.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    found: dict[int, str] = {}
    for line in lines:
        before, _, after = line.partition(" - ")
        point = Path(before.split()[4].replace("\\040", " "))
        if folder.is_relative_to(point):
            found[len(point.parts)] = after.split()[0]  # a later mount hides an earlier one
    return found[max(found)] if found else ""
