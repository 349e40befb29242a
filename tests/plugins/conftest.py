"""A Redis for the tests that want one, started once and empty for each test; and every built-in
storage."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from impasto.contracts import Storage
from impasto_saq import RedisStorage
from impasto_saq.settings import SaqSettings
from impasto_sqlite import SqliteStorage

from ..redis_server import RedisServer, running_redis


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis(redis_server: RedisServer) -> RedisServer:
    redis_server.wipe()
    return redis_server


@pytest.fixture(params=["sqlite", "redis"])
async def storage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Storage]:
    storage: Storage = SqliteStorage(tmp_path)
    if request.param == "redis":
        url = request.getfixturevalue("redis").url
        storage = RedisStorage(SaqSettings(redis_url=url), "1", tmp_path)
    await storage.open()
    yield storage
    await storage.close()
