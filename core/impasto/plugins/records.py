"""What is known of one plugin: where it is from, whether it works, what went wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final

DEFAULT_ORDER: Final = 100
BUILT_IN: Final = "built-in"
DENIED: Final = "denied"
SAFE_MODE: Final = "off in safe mode"
MOST_TROUBLES: Final = 20
"""Different troubles that are remembered of one plugin; more tell nothing new."""


@dataclass(slots=True)
class Trouble:
    """Something that went wrong once or more often, and cost the plugin nothing (yet)."""

    where: str
    """A hook, or what else was running."""
    problem: str
    count: int = 1


@dataclass(slots=True)
class PluginRecord:
    """One plugin that was found, whether it works or not."""

    name: str
    version: str
    origin: str
    """`built-in`, the name of the distribution, or the path of a one-file plugin."""
    plugin: Any = None
    order: int = DEFAULT_ORDER
    hooks: list[str] = field(default_factory=list)
    left_out: str = ""
    """Why it was not even imported: `denied` or `off in safe mode`."""
    error: str | None = None
    """Why it was taken out."""
    troubles: list[Trouble] = field(default_factory=list)
    failures_in_a_row: int = 0
    """Of hooks that are called again and again."""

    @property
    def status(self) -> str:
        return self.left_out or ("failed" if self.error else "active")

    def note(self, where: str, problem: str) -> Trouble | None:
        """Counts a trouble; returns it, or None when too many others are known already."""
        for trouble in self.troubles:
            if (trouble.where, trouble.problem) == (where, problem):
                trouble.count += 1
                return trouble
        if len(self.troubles) >= MOST_TROUBLES:
            return None
        self.troubles.append(Trouble(where, problem))
        return self.troubles[-1]

    def has_file(self, names: Iterable[str]) -> str | None:
        """The first of these source files that is this plugin's own."""
        homes = self._homes()
        return next(
            (name for name in names if any(Path(name).is_relative_to(home) for home in homes)), None
        )

    def _homes(self) -> list[Path]:
        """The module's file, or the folder of a package."""
        module = self.plugin
        if not isinstance(module, ModuleType):
            module = sys.modules.get(type(self.plugin).__module__)
        if module is None:
            return []
        folders = [Path(folder) for folder in getattr(module, "__path__", [])]
        file = getattr(module, "__file__", None)
        return folders or ([Path(file)] if file else [])
