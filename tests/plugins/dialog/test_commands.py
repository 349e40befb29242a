"""/forget, which asks first and then forgets the person and nobody else, and /stats, which is for
owners alone."""

from __future__ import annotations

from impasto.jobs.job import JobState
from impasto_dialog.keyboards import ForgetMe
from impasto_playground import Person

from .dialog_kit import RecordingJobService, is_gallery, photo, says, tap


async def test_forgets_when_it_is_meant(
    alice: Person, boris: Person, job_service: RecordingJobService
) -> None:
    for person in (alice, boris):
        await person.send_photo(photo(), "wave")
    await job_service.wait_for_jobs(2)
    await alice.send_photo(photo())
    await alice.wait_for(is_gallery)
    await alice.send_text("/forget")
    question = await alice.wait_for(says("Shall I forget you?"))
    await alice.tap("Forget everything", question.message_id)
    await alice.wait_for(says("I no longer keep anything about you"))
    assert job_service.forgotten == [1]
    assert [job.person for job in job_service.jobs] == [2]
    left = [message.message_id for message in alice.from_bot()]
    assert question.message_id not in left, "it cannot be tapped twice"
    assert not any(is_gallery(message) for message in alice.from_bot())
    await alice.send_text("wave")
    await alice.wait_for(says("Now send me the photo"))


async def test_forgets_nothing_when_it_is_not(
    alice: Person, job_service: RecordingJobService
) -> None:
    await alice.send_photo(photo(), "wave")
    await job_service.wait_for_jobs(1)
    await alice.send_text("/forget")
    question = await alice.wait_for(says("Shall I forget you?"))
    answer = await tap(alice, "No, keep it", question.message_id)
    assert answer.text == "All right, everything stays as it is."
    assert (job_service.forgotten, len(job_service.jobs)) == ([], 1)


async def test_help_and_the_menu_name_it(alice: Person) -> None:
    await alice.send_text("/help")
    await alice.wait_for(says("/forget"))


async def test_commands_of_plugins_are_in_help_and_menu_in_the_persons_language(
    alice: Person, boris: Person, job_service: RecordingJobService
) -> None:
    job_service.owners = frozenset({1})
    await alice.send_text("/start")
    await alice.wait_until(lambda: "audit" in commands_of(alice))
    assert commands_of(alice)["random"] == "Any style & all"
    assert next(iter(commands_of(alice))) == "start", "those of the dialog come first"
    assert commands_of(boris)["random"] == "Любой стиль"
    assert "audit" not in commands_of(boris)
    for person, line in ((alice, "/random – Any style & all"), (boris, "/random – Любой стиль")):
        await person.send_text("/help")
        told = await person.wait_for(says("/forget"))
        assert line in (told.text or "")
        assert "/audit" not in (told.text or "")


def commands_of(person: Person) -> dict[str, str]:
    return {item["command"]: item["description"] for item in person.profile["commands"]}


def test_its_buttons_name_nobody() -> None:
    assert {ForgetMe(sure=sure).pack() for sure in (True, False)} == {"forget:1", "forget:0"}


async def test_an_owner_sees_what_is_going_on(
    alice: Person, job_service: RecordingJobService
) -> None:
    job_service.owners = frozenset({1})
    job_service.counts = {JobState.ACCEPTED: 7, JobState.DELIVERED: 41, JobState.EXPLAINED: 2}
    await alice.send_text("/stats")
    told = await alice.wait_for(says("7"))
    assert "41" in (told.text or "")
    assert "not known yet" in (told.text or ""), "nothing was painted, so there is no pace"


async def test_it_speaks_the_owners_language(
    boris: Person, job_service: RecordingJobService
) -> None:
    job_service.owners = frozenset({2})
    await boris.send_text("/stats")
    await boris.wait_for(says("ждут"))


async def test_others_are_told_nothing(alice: Person, job_service: RecordingJobService) -> None:
    job_service.counts = {JobState.ACCEPTED: 7}
    sent = await alice.send_text("/stats")
    answer = await alice.wait_for(lambda m: m.text, after=sent.message_id)
    assert "7" not in (answer.text or "")
