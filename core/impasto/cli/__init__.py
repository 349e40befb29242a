"""The command line: `impasto run`, `paint`, `styles`, `plugins`, and what plugins add.

One module per group of commands. What is heavy (torch, aiogram) is imported inside them, so that
each command pays for its own needs only. A plugin's command uses the names below.
"""

from impasto.cli.app import main
from impasto.cli.bot import run_until_stopped, stop_on_signals
from impasto.cli.session import Session, session_of

__all__ = ["Session", "main", "run_until_stopped", "session_of", "stop_on_signals"]
