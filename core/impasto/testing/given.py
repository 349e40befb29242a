"""Plugins as tests name them: modules, objects with hooks, paths of one-file plugins."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from impasto import hookspecs
from impasto.settings import Settings
from impasto.testing import tiny_network
from impasto.testing.factories import make_settings

Sections = Mapping[str, Mapping[str, Any]]
"""Settings by section."""


@dataclass
class Given:
    """Plugins of a test: files can be loaded in any process, objects in the test's own only."""

    files: list[Path] = field(default_factory=list)
    objects: dict[str, object] = field(default_factory=dict)

    def settings(self, sections: Sections, state_dir: Path) -> Settings:
        """Settings of the test kit with these sections, files and the tiny network."""
        plugins = {**sections.get("plugins", {})}
        plugins["files"] = [Path(tiny_network.__file__), *self.files, *plugins.get("files", [])]
        return make_settings(
            network=tiny_network.NAME, state_dir=state_dir, **{**sections, "plugins": plugins}
        )

    def objects_with(self, hooks: Iterable[str]) -> dict[str, object]:
        """Those objects that have any of these hooks."""
        wanted = set(hooks)
        return {name: plugin for name, plugin in self.objects.items() if wanted & set(dir(plugin))}


def given(plugins: Iterable[object]) -> Given:
    """Sorts plugins by how they can be loaded. Modules of installed plugins are left out: they are
    loaded anyway.

    Raises:
        TypeError: something has no hook at all.
    """
    found = Given()
    for plugin in plugins:
        if isinstance(plugin, str | Path):
            found.files.append(Path(plugin).resolve())
        elif not set(dir(plugin)) & set(hookspecs.HOOKS):
            raise TypeError(f"{plugin!r} is no plugin: it has no hook, and is no path of a file")
        elif not isinstance(plugin, ModuleType):
            name = getattr(plugin, "__name__", type(plugin).__name__).lower()
            found.objects[name] = plugin
        elif not _is_installed(plugin) and plugin.__file__ is not None:
            found.files.append(Path(plugin.__file__).resolve())
    return found


def _is_installed(module: ModuleType) -> bool:
    groups = (hookspecs.BOT_GROUP, hookspecs.PAINTING_GROUP)
    return any(
        point.value == module.__name__
        for group in groups
        for point in importlib.metadata.entry_points(group=group)
    )
