"""What went wrong with plugins since the bot's start, on the disk: `impasto plugins` shows it.

The bot and its painting child write one file each into `state_dir/plugins`. It is a help for the
owner and nothing else, so trouble with writing it is no trouble.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import structlog

from impasto.plugins.records import PluginRecord

log = structlog.get_logger(__name__)

FOLDER = "plugins"

Told = dict[str, list[dict[str, Any]]]
"""Troubles (`where`, `problem`, `count`) by plugin."""


def forget_troubles(state_dir: Path) -> None:
    """The bot starts anew: what was before is not interesting any more."""
    for file in (state_dir / FOLDER).glob("*.json"):
        file.unlink(missing_ok=True)


def read_troubles(state_dir: Path, group: str) -> Told:
    """What the processes that loaded this group of plugins have met since the bot's start."""
    try:
        told: Told = json.loads(_file(state_dir, group).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told


def write_troubles(state_dir: Path, group: str, records: Iterable[PluginRecord]) -> None:
    """Replaces the file; a plugin that was taken out has its error among its troubles."""
    told: Told = {}
    for record in records:
        troubles = [
            {"where": t.where, "problem": t.problem, "count": t.count} for t in record.troubles
        ]
        if troubles:
            told[record.name] = troubles
    file = _file(state_dir, group)
    unfinished = file.with_suffix(".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
        unfinished.replace(file)
    except OSError as error:
        log.warning("plugin_troubles_not_written", file=str(file), why=str(error))


def _file(state_dir: Path, group: str) -> Path:
    return state_dir / FOLDER / f"{group}.json"
