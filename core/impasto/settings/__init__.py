"""Settings: their model, where their values come from, and what is known of each."""

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
    load_settings,
)

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
