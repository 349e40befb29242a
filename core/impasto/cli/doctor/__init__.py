"""`impasto doctor`: everything that a start needs, one by one, and what to do about it."""

from impasto.cli.doctor.command import add_commands

__all__ = ["add_commands"]
