"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def table(header: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    def row(cells: Sequence[Any]) -> str:
        return "| " + " | ".join(map(str, cells)) + " |"

    return "\n".join([row(header), row(["---"] * len(header)), *map(row, lines)])


def yes(reached: bool | None) -> str:
    """Empty for what is not measured."""
    return {True: "yes", False: "no", None: ""}[reached]
