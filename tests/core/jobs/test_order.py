"""The order of waiting jobs: fair, and the same that claims follow one after the other."""

from __future__ import annotations

import time
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from impasto.jobs.order import WaitingJob, in_order

LARGE = 1000


@st.composite
def waiting_jobs(draw: st.DrawFn) -> list[WaitingJob]:
    """Jobs of some people, of whom some have had their turn."""
    turns = draw(st.lists(st.integers(0, 3), max_size=5))
    # No two jobs start at the same moment: only people who have had no turn share one.
    turns = [turn and 10 * turn + person for person, turn in enumerate(turns)]
    jobs = draw(
        st.lists(
            st.tuples(st.integers(0, len(turns) - 1), st.sampled_from([0, LARGE, LARGE + 1])),
            max_size=12,
        )
        if turns
        else st.just([])
    )
    return [
        WaitingJob(f"job {number}", person, number, pixels, turns[person])
        for number, (person, pixels) in enumerate(jobs)
    ]


@given(waiting_jobs(), st.randoms(), st.sampled_from([None, LARGE]))
def test_everybody_has_one_place_however_they_are_listed(
    waiting: list[WaitingJob], random: object, larger_than: int | None
) -> None:
    order = in_order(waiting, larger_than)
    assert sorted(order) == sorted(job.id for job in waiting)
    shuffled = list(waiting)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert in_order(shuffled, larger_than) == order


@given(waiting_jobs())
def test_next_is_whoever_has_waited_longest_since_their_last(waiting: list[WaitingJob]) -> None:
    longest = sorted(waiting, key=lambda job: (job.turn, job.number))
    assert in_order(waiting)[:1] == [job.id for job in longest[:1]]


@given(waiting_jobs())
def test_the_places_are_those_that_claims_lead_to(waiting: list[WaitingJob]) -> None:
    left, claimed, now = list(waiting), [], 1000
    while left:
        [first] = [job for job in left if job.id == in_order(left)[0]]
        now += 1
        claimed.append(first.id)
        left = [
            job._replace(turn=now) if job.person == first.person else job
            for job in left
            if job is not first
        ]
    assert claimed == in_order(waiting)


@given(waiting_jobs())
def test_large_jobs_come_first_where_that_is_asked_for(waiting: list[WaitingJob]) -> None:
    large = [job for job in waiting if job.pixels > LARGE]
    others = [job for job in waiting if job.pixels <= LARGE]
    assert in_order(waiting, LARGE) == in_order(large) + in_order(others)


@given(waiting_jobs())
def test_nobody_is_served_twice_before_somebody_is_served(waiting: list[WaitingJob]) -> None:
    person_of = {job.id: job.person for job in waiting}
    served: list[int] = []
    for person in (person_of[job_id] for job_id in in_order(waiting)):
        still_waits = {other for other in person_of.values() if other not in served}
        assert person not in served or not still_waits
        served.append(person)


def test_a_persons_own_jobs_stay_in_the_order_of_acceptance() -> None:
    waiting = [WaitingJob(f"{n}", n % 3, n, 0, turn=(n % 3) * 5) for n in range(9)]
    order = [int(job_id) for job_id in in_order(waiting)]
    for person, own in groupby(sorted(order, key=lambda n: n % 3), key=lambda n: n % 3):
        assert list(own) == sorted(n for n in order if n % 3 == person)


def test_two_hundred_waiting_jobs_are_put_in_order_in_milliseconds() -> None:
    waiting = [WaitingJob(f"{n}", n % 70, n, n, turn=n % 70) for n in range(200)]
    began = time.process_time()
    for _ in range(20):
        in_order(waiting, larger_than=100)
    assert (time.process_time() - began) / 20 < 0.01
