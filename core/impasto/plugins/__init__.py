"""Find, order, load, isolate and list plugins.

pluggy calls hooks; this package sees to it that one broken plugin costs only itself: `finding`
says which plugins there are, `checks` whether they keep their promises, `host` loads and calls them
one by one, `containment` says what an exception of theirs is and whose code runs, `event_loop` sees
to that in tasks, and names the one that blocks the bot.
"""

from impasto.plugins.finding import PluginRecord, settings_for_painting, without_plugins
from impasto.plugins.host import PluginHost

__all__ = ["PluginHost", "PluginRecord", "settings_for_painting", "without_plugins"]
