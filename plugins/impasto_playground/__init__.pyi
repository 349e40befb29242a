"""What is imported from here, and where it is; `__init__.py` and type checkers read this list."""

# isort: skip_file

from impasto_playground.faults import (
    Fault as Fault,
    FaultKind as FaultKind,
)
from impasto_playground.person import Person as Person
from impasto_playground.server import Playground as Playground

import typer

def impasto_commands(cli: typer.Typer) -> None: ...
