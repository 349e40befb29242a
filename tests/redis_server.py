"""A real Redis for tests: a process on a port of its own, which can die and come back."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from .ports import reserved_port

SECONDS_TO_START = 30.0


class RedisServer:
    """`redis-server` with an append-only file in `folder`."""

    def __init__(
        self, folder: Path, port: int, environment: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """`environment` are variables beside those of this process."""
        self._folder = folder
        self._environment = environment
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Starts it, unless it runs, with what it had when it ended; waits until it answers."""
        if self._process is not None:
            return
        settings = {
            "port": self._port,
            "bind": "127.0.0.1",
            "dir": self._folder,
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
        }
        words = [str(word) for name, value in settings.items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen(
            ["redis-server", *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **self._environment},
        )
        deadline = time.monotonic() + SECONDS_TO_START
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("redis-server did not start")
            time.sleep(0.02)

    @property
    def pid(self) -> int | None:
        """None while it does not run."""
        return None if self._process is None else self._process.pid

    def kill(self) -> None:
        """Ends it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def wipe(self) -> None:
        """Removes all data."""
        self._command("FLUSHALL")

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            return self._command("PING") == b"+PONG\r\n"
        return False

    def _command(self, word: str) -> bytes:
        with socket.create_connection(("127.0.0.1", self._port), timeout=5) as connection:
            connection.sendall(f"{word}\r\n".encode())
            return connection.recv(100)


@contextlib.contextmanager
def running_redis(folder: Path) -> Iterator[RedisServer]:
    """A server with no data; skips the test where there is no Redis, except in CI."""
    if shutil.which("redis-server") is None:
        reason = "there is no redis-server on this machine (Debian: apt-get install redis-server)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with reserved_port() as port:
        server = RedisServer(folder, port)
        try:
            server.start()
            yield server
        finally:
            server.kill()
