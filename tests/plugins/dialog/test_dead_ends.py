"""Whatever cannot be painted is answered with what to do instead, and nothing else starts a job."""

from __future__ import annotations

from typing import Any

import pytest
from aiogram import Dispatcher
from aiogram.client.telegram import TelegramAPIServer
from aiogram.methods import (
    AnswerCallbackQuery,
    SendDocument,
    SendMessage,
    SendPhoto,
    SetMyCommands,
)
from aiogram.types import BotCommandScopeChat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from impasto.contracts import MAX_DOWNLOAD
from impasto.jobs.job import JobState
from impasto_dialog import ALBUM_WAIT_S, build_router, photo
from impasto_dialog.keyboards import ChooseLanguage, OpenGallery, SendFile
from impasto_dialog.talk import Step
from impasto_dialog.texts import LANGUAGES

from .dialog_kit import RecordingJobService
from .feeder import FILE, VIDEO, Feeder, document


@pytest.fixture(autouse=True)
def no_more_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra `formats` is not installed."""
    monkeypatch.setattr(photo, "is_installed", lambda _: False)


ANY_SIDE = st.integers(-1, 2**40)
REFUSALS = [
    # Telegram sends a GIF with a document of the same file beside the animation.
    ("refused-animation", {"animation": VIDEO, **document("a.gif", "image/gif")}),
    ("refused-video", {"video": VIDEO}),
    ("refused-video", {"video_note": {**FILE, "length": 9, "duration": 1}}),
    ("refused-video", document("holiday.mp4", "video/mp4")),
    ("refused-voice", {"voice": {**FILE, "duration": 1}}),
    ("refused-voice", {"audio": {**FILE, "duration": 1}}),
    (
        "refused-sticker",
        {
            "sticker": {
                **FILE,
                "width": 9,
                "height": 9,
                "type": "regular",
                "is_animated": False,
                "is_video": False,
            }
        },
    ),
    ("refused-heic", document("IMG_1.HEIC", "image/heic")),
    ("refused-heic", document("IMG_1.heic", "application/octet-stream")),
    ("refused-heic", document(None, "image/heif")),
    ("refused-document", document("a.jxl", "image/jxl")),
    ("refused-document", document("book.pdf", "application/pdf")),
    ("refused-document", document("logo.svg", "image/svg+xml")),
    ("refused-document", document()),
    ("refused-large", document("big.png", "image/png", MAX_DOWNLOAD + 1)),
    ("hint", {"text": "hello"}),
    ("hint", {"text": "/unknown"}),
    ("hint", {"contact": {"phone_number": "1", "first_name": "Bob"}}),
    ("hint", {"location": {"latitude": 1.0, "longitude": 1.0}}),
    ("hint", {"dice": {"emoji": "🎲", "value": 6}}),
    ("hint", {"game": {"title": "x", "description": "x", "photo": []}}),
    ("hint", {"paid_media": {"star_count": 1, "paid_media": []}}),
    ("hint", {"checklist": {"title": "x", "tasks": []}}),
    (
        "hint",
        {
            "of_tomorrow": {},
            "forward_origin": {"type": "hidden_user", "date": 0, "sender_user_name": "x"},
        },
    ),
]


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize(("key", "content"), REFUSALS)
async def test_what_cannot_be_painted_is_answered_with_what_to_do(
    feeder: Feeder,
    job_service: RecordingJobService,
    language: str,
    key: str,
    content: dict[str, Any],
) -> None:
    said = await feeder.message(language=language, **content)
    assert said == [LANGUAGES[language](key)]
    assert job_service.jobs == []
    photos = [{**FILE, "width": 9, "height": 9}]
    await feeder.message(language=language, photo=photos, caption="wave")
    assert len(job_service.jobs) == 1, "the bot goes on"


async def test_a_photo_that_is_handled_again_replaces_no_other(feeder: Feeder) -> None:
    photos = [{**FILE, "width": 9, "height": 9}]
    captions = []
    for message_id in (1, 1, 2, 2):  # as after an outage in the middle of the answer
        await feeder.message(photo=photos, message_id=message_id)
        sent = [method for method in feeder.session.methods if isinstance(method, SendPhoto)]
        captions.append(sent[-1].caption)
    texts = LANGUAGES["en"]
    first, another = texts("choose-style", name="Eve"), texts("choose-style-for-new-photo")
    assert captions == [first, first, another, another]


@pytest.mark.parametrize(
    "content",
    [
        document("a.jpg", "image/jpeg"),
        document("a.jpg"),
        document("a.webp", "application/octet-stream"),
        document(None, "image/png", MAX_DOWNLOAD),
        document("a.gif", "image/gif"),
    ],
)
async def test_image_files_are_taken(
    feeder: Feeder, job_service: RecordingJobService, content: dict[str, Any]
) -> None:
    await feeder.message(**content, caption="wave")
    assert [job.content.as_photo for job in job_service.jobs] == [False]


async def test_a_server_of_ones_own_has_large_files(
    feeder: Feeder, job_service: RecordingJobService
) -> None:
    feeder.session.api = TelegramAPIServer.from_base("http://bots.test", is_local=True)
    large = document("big.png", "image/png", 50 * MAX_DOWNLOAD)
    await feeder.message(**large, caption="wave")
    assert len(job_service.jobs) == 1


@pytest.mark.parametrize(
    "content",
    [
        document("IMG_1.HEIC", "image/heic"),
        document("IMG_1.heic", "application/octet-stream"),
        document("IMG_1.HEIC"),
        document("a.jxl", "image/jxl"),
        document("a.jxl"),
    ],
)
async def test_more_formats_are_taken_where_they_are_read(
    feeder: Feeder,
    job_service: RecordingJobService,
    monkeypatch: pytest.MonkeyPatch,
    content: dict[str, Any],
) -> None:
    monkeypatch.setattr(photo, "is_installed", lambda _: True)
    await feeder.message(**content, caption="wave")
    assert [job.content.as_photo for job in job_service.jobs] == [False]


@pytest.mark.parametrize(
    "content",
    [{"new_chat_title": "x"}, {"pinned_message": {"message_id": 1, "date": 0, "chat": {"id": 7}}}],
)
async def test_service_messages_are_not_answered(feeder: Feeder, content: dict[str, Any]) -> None:
    if pinned := content.get("pinned_message"):
        pinned["chat"]["type"] = "private"
    assert await feeder.message(**content) == []


async def test_in_groups_nothing_is_answered_but_style_in_reply_to_a_photo(
    feeder: Feeder, job_service: RecordingJobService
) -> None:
    photos = [{**FILE, "width": 9, "height": 9}]
    unasked: list[dict[str, Any]] = [
        {"photo": photos, "caption": "wave"},
        {"photo": photos, "caption": "/style wave"},
        {"text": "2"},
        {"text": "hello"},
        document("a.pdf"),
        *(command(text) for text in ("/start", "/help", "/styles", "/cancel", "/style", "/x")),
        {**command("/style wave"), "reply_to_message": replied(text="no photo")},
    ]
    for content in unasked:
        await feeder.message(chat="supergroup", **content)
        assert feeder.session.methods == []
    assert job_service.jobs == []
    await feeder.message(
        chat="group", **command("/style wave"), reply_to_message=replied(photo=photos)
    )
    [job] = job_service.jobs
    assert (job.person, job.chat, job.reply_to) == (7, -100, 77)
    await feeder.message(chat="group", **command("/style"), reply_to_message=replied(photo=photos))
    [gallery] = [m for m in feeder.session.methods if isinstance(m, SendPhoto)]
    assert gallery.reply_parameters is not None
    assert gallery.reply_parameters.message_id == 77
    assert "Eve" in (gallery.caption or "")


async def test_in_topics_everything_is_said_in_the_topic(
    feeder: Feeder, job_service: RecordingJobService
) -> None:
    """Of a forum, and of a private chat."""
    topic: dict[str, Any] = {"message_thread_id": 5, "is_topic_message": True}
    photos = [{**FILE, "width": 9, "height": 9}]
    in_reply: dict[str, Any] = {"reply_to_message": replied(photo=photos), **topic}
    channel = {"id": -100, "type": "supergroup", "title": "A place"}
    in_forum: list[dict[str, Any]] = [
        {**command("/style"), **in_reply},
        {**command("/style wave"), **in_reply, "sender_chat": channel},  # an anonymous admin
        *[{**command("/style wave"), **in_reply}] * (job_service.limit + 1),
    ]
    alone: list[dict[str, Any]] = [
        command("/start"),
        command("/status"),
        {"text": "hello"},
        {"photo": photos},
        *(content for _, content in REFUSALS),
    ]
    for chat, contents in (("supergroup", in_forum), ("private", alone)):
        for content in contents:
            await feeder.message(chat=chat, **content, **({} if chat != "private" else topic))
            sent = [m for m in feeder.session.methods if isinstance(m, SendMessage | SendPhoto)]
            assert {method.message_thread_id for method in sent} <= {5}
            assert sent or job_service.jobs
    assert [job.thread for job in job_service.jobs] == [5] * job_service.limit

    job = job_service.jobs[-1]
    await job_service.change(job, state=JobState.DELIVERED, file_id="file")
    button = {"message_id": 9, "date": 1, "chat": channel, **topic}
    await feeder.tap(SendFile(job=job.id).pack(), button)
    [file] = [m for m in feeder.session.methods if isinstance(m, SendDocument)]
    assert file.message_thread_id == 5


def command(text: str) -> dict[str, Any]:
    length = len(text.split(maxsplit=1)[0])
    return {"text": text, "entities": [{"type": "bot_command", "offset": 0, "length": length}]}


def replied(**content: Any) -> dict[str, Any]:
    user = {"id": 8, "is_bot": False, "first_name": "Bob"}
    return {
        "message_id": 77,
        "date": 0,
        "chat": {"id": -100, "type": "group", "title": "A place"},
        "from": user,
        **content,
    }


async def test_a_button_whose_message_is_too_old_to_come_with_it(feeder: Feeder) -> None:
    await feeder.tap(OpenGallery().pack())
    shown = [method for method in feeder.session.methods if isinstance(method, SendPhoto)]
    assert [method.chat_id for method in shown] == [7]


async def test_an_answer_that_comes_too_late_harms_nothing(feeder: Feeder) -> None:
    feeder.session.refuse = AnswerCallbackQuery
    await feeder.tap(OpenGallery().pack())
    assert any(isinstance(method, SendPhoto) for method in feeder.session.methods)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(data=st.text(min_size=1, max_size=64))
async def test_any_button_is_answered_exactly_once(feeder: Feeder, data: str) -> None:
    await feeder.tap(data)
    answers = [m for m in feeder.session.methods if isinstance(m, AnswerCallbackQuery)]
    assert [answer.text for answer in answers] == [LANGUAGES["en"].plain("toast-old-button")]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    name=st.text(max_size=20) | st.none(),
    mime=st.sampled_from(["image/jpeg", "image/", "IMAGE/HEIC", "text/html", ""]) | st.none(),
    size=st.integers(0, 2**33) | st.none(),
)
async def test_any_file_is_answered(
    feeder: Feeder, name: str | None, mime: str | None, size: int | None
) -> None:
    await feeder.message(document={**FILE, "file_name": name, "mime_type": mime, "file_size": size})
    said = [m for m in feeder.session.methods if isinstance(m, SendMessage | SendPhoto)]
    assert len(said) == 1


ANY_PHOTO = st.fixed_dictionaries(
    {**{name: st.just(text) for name, text in FILE.items()}, "width": ANY_SIDE, "height": ANY_SIDE}
)
ANY_WORDS = st.sampled_from(["/style", "/style wave", "/start style_", "/cancel", "2", "wave"])
ANY_MESSAGE = st.fixed_dictionaries(
    {"message_id": st.integers(1, 9)},
    optional={
        "text": ANY_WORDS | st.text(max_size=20),
        "caption": ANY_WORDS | st.text(max_size=20),
        "photo": st.lists(ANY_PHOTO, max_size=2),
        "media_group_id": st.sampled_from(["1", "2"]),
        "message_thread_id": st.integers(1, 3),
        "is_topic_message": st.booleans(),
        "reply_to_message": st.lists(ANY_PHOTO, max_size=1).map(lambda sizes: replied(photo=sizes)),
        "sender_chat": st.just({"id": -100, "type": "channel", "title": "x"}),
        "entities": st.just(command("/style")["entities"]),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(
    chat=st.sampled_from(["private", "group", "supergroup", "channel"]),
    language=st.sampled_from(["en", "ru", "", "xx-YY"]),
    content=ANY_MESSAGE,
)
async def test_any_message_is_answered_or_passed_over(
    feeder: Feeder, chat: str, language: str, content: dict[str, Any]
) -> None:
    """Whatever was said before, too: the conversation goes on from one example to the next."""
    await feeder.message(chat=chat, language=language, **content)


async def test_the_menu_is_filled_in_every_language(feeder: Feeder, dispatcher: Dispatcher) -> None:
    await dispatcher.emit_startup(bot=feeder.bot, **dispatcher.workflow_data)
    menus = [method for method in feeder.session.methods if isinstance(method, SetMyCommands)]
    private = {m.language_code: m for m in menus if m.scope.type == "all_private_chats"}
    assert set(private) == {None, *LANGUAGES} - {"en"}
    commands = [command.command for command in private["ru"].commands]
    assert " ".join(commands) == "start styles settings status cancel language forget help random"
    assert private["ru"].commands[0].description == "Что умеет этот бот"


async def test_owners_have_a_menu_of_their_own(
    feeder: Feeder, job_service: RecordingJobService
) -> None:
    await feeder.message(text="/start")
    assert not any(isinstance(method, SetMyCommands) for method in feeder.session.methods)
    job_service.owners = frozenset({7})
    for doing in (feeder.message(text="/start"), feeder.tap(ChooseLanguage(code="ru").pack())):
        await doing
        [menu] = [method for method in feeder.session.methods if isinstance(method, SetMyCommands)]
        assert menu.scope == BotCommandScopeChat(chat_id=7)
        assert [command.command for command in menu.commands][-2:] == ["stats", "audit"]


async def test_a_refused_menu_does_not_prevent_the_start(
    feeder: Feeder, dispatcher: Dispatcher
) -> None:
    feeder.session.refuse = SetMyCommands
    await dispatcher.emit_startup(bot=feeder.bot, **dispatcher.workflow_data)
    await feeder.message(text="hello")
    assert feeder.session.texts


async def test_album_pictures_in_the_wrong_order_are_put_right(
    feeder: Feeder, job_service: RecordingJobService
) -> None:
    for message_id, name in ((12, "style"), (11, "content")):
        picture = [{"file_id": name, "file_unique_id": name, "width": 9, "height": 9}]
        await feeder.message(message_id=message_id, photo=picture, media_group_id="3")
    [job] = job_service.jobs
    assert (job.content.file_id, job.styles[0].picture.file_id) == ("content", "style")


def test_the_wait_for_an_album_is_short_for_a_person() -> None:
    assert 0 < ALBUM_WAIT_S <= 2
    assert build_router().name == "dialog"


async def test_what_another_version_remembered_is_no_dead_end(
    feeder: Feeder, dispatcher: Dispatcher, job_service: RecordingJobService
) -> None:
    state = dispatcher.fsm.get_context(feeder.bot, 7, 7)
    await state.set_data({"content": "a file id", "turn": []})
    await state.set_state(Step.awaiting_photo)
    photos = [{**FILE, "width": 9, "height": 9}]
    await feeder.message(photo=photos)
    assert any(isinstance(method, SendPhoto) for method in feeder.session.methods)
