"""The command: runs all checks, prints a line for each, and ends as the bot's start would."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Final

import typer

from impasto.cli.output import AsJson, print_json
from impasto.cli.session import Session, session_of
from impasto.contracts import Finding
from impasto.errors import ImpastoError, SettingsError

COLORS: Final = {
    "ok": typer.colors.GREEN,
    "warning": typer.colors.YELLOW,
    "problem": typer.colors.RED,
}


def add_commands(cli: typer.Typer) -> None:
    cli.command("doctor")(doctor)


def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Check all that the bot needs to start here, and say what to do about what is not right.

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


def findings(session: Session) -> Iterator[Finding]:
    """All findings, each as soon as it is there."""
    from impasto.cli.doctor import machine, painting, plugins, telegram

    yield machine.python()
    try:
        settings, host = session.settings, session.bot
    except SettingsError as error:
        yield _wrong_settings(error)
        return
    except ImpastoError as error:  # `--strict`
        yield Finding(
            name="plugins",
            verdict="problem",
            says=_one_line(error),
            advice="mend it, or leave it out by plugins.deny",
        )
        return
    yield machine.settings(settings)
    yield from plugins.check(host)
    paints_here = plugins.paints_itself(host)
    for finding in painting.check(settings):
        yield finding if paints_here else _of_workers(finding)
    yield machine.disk(settings.state_dir)
    yield from telegram.check(settings)
    yield from plugins.own_findings(host)


def _of_workers(finding: Finding) -> Finding:
    """Where workers paint, `impasto run` starts whatever painting would find here."""
    if finding.verdict != "problem":
        return finding
    says = f"for `impasto worker` only: {finding.says}"
    return dataclasses.replace(finding, verdict="warning", says=says)


def _wrong_settings(error: SettingsError) -> Finding:
    return Finding(
        name="settings",
        verdict="problem",
        says=_one_line(error),
        advice="correct it; `impasto settings` lists what there is and what is allowed",
    )


def _one_line(error: Exception) -> str:
    return "; ".join(str(error).splitlines())


def _print(finding: Finding) -> None:
    verdict = typer.style(f"{finding.verdict:8}", fg=COLORS[finding.verdict])
    typer.echo(f"{verdict} {finding.name}: {finding.says}")
    if finding.advice:
        typer.echo(f"{'':8} -> {finding.advice}")
