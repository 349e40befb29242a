"""What errors of calls mean, and the loop that tries again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import structlog
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import GetMe
from aiogram.utils.backoff import BackoffConfig

from impasto.telegram import retry
from impasto.telegram.retry import (
    AskedToWait,
    BotRefused,
    CallFailed,
    ChatMoved,
    Done,
    MessageGone,
    NotModified,
    OutOfOrder,
    PersonGone,
    Refused,
    TooLarge,
    TryLater,
    Unreadable,
    meaning_of,
    means,
    overlooked,
    retried,
)

METHOD = GetMe()


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (TelegramNetworkError(METHOD, "ClientConnectorError"), TryLater),
        (TelegramServerError(METHOD, "Bad Gateway"), OutOfOrder),
        (TelegramRetryAfter(METHOD, "Flood control", 7), AskedToWait),
        (ClientDecodeError("Failed to decode object", ValueError(), "<html>"), Unreadable),
        (ClientDecodeError("Failed to deserialize", ValueError(), {"ok": True}), Done),
        (TelegramUnauthorizedError(METHOD, "Unauthorized"), BotRefused),
        (TelegramConflictError(METHOD, "Conflict"), BotRefused),
        (TelegramForbiddenError(METHOD, "Forbidden: bot was blocked by the user"), PersonGone),
        (TelegramBadRequest(METHOD, "Bad Request: chat not found"), PersonGone),
        (TelegramMigrateToChat(METHOD, "group chat was upgraded", -100), ChatMoved),
        (TelegramBadRequest(METHOD, "Bad Request: message to edit not found"), MessageGone),
        (TelegramBadRequest(METHOD, "Bad Request: message is not modified"), NotModified),
        (TelegramBadRequest(METHOD, "Bad Request: can't parse entities"), Refused),
        (TelegramNotFound(METHOD, "Not Found"), Refused),
        (TelegramEntityTooLarge(METHOD, "Request Entity Too Large"), TooLarge),
        (TelegramBadRequest(METHOD, "Bad Request: file is too big"), TooLarge),
    ],
    ids=str,
)
def test_each_error_means_one_thing(
    error: TelegramAPIError | ClientDecodeError, meaning: type[CallFailed]
) -> None:
    assert type(meaning_of(error)) is meaning
    assert means(error, meaning)


@pytest.mark.parametrize("error", [ZeroDivisionError(), AiogramError(), TryLater("no call's own")])
def test_what_is_no_error_of_a_call_means_nothing(error: Exception) -> None:
    assert not means(error, CallFailed)


def test_only_what_is_named_is_overlooked() -> None:
    with overlooked("x"):
        raise TelegramNetworkError(METHOD, "away")
    with overlooked("x", Refused):
        raise TelegramEntityTooLarge(METHOD, "too large")
    with pytest.raises(TelegramNetworkError), overlooked("x", Refused):
        raise TelegramNetworkError(METHOD, "away")
    with pytest.raises(ZeroDivisionError), overlooked("x"):
        raise ZeroDivisionError


async def test_what_people_wrote_is_not_logged(naps: Naps) -> None:
    error = ClientDecodeError("Failed", ValueError("secret"), {"ok": True, "result": "secret"})
    with structlog.testing.capture_logs() as logs:
        await retried(failing(error), event="x")
        with overlooked("y"):
            raise error
    assert len(logs) == 2
    assert "secret" not in str([line["why"] for line in logs])


class Naps:
    """Time that passes only while somebody sleeps."""

    def __init__(self, loop: asyncio.AbstractEventLoop, patch: pytest.MonkeyPatch) -> None:
        self.now, self.taken = 0.0, list[float]()
        patch.setattr(loop, "time", lambda: self.now)
        patch.setattr("impasto.telegram.retry.asyncio.sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.taken.append(seconds)


@pytest.fixture
async def naps(monkeypatch: pytest.MonkeyPatch) -> Naps:
    steady = BackoffConfig(min_delay=1.0, max_delay=8.0, factor=2.0, jitter=0.0)
    monkeypatch.setattr(retry, "BACKOFF", steady)
    return Naps(asyncio.get_running_loop(), monkeypatch)


def failing(*errors: Exception) -> Callable[[], asyncio.Future[str]]:
    """Fails like this, one after the other, and then returns "done"."""
    left = list(errors)

    async def work() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return work  # type: ignore[return-value]


async def test_pauses_grow_up_to_the_longest(naps: Naps) -> None:
    errors = [TryLater("away")] * 6
    assert await retried(failing(*errors), event="away") == "done"
    assert naps.taken == [1, 2, 4, 8, 8, 8]


async def test_a_pause_that_telegram_asks_for_is_kept(naps: Naps) -> None:
    flood = TelegramRetryAfter(METHOD, "Flood control", 40)
    assert await retried(failing(flood, OSError("x"), flood), event="x") == "done"
    assert naps.taken == [40, 1, 40]


async def test_every_failed_try_is_logged(naps: Naps) -> None:
    with structlog.testing.capture_logs() as logs:
        await retried(failing(TryLater("away"), ZeroDivisionError("a bug")), event="x", job="7")
    away, bug = logs
    assert (away["event"], away["why"], away["job"]) == ("x", "TryLater: away", "7")
    assert (away["log_level"], away["again_in_seconds"]) == ("warning", 1)
    assert "exc_info" not in away
    assert (bug["log_level"], bug["again_in_seconds"], bug["exc_info"]) == ("error", 2, True)


async def test_what_is_final_is_raised_at_once(naps: Naps) -> None:
    refused = failing(TryLater("away"), Refused("never"))
    with pytest.raises(Refused):
        await retried(refused, event="x", retry_if=lambda error: isinstance(error, TryLater))
    assert naps.taken == [1]


async def test_no_try_is_begun_after_the_time_given(naps: Naps) -> None:
    errors = [TryLater(f"try {number}") for number in range(1, 9)]
    with pytest.raises(TryLater, match="try 4"):
        await retried(failing(*errors), event="x", seconds=7)
    assert naps.taken == [1, 2, 4]


async def test_it_can_be_cancelled_in_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "BACKOFF", BackoffConfig(60, 61, 2, 0))
    task = asyncio.create_task(retried(failing(TryLater("away")), event="x"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
