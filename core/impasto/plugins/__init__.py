"""Find, order, load, isolate and list plugins.

pluggy calls hooks; this package sees to it that one broken plugin costs only itself: `finding`
says what there is, `checks` whether it keeps its promises, `host` loads and calls plugins one by
one, `records` holds what is known of each, `troubles` what went wrong with it since the start.
"""

from impasto.plugins.finding import settings_for_painting
from impasto.plugins.host import PluginHost
from impasto.plugins.records import PluginRecord, Trouble

__all__ = ["PluginHost", "PluginRecord", "Trouble", "settings_for_painting"]
