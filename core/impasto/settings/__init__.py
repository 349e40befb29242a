"""Settings: what there is to set, where the values come from, and how they are described.

The strongest source first: what a command sets, `IMPASTO_*` environment variables (`__` for
nesting), the same in `.env`, the variable `PORT` for `server.port`, the file named by `--config` or
`IMPASTO_CONFIG`, and `config/impasto.toml`, which has the defaults.
"""

from impasto.settings.description import LIVE
from impasto.settings.model import (
    AUTO,
    EMBEDDED_NETWORK,
    RESERVED_PLUGIN_NAMES,
    LogSettings,
    PaintingSettings,
    PluginsSettings,
    QueueSettings,
    Section,
    ServerSettings,
    Settings,
    TelegramSettings,
)
from impasto.settings.sources import load_settings

__all__ = [
    "AUTO",
    "EMBEDDED_NETWORK",
    "LIVE",
    "RESERVED_PLUGIN_NAMES",
    "LogSettings",
    "PaintingSettings",
    "PluginsSettings",
    "QueueSettings",
    "Section",
    "ServerSettings",
    "Settings",
    "TelegramSettings",
    "load_settings",
]
