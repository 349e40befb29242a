"""What all commands share: the global options, settings, the bot's plugins, and how they print."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from impasto.contracts import StylePreset
    from impasto.plugins import PluginHost
    from impasto.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dataclass
class Session:
    """The global options, and what follows from them, loaded on first use."""

    config: Path | None = None
    strict: bool = False
    debug: bool = False

    @property
    def arguments(self) -> list[str]:
        """The global options as words, for a process that is to have the same."""
        config = ["--config", str(self.config)] if self.config is not None else []
        flags = [f"--{name}" for name in ("strict", "debug") if getattr(self, name)]
        return [*config, *flags]

    @functools.cached_property
    def settings(self) -> Settings:
        """Settings from all their sources. Raises SettingsError."""
        return self.load_settings()

    @functools.cached_property
    def bot(self) -> PluginHost:
        """The plugins of the bot process, loaded. Raises PluginsFailed and SettingsError."""
        return self.load_bot(self.settings)

    @functools.cached_property
    def offering(self) -> PluginHost:
        """The plugins of the bot process without those built-in ones that only a running bot needs;
        with `--strict` all of them. Raises PluginsFailed and SettingsError."""
        from impasto.hookspecs import BOT_GROUP

        if self.strict:
            return self.bot
        return self.load_offering(BOT_GROUP, {"impasto_commands", "impasto_styles"})

    def presets(self) -> list[StylePreset]:
        """The style presets of all plugins. Raises PluginsFailed and SettingsError."""
        from impasto.contracts import StylePreset

        presets = self.offering.collect("impasto_styles", StylePreset, settings=self.settings)
        if self.strict:
            self.offering.check_strict()
        return presets

    def load_offering(self, group: str, hooks: Set[str]) -> PluginHost:
        """The plugins of a process without those built-in ones that have none of these hooks: they
        import aiogram or torch, which takes seconds."""
        from impasto.plugins import PluginHost
        from impasto.plugins.finding import built_in_without

        plugins = self.settings.plugins
        few = plugins.model_copy(update={"deny": [*plugins.deny, *built_in_without(hooks, group)]})
        return PluginHost(group, self.settings.model_copy(update={"plugins": few})).load()

    def load_settings(self, **overrides: Any) -> Settings:
        """Settings, with some replaced by this command, and logging set up as they say."""
        from impasto.logs import configure_logging
        from impasto.settings import load_settings

        if self.debug:
            overrides = {**overrides, "log": {"level": "debug"}}
        settings = load_settings(self.config, **overrides)
        configure_logging(settings.log)
        return settings

    def load_bot(self, settings: Settings) -> PluginHost:
        """The plugins of the bot process for other settings than those of all sources."""
        from impasto.hookspecs import BOT_GROUP
        from impasto.plugins import PluginHost

        return PluginHost(BOT_GROUP, settings, strict=self.strict).load()


def session_of(context: typer.Context) -> Session:
    """The session of the invocation that a command belongs to; for commands of plugins too.

    It is made when it is first asked for: that may be before the program's own callback has run,
    as finding a plugin's command needs the settings.
    """
    root = context.find_root()
    if not isinstance(root.obj, Session):
        options = {name: root.params.get(name) for name in ("config", "strict", "debug")}
        root.obj = Session(**{name: value for name, value in options.items() if value is not None})
    return root.obj


def print_json(items: Iterable[dict[str, Any]]) -> None:
    """Prints a list; what JSON does not know, such as a path, as text."""
    echo_json(list(items), indent=2)


def echo_json(value: Any, indent: int | None = None) -> None:
    """Prints a value, in ASCII where standard output cannot show its characters: a file's name may
    be of bytes that are no text, and JSON has escapes for those."""
    text = json.dumps(value, indent=indent, ensure_ascii=False, default=str)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=indent, default=str)
    typer.echo(text)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    # What is too long for the terminal goes on in the next line, instead of being cut.
    table = Table(*(Column(name, overflow="fold") for name in columns), box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*map(Text, row))  # a value such as "[x]" is no markup
    Console().print(table)
