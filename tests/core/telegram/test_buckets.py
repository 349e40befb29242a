"""Token buckets: never more than the rate and the burst allow, whoever asks and when."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from impasto.contracts import Rate
from impasto.telegram.pacing import MemoryBuckets

SECOND = Rate("chat 1", per_second=1.0, burst=3)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_a_burst_is_there_at_once_and_the_rest_in_turn() -> None:
    buckets = MemoryBuckets(Clock())
    assert [await buckets.take(SECOND) for _ in range(5)] == [0, 0, 0, 1, 2]


async def test_a_bucket_fills_again_but_not_beyond_its_burst() -> None:
    clock = Clock()
    buckets = MemoryBuckets(clock)
    for _ in range(3):
        await buckets.take(SECOND)
    clock.now += 1
    assert [await buckets.take(SECOND) for _ in range(2)] == [0, 1]
    clock.now += 100
    assert [await buckets.take(SECOND) for _ in range(4)] == [0, 0, 0, 1]


async def test_who_has_no_patience_takes_nothing() -> None:
    buckets = MemoryBuckets(Clock())
    for _ in range(3):
        await buckets.take(SECOND, patience=0)
    assert [await buckets.take(SECOND, patience=0.5) for _ in range(3)] == [1, 1, 1]
    assert await buckets.take(SECOND, patience=1) == 1


async def test_of_several_buckets_all_are_taken_or_none() -> None:
    clock = Clock()
    buckets = MemoryBuckets(clock)
    narrow = Rate("chat 2", per_second=0.1)
    await buckets.take(SECOND, narrow)
    assert await buckets.take(SECOND, narrow, patience=1) == 10
    assert [await buckets.take(SECOND) for _ in range(3)] == [0, 0, 1]


async def test_nobody_gets_a_token_of_a_bucket_on_hold() -> None:
    clock = Clock()
    buckets = MemoryBuckets(clock)
    await buckets.hold(SECOND, 30)
    await buckets.hold(SECOND, 10)
    assert await buckets.take(SECOND, patience=5) == 30
    assert [await buckets.take(SECOND) for _ in range(3)] == [30, 31, 32], "one at a time"
    assert await buckets.take(SECOND._replace(bucket="chat 2")) == 0


async def test_full_buckets_take_no_memory() -> None:
    clock = Clock()
    buckets = MemoryBuckets(clock)
    for chat in range(10_000):
        await buckets.take(SECOND._replace(bucket=f"chat {chat}"))
        clock.now += 0.1
    assert len(buckets._full_at) <= 1024  # shows only as memory


@given(
    pauses=st.lists(st.floats(0, 5), min_size=1, max_size=40),
    per_second=st.floats(0.1, 10),
    burst=st.integers(1, 5),
)
async def test_no_window_of_time_sees_too_many(
    pauses: list[float], per_second: float, burst: int
) -> None:
    clock = Clock()
    buckets = MemoryBuckets(clock)
    rate = Rate("any", per_second, burst)
    times = []
    for pause in pauses:
        clock.now += pause
        times.append(clock.now + await buckets.take(rate))
    for first, begin in enumerate(times):
        for last, end in enumerate(times[first:], first):
            assert last - first + 1 <= burst + per_second * (end - begin) + 1e-6
