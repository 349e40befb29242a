"""Raises KeyboardInterrupt where it is to add its command."""

from impasto import hookimpl


@hookimpl
def impasto_commands(cli):
    raise KeyboardInterrupt
