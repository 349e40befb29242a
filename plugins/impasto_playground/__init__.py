"""A Bot API server on this machine and a chat page: the bot with no token and no account."""

from .faults import Fault, FaultKind
from .person import Person
from .server import Playground

__all__ = ["Fault", "FaultKind", "Person", "Playground"]
