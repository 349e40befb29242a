"""What holds of every storage: nothing lost, nothing twice, fair turns."""

from __future__ import annotations

import asyncio

import pytest
from aiogram.exceptions import DataNotDictLikeError
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.base import StorageKey

from impasto.contracts import Journal, LimitReached, Limits, PaintOptions, Storage
from impasto.errors import InvalidTransition
from impasto.jobs.job import ChosenStyle, Effort, Job, JobState, TelegramPicture
from impasto.messages import Failure

PHOTO = TelegramPicture(file_id="photo")
STYLE = ChosenStyle(preset="wave")


def job_of(person: int, **fields: object) -> Job:
    return Job(person=person, chat=person, content=PHOTO, styles=(STYLE,), **fields)


async def reopened(storage: Storage) -> Storage:
    await storage.close()
    await storage.open()
    return storage


def test_keeps_the_contract(storage: Storage) -> None:
    assert isinstance(storage, Storage)


class TestUpdates:
    async def test_an_update_is_taken_once(self, storage: Storage) -> None:
        journal = storage.journal
        assert await journal.take_updates([(7, "a"), (8, "b")]) == [7, 8]
        assert await journal.take_updates([(8, "b"), (9, "c")]) == [9]
        journal = (await reopened(storage)).journal
        assert await journal.adopt_updates() == [(7, "a"), (8, "b"), (9, "c")]

    async def test_attempts_are_counted_across_restarts(self, storage: Storage) -> None:
        await storage.journal.take_updates([(7, "a")])
        assert await storage.journal.begin_update(7) == 1
        await reopened(storage)
        assert await storage.journal.begin_update(7) == 2


class TestJobs:
    async def test_survive_a_restart(self, storage: Storage) -> None:
        job = job_of(1, language="ru")
        assert await storage.journal.add(job) == job
        await reopened(storage)
        assert await storage.journal.get(job.id) == job

    async def test_move_changes_state_facts_and_time(self, storage: Storage) -> None:
        job = job_of(1)
        await storage.journal.add(job)
        failure = Failure(code="style_gone", sentence="The style is gone.", facts={"n": 1})
        moved = await storage.journal.move(job.id, JobState.FAILED, failure=failure)
        assert (moved.state, moved.failure) == (JobState.FAILED, failure)
        assert moved.changed_at > job.changed_at
        assert await storage.journal.get(job.id) == moved

    async def test_a_forbidden_move_changes_nothing(self, storage: Storage) -> None:
        job = job_of(1)
        await storage.journal.add(job)
        with pytest.raises(InvalidTransition, match="delivered may not follow accepted"):
            await storage.journal.move(job.id, JobState.DELIVERED, seconds=1.0)
        assert await storage.journal.get(job.id) == job

    async def test_an_unknown_job_cannot_be_moved(self, storage: Storage) -> None:
        with pytest.raises(InvalidTransition, match="no job nowhere"):
            await storage.journal.move("nowhere", JobState.RUNNING)

    async def test_note_keeps_the_state_and_checks_the_facts(self, storage: Storage) -> None:
        job = job_of(1)
        await storage.journal.add(job)
        noted = await storage.journal.note(job.id, status_message=5)
        assert (noted.state, noted.status_message) == (JobState.ACCEPTED, 5)
        with pytest.raises(ValueError, match="no_such_field"):
            await storage.journal.note(job.id, no_such_field=1)

    async def test_the_limit_counts_unfinished_jobs_of_the_person(self, storage: Storage) -> None:
        journal = storage.journal
        first, second, one = job_of(1), job_of(1), Limits(unfinished=1)
        assert await journal.add(first, limits=one) == first
        with pytest.raises(LimitReached) as caught:
            await journal.add(second, limits=one)
        assert caught.value.limit == "unfinished"
        assert await journal.get(second.id) is None
        await journal.add(job_of(2), limits=one)
        await journal.move(first.id, JobState.CANCELLED)
        assert await journal.add(second, limits=one) == second

    async def test_the_same_origin_gives_the_same_job(self, storage: Storage) -> None:
        first, one = job_of(1, origin="update 7 job 1"), Limits(unfinished=1)
        await storage.journal.add(first, limits=one)
        again = job_of(1, origin="update 7 job 1")
        assert await storage.journal.add(again, limits=one) == first
        assert await storage.journal.get(again.id) is None

    async def test_of_person_lists_oldest_first(self, storage: Storage) -> None:
        journal = storage.journal
        jobs = [job_of(1), job_of(2), job_of(1)]
        for job in jobs:
            await journal.add(job)
        await journal.move(jobs[1].id, JobState.CANCELLED)
        assert await journal.count(JobState.ACCEPTED) == 2
        assert [job.id for job in await journal.of_person(1)] == [jobs[0].id, jobs[2].id]
        assert await journal.of_person(2) == []


class TestTurns:
    async def test_people_take_turns(self, storage: Storage) -> None:
        journal = storage.journal
        for person in (1, 1, 1, 2, 3):
            await journal.add(job_of(person))
        claimed = [(await journal.claim()) for _ in range(5)]
        assert [job.person for job in claimed if job] == [1, 2, 3, 1, 1]
        assert await journal.claim() is None

    async def test_a_claim_counts_an_attempt(self, storage: Storage) -> None:
        await storage.journal.add(job_of(1))
        job = await storage.journal.claim()
        assert job is not None
        assert (job.state, job.attempts) == (JobState.RUNNING, 1)

    async def test_a_job_that_was_handed_back_does_not_cost_its_turn(
        self, storage: Storage
    ) -> None:
        journal = storage.journal
        for person in (1, 2):
            await journal.add(job_of(person))
        first = await journal.claim()
        assert first is not None
        await journal.move(first.id, JobState.ACCEPTED)
        again = await journal.claim()
        assert again is not None
        assert again.id == first.id

    async def test_ahead_of_tells_the_order_of_claims(self, storage: Storage) -> None:
        journal = storage.journal
        jobs = [await journal.add(job_of(person)) for person in (4, 4, 2, 1, 1, 1, 3, 2)]
        running = await journal.claim()
        assert running is not None
        ahead = {job.id: await journal.ahead_of(job.id) for job in jobs if job.id != running.id}
        order = []
        while (job := await journal.claim()) is not None:
            order.append(job.id)
        assert [ahead[job_id] for job_id in order] == list(range(1, len(order) + 1))

    async def test_ahead_of_is_zero_for_what_does_not_wait(self, storage: Storage) -> None:
        assert await storage.journal.ahead_of("nowhere") == 0


class Steps(StatesGroup):
    photo = State()


class TestDialogue:
    KEY = StorageKey(bot_id=1, chat_id=2, user_id=3)

    async def test_survives_a_restart(self, storage: Storage) -> None:
        await storage.dialogue.set_state(self.KEY, Steps.photo)
        await storage.dialogue.set_data(self.KEY, {"photo": "id", "n": [1, {"ж": None}]})
        await reopened(storage)
        assert await storage.dialogue.get_state(self.KEY) == "Steps:photo"
        assert await storage.dialogue.get_data(self.KEY) == {"photo": "id", "n": [1, {"ж": None}]}

    async def test_update_data_merges(self, storage: Storage) -> None:
        await storage.dialogue.set_data(self.KEY, {"a": 1, "b": 1})
        assert await storage.dialogue.update_data(self.KEY, {"b": 2}) == {"a": 1, "b": 2}
        assert await storage.dialogue.get_value(self.KEY, "b") == 2

    @pytest.mark.parametrize(
        "other",
        [
            StorageKey(bot_id=9, chat_id=2, user_id=3),
            StorageKey(bot_id=1, chat_id=9, user_id=3),
            StorageKey(bot_id=1, chat_id=2, user_id=9),
            StorageKey(bot_id=1, chat_id=2, user_id=3, thread_id=9),
            StorageKey(bot_id=1, chat_id=2, user_id=3, destiny="other"),
            StorageKey(bot_id=1, chat_id=2, user_id=3, business_connection_id="b"),
        ],
    )
    async def test_keys_do_not_mix(self, storage: Storage, other: StorageKey) -> None:
        await storage.dialogue.set_state(self.KEY, "mine")
        await storage.dialogue.set_state(other, "theirs")
        assert await storage.dialogue.get_state(self.KEY) == "mine"

    async def test_data_must_be_a_dict(self, storage: Storage) -> None:
        with pytest.raises(DataNotDictLikeError):
            await storage.dialogue.set_data(self.KEY, [("a", 1)])  # type: ignore[arg-type]


class TestTakingOver:
    async def test_what_was_left_is_adopted_once(self, storage: Storage) -> None:
        journal = storage.journal
        waiting, running, done = job_of(1), job_of(2), job_of(3)
        for job in (waiting, running, done):
            await journal.add(job)
        await journal.move(done.id, JobState.CANCELLED)
        await journal.move(running.id, JobState.RUNNING)
        await journal.take_updates([(7, "a"), (8, "b")])
        await journal.finish_update(7)
        await reopened(storage)
        assert [job.id for job in await journal_of(storage).adopt_jobs()] == [
            waiting.id,
            running.id,
        ]
        assert await journal_of(storage).adopt_updates() == [(8, "b")]
        assert await journal_of(storage).adopt_jobs() == []
        assert await journal_of(storage).adopt_updates() == []

    async def test_what_this_process_took_is_nobodys_to_adopt(self, storage: Storage) -> None:
        journal = storage.journal
        assert await journal.adopt_jobs() == []
        assert await journal.adopt_updates() == []
        await journal.add(job_of(1))
        await journal.add(job_of(2))
        await journal.claim()
        await journal.take_updates([(7, "a")])
        assert await journal.adopt_jobs() == []
        assert await journal.adopt_updates() == []

    async def test_a_picture_that_was_lost_is_painted_again(self, storage: Storage) -> None:
        journal = storage.journal
        await journal.add(job_of(1))
        job = await journal.claim()
        assert job is not None
        await journal.move(job.id, JobState.PAINTED)
        await journal.move(job.id, JobState.ACCEPTED)
        again = await journal.claim()
        assert again is not None
        assert (again.id, again.attempts) == (job.id, 2)


class TestPreferences:
    async def test_large_jobs_come_first_where_that_is_asked_for(self, storage: Storage) -> None:
        journal = storage.journal
        pixels = {"none": None, "small": 10_000, "large": 500_000, "larger": 600_000}
        jobs = {
            name: job_of(person, options=PaintOptions(max_pixels=most))
            for person, (name, most) in enumerate(pixels.items())
        }
        for job in jobs.values():
            await journal.add(job)
        names = {job.id: name for name, job in jobs.items()}
        claimed = [
            await journal.claim(larger_than=larger_than)
            for larger_than in (200_000, None, 200_000, 200_000)
        ]
        assert [names[job.id] for job in claimed if job] == ["large", "none", "larger", "small"]


class TestEfforts:
    async def test_the_last_paintings_come_newest_first(self, storage: Storage) -> None:
        journal = storage.journal
        effort = Effort(pixels=1, steps=1, seconds=1, device="cpu")
        jobs = [job_of(person) for person in range(4)]
        for job in jobs:
            await journal.add(job)
            await journal.move(job.id, JobState.RUNNING)
            await journal.move(job.id, JobState.PAINTED, effort=effort)
        await journal.move(jobs[0].id, JobState.DELIVERED)
        await journal.move(jobs[1].id, JobState.FAILED)
        last = await journal.last_painted(2)
        assert [job.id for job in last] == [jobs[3].id, jobs[2].id]
        last = await journal.last_painted(9)
        assert [job.id for job in last] == [jobs[3].id, jobs[2].id, jobs[0].id]


class TestIsolation:
    KEY = StorageKey(bot_id=1, chat_id=2, user_id=3)

    async def test_one_update_of_a_chat_at_a_time(self, storage: Storage) -> None:
        inside: list[int] = []
        most = 0

        async def handle(number: int) -> None:
            nonlocal most
            async with storage.isolation.lock(self.KEY):
                inside.append(number)
                most = max(most, len(inside))
                await asyncio.sleep(0)
                inside.remove(number)

        await asyncio.gather(*(handle(number) for number in range(5)))
        assert most == 1


def journal_of(storage: Storage) -> Journal:
    """Asked for anew: opening a storage may make another one."""
    return storage.journal
