"""Writes docs/settings.md and config/impasto.toml from the settings' models.

Run it after a setting has changed: python docs/make_settings_docs.py
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from impasto.hookspecs import BOT_GROUP, PAINTING_GROUP
from impasto.plugins import PluginHost
from impasto.settings import PluginsSettings, Settings
from impasto.settings.description import SettingInfo, settings_in, shown

PAGE = Path(__file__).with_name("settings.md")
CONFIG = Path(__file__).parents[1] / "config" / "impasto.toml"

HEAD = """\
# Settings

This page is made from the code by `docs/make_settings_docs.py`; `impasto settings` shows the same
for your installation, with the values in use and where each came from.

Values come from these places; the first one that has a value wins:

1. variables: `IMPASTO_PAINTING__STEPS=100` is `steps = 100` in the section `[painting]`; lists,
   secrets in files and more are [shown by examples](deploying.md#variables-secrets-and-proxies);
2. the file `.env` in the working directory, with lines like these variables;
3. the variable `PORT`, for `server.port`;
4. a TOML file named by `--config` or `IMPASTO_CONFIG`;
5. the defaults, as in [`config/impasto.toml`](../config/impasto.toml), a good start for a file of
   your own.

If a value is wrong, the bot does not start: it names the setting, the variable or line that sets
it, and what is allowed. For a name that does not exist, it suggests the nearest one. On SIGHUP,
a running bot takes over changes of those marked **reload**; all others need a restart.

```sh
IMPASTO_PAINTING__STEPS=100 impasto settings --changed
impasto settings --json
```
"""

CONFIG_HEAD = """\
# Every setting of Impasto with its default. Copy what you change into a file of your own and name
# it with --config or IMPASTO_CONFIG, or set environment variables: IMPASTO_PAINTING__STEPS=100 is
# [painting] steps = 100. Variables win over .env, .env over your file, your file over this one.
# A plugin's own settings are in a section of its name, as in [plugins.saq]; docs/settings.md and
# `impasto plugins --settings` list them.
#
# This file is made from the code by docs/make_settings_docs.py.

"""


def config() -> str:
    """The text of config/impasto.toml."""
    sections = []
    for section, infos in groupby(settings_in(Settings), lambda info: info.name.rpartition(".")[0]):
        head = f"[{section}]\n" if section else ""
        sections.append(head + "".join(map(_entry, infos)))
    return CONFIG_HEAD + "\n".join(sections)


def _entry(info: SettingInfo) -> str:
    """A setting at its default, below its meaning and bounds as a comment. TOML has no "nothing":
    a setting without a default is a comment as a whole."""
    allowed = " ".join(filter(None, [info.allowed, info.unit]))
    has_bounds = info.allowed and not isinstance(info.default, bool)
    about = f"{info.meaning} Allowed: {allowed}." if has_bounds else info.meaning
    comment = textwrap.fill(about, 100, initial_indent="# ", subsequent_indent="# ")
    name = info.name.rpartition(".")[2]
    value = '"..."' if info.default is None else _toml(info.default)
    return f"{comment}\n{'# ' if info.default is None else ''}{name} = {value}\n"


def _toml(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:_}"
    return json.dumps(str(value) if isinstance(value, Path) else value)


def page() -> str:
    parts = [HEAD]
    core = list(settings_in(Settings))
    for section, infos in groupby(core, lambda info: info.name.rpartition(".")[0]):
        parts.append(f"## {f'`[{section}]`' if section else 'Top level'}\n\n{_table(infos)}")
    parts.append("## Plugins' own sections\n")
    for section, of_plugin in groupby(_of_plugins(), lambda info: info.name.rpartition(".")[0]):
        parts.append(f"### `[{section}]`\n\n{_table(of_plugin)}")
    return "\n".join(parts)


def _of_plugins() -> Iterator[SettingInfo]:
    """Of the built-in ones; `safe_mode` keeps those away that happen to be installed."""
    settings = Settings(plugins=PluginsSettings(safe_mode=True))
    infos: dict[str, SettingInfo] = {}
    for group in (BOT_GROUP, PAINTING_GROUP):
        for record, model in PluginHost(group, settings).load().call("impasto_settings"):
            infos |= {k.name: k for k in settings_in(model, f"plugins.{record.name}.")}
    return iter(sorted(infos.values(), key=lambda info: info.name.rpartition(".")[0]))


def _table(infos: Iterator[SettingInfo]) -> str:
    rows = ["| setting | default | allowed | what it does |", "|---|---|---|---|"]
    for info in infos:
        default = shown(info.default)
        allowed = " ".join(filter(None, [info.allowed, info.unit]))
        is_none = default in {"none", "(not set)"}
        shown_default = "none" if is_none else "(hidden)" if info.is_secret else f"`{default}`"
        live = " **reload**" if info.is_live else ""
        name = info.name.rpartition(".")[2]
        meaning = info.meaning.replace("|", "\\|")
        rows.append(f"| `{name}` | {shown_default} | {allowed} | {meaning}{live} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    CONFIG.write_text(config(), encoding="utf-8")
