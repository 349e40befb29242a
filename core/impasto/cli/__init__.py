"""The command line: `impasto play`, `run`, `paint`, `styles`, `plugins`, and what plugins add.

One module per group of commands. What is heavy (torch, aiogram) is imported inside them, so that
each command pays for its own needs only.
"""

from impasto.cli.app import main
from impasto.cli.session import Session, session_of

__all__ = ["Session", "main", "session_of"]
