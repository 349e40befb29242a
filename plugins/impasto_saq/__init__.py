"""Many machines: SAQ on Redis as the queue, and Redis as the storage that all of them share.

Redis carries references, never pictures: announcements, the journal, dialogue state, token buckets.
"""

from __future__ import annotations

from impasto import hookimpl
from impasto.contracts import Finding
from impasto.settings import Settings
from impasto_saq.queue import SaqQueue
from impasto_saq.settings import SaqSettings, look_at_redis
from impasto_saq.storage import RedisStorage


@hookimpl
def impasto_settings() -> type[SaqSettings]:
    return SaqSettings


@hookimpl
def impasto_queues(settings: Settings) -> list[SaqQueue]:
    return [SaqQueue(settings.plugin("saq"), _bot_id(settings))]


@hookimpl
def impasto_storages(settings: Settings) -> list[RedisStorage]:
    return [RedisStorage(settings.plugin("saq"), _bot_id(settings), settings.state_dir)]


@hookimpl
def impasto_checks(settings: Settings) -> list[Finding]:
    is_used = settings.queue.kind == SaqQueue.name or settings.queue.storage == RedisStorage.name
    return [look_at_redis(settings.plugin("saq"))] if is_used else []


def _bot_id(settings: Settings) -> str:
    """The public half of the token: bots that share a Redis do not see each other."""
    return settings.telegram.token.get_secret_value().partition(":")[0]
