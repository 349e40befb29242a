"""Many machines: whatever happens to one of them, each picture that was accepted arrives, once."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiogram.types import Message

from impasto_playground import Person, Playground

from ..e2e.bot_process import PATIENCE, delivered, gallery_after, ordered, photo
from ..ports import reserved_port
from ..redis_server import running_redis
from .saq_fleet import Fleet, preview, shown

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("saq processes"),
]

FINISH = "Stop and keep this"
CANCEL = "Cancel"
AS_FILE = "As a file"

_people = itertools.count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    folder = tmp_path_factory.mktemp("machines")
    with (
        running_redis(tmp_path_factory.mktemp("redis")) as redis,
        reserved_port() as port,
        reserved_port() as one,
        reserved_port() as other,
    ):
        async with (
            Playground(port=0) as playground,
            Fleet(playground, redis, folder, port, [one, other]).running() as machines,
        ):
            yield machines


@pytest_asyncio.fixture(loop_scope="module")
async def alice(fleet: Fleet) -> AsyncIterator[Person]:
    async with Person(fleet.playground.url, user_id=next(_people)) as alice:
        yield alice


@pytest_asyncio.fixture(loop_scope="module")
async def bob(fleet: Fleet) -> AsyncIterator[Person]:
    async with Person(fleet.playground.url, user_id=next(_people)) as bob:
        yield bob


def results(person: Person) -> list[Message]:
    """Finished pictures."""
    return [message for message in person.from_bot() if "Painted" in (message.caption or "")]


def has_button(message: Message, text: str) -> bool:
    rows = message.reply_markup.inline_keyboard if message.reply_markup else []
    return any(text in button.text for row in rows for button in row)


async def test_two_pictures_are_painted_by_two_workers(
    fleet: Fleet, alice: Person, bob: Person
) -> None:
    orders = [await ordered(person) for person in (alice, bob)]
    for person, status in zip((alice, bob), orders, strict=True):
        await preview(person, status)
    assert all(worker.jobs() for worker in fleet.workers)
    for person, status in zip((alice, bob), orders, strict=True):
        await person.tap(FINISH, status.message_id)
        await delivered(person, status)
        assert len(results(person)) == 1


async def test_a_worker_with_nothing_to_do_paints_the_sheet_of_a_gallery(
    fleet: Fleet, alice: Person
) -> None:
    gallery = await gallery_after(alice, await alice.send_photo(photo()))
    await preview(alice, gallery)
    assert results(alice) == []


async def test_a_cancel_reaches_the_worker(fleet: Fleet, alice: Person, bob: Person) -> None:
    known = fleet.known_jobs()
    status = await ordered(alice)
    await preview(alice, status)
    await fleet.painter(but=known)
    await alice.tap(CANCEL, status.message_id)
    await alice.wait_for(
        lambda m: m.message_id == status.message_id and not has_button(m, FINISH), PATIENCE
    )
    orders = [(person, await ordered(person)) for person in (alice, bob)]
    for person, order in orders:  # at the same time: both workers are free for them
        await preview(person, order)
    for person, order in orders:
        await person.tap(FINISH, order.message_id)
        await delivered(person, order)
    assert [result.message_id for result in results(alice)] == [orders[0][1].message_id]


async def test_a_worker_that_is_lost_costs_a_repaint(fleet: Fleet, alice: Person) -> None:
    known = fleet.known_jobs()
    status = await ordered(alice)
    await preview(alice, status)
    lost = await fleet.painter(but=known)
    [job] = lost.jobs() - known
    [other] = [worker for worker in fleet.workers if worker is not lost]
    await lost.kill()
    async with asyncio.timeout(PATIENCE):
        while not other.has(job):
            await asyncio.sleep(0.05)
    before = shown(alice, status)
    await preview(alice, status, more_than=before)
    await alice.tap(FINISH, status.message_id)
    result = await delivered(alice, status)
    assert result.message_id == status.message_id
    assert len(results(alice)) == 1
    await lost.start()


async def test_a_worker_that_is_stopped_hands_its_job_back(fleet: Fleet, alice: Person) -> None:
    known = fleet.known_jobs()
    status = await ordered(alice)
    await preview(alice, status)
    stopped = await fleet.painter(but=known)
    [job] = stopped.jobs() - known
    [other] = [worker for worker in fleet.workers if worker is not stopped]
    assert await stopped.stop() == 0
    async with asyncio.timeout(PATIENCE):
        while not other.has(job):
            await asyncio.sleep(0.05)
    await preview(alice, status, more_than=shown(alice, status))
    await alice.tap(FINISH, status.message_id)
    await delivered(alice, status)
    assert len(results(alice)) == 1
    await stopped.start()


async def test_redis_restarts_while_a_picture_is_painted(
    fleet: Fleet, alice: Person, bob: Person
) -> None:
    status = await ordered(alice)
    await preview(alice, status)
    fleet.redis.kill()
    fleet.redis.start()
    late = await ordered(bob)
    for person, message in ((alice, status), (bob, late)):
        await preview(person, message)
        await person.tap(FINISH, message.message_id)
        await delivered(person, message)
        assert len(results(person)) == 1


async def test_a_bot_that_is_lost_is_not_missed(fleet: Fleet, alice: Person) -> None:
    status = await ordered(alice)
    await preview(alice, status)
    await fleet.bots[0].kill()
    await alice.tap(FINISH, status.message_id)
    await delivered(alice, status)
    assert len(results(alice)) == 1
    assert all(fleet.balancer.handed.values()), "both bots had something to do"


async def test_the_file_comes_from_the_machine_that_painted_it(fleet: Fleet, alice: Person) -> None:
    status = await ordered(alice)
    await preview(alice, status)
    await alice.tap(FINISH, status.message_id)
    result = await delivered(alice, status)
    await alice.tap(AS_FILE, result.message_id)
    sent = await alice.wait_for(lambda m: m.document, PATIENCE, after=result.message_id)
    await alice.tap(AS_FILE, result.message_id)  # Telegram has it now
    again = await alice.wait_for(lambda m: m.document, PATIENCE, after=sent.message_id)
    assert sent.document.file_unique_id == again.document.file_unique_id
