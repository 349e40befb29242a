"""Ports for servers that tests start: nobody takes one between its choice and its use."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator


@contextlib.contextmanager
def reserved_port() -> Iterator[int]:
    """A port of this machine's loopback that stays the test's own as long as the block lasts.

    It is bound and not listened on, with SO_REUSEADDR (socket(7)): a server that sets this option
    as well, as asyncio's and Redis do, may listen there, and the kernel gives the port to nobody
    who asks for any.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
