"""Every way to start and every option, in both languages, as one conversation each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from impasto_playground import Person, Playground

from .bot_process import PATIENCE, BotProcess
from .transcript import Transcript

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("transcript"),
]


PRESET, SECOND_PRESET = "1", "2"
"""Their buttons below the gallery."""


@dataclass(frozen=True)
class Words:
    """What the two people say and hear."""

    person: int
    language: str
    name: str
    start: str
    styles: str
    which: str
    preset: str
    second_preset: str
    caption: str
    send_photo: str
    own: str
    own_asked: str
    own_taken: str
    album: str
    settings: str
    back: str
    choices: tuple[tuple[str, str, str, str], ...]
    """Kind, choice, how it is called below the picture, and the usual choice."""
    mix: str
    mix_first: str
    mix_second: str
    stronger: str
    weaker: str
    more: tuple[str, str]
    my_colors: tuple[str, str]
    as_style: str
    file: str
    file_caption: str
    another: str
    another_asked: str
    ready: str
    painted: str
    nothing: str
    hint: str
    old_button: str
    other_language: str
    other_said: str
    own_language: str
    own_said: str
    in_group: str


ENGLISH = Words(
    person=1,
    language="en",
    name="Alice",
    start="Hello, Alice",
    styles="These are my styles",
    which="Which style shall I paint it in?",
    preset="Swirling night",
    second_preset="Woodblock wave",
    caption="woodblock wave, please",
    send_photo="it is! Now send me the photo",
    own="My own style",
    own_asked="Send me the picture whose style",
    own_taken="your own style",
    album="the first is your photo",
    settings="How shall I paint?",
    back="Back to the styles",
    choices=(
        ("Strength", "subtle", "subtle style", "balanced"),
        ("Strength", "strong", "strong style", "balanced"),
        ("Brush", "thin", "thin brush", "medium"),
        ("Brush", "broad", "broad brush", "medium"),
        ("Colors", "my photo’s", "my colors", "the style’s"),
        ("Size", "quick look", "quick look", "standard"),
        ("Size", "large", "large size", "standard"),
    ),
    mix="Mix two styles",
    mix_first="Tap the first one",
    mix_second="Tap the second one",
    stronger="Stronger",
    weaker="Weaker",
    more=("strong style", "subtle style"),
    my_colors=("My colors", "my colors"),
    as_style="Use as a style",
    file="As a file",
    file_caption="in full quality",
    another="Another style",
    another_asked="The same photo, another style",
    ready="Your picture is ready!",
    painted="Painted",
    nothing="Nothing of yours is being painted",
    hint="Send me a photo and I’ll paint it",
    old_button="no longer works",
    other_language="Русский",
    other_said="Хорошо, говорим по-русски",
    own_language="English",
    own_said="All right, English it is",
    in_group="Alice, which style",
)

RUSSIAN = Words(
    person=2,
    language="ru",
    name="Борис",
    start="Здравствуйте, Борис",
    styles="Вот мои стили",
    which="В каком стиле нарисовать?",
    preset="Ночь в вихрях",
    second_preset="Японская волна",
    caption="японская волна",
    send_photo="отличный выбор! Теперь пришлите фото",
    own="Свой стиль",
    own_asked="Пришлите картинку, стиль которой",
    own_taken="свой стиль",
    album="первая – ваше фото",
    settings="Как рисовать?",
    back="Назад к стилям",
    choices=(
        ("Сила", "слабая", "слабый стиль", "средняя"),
        ("Сила", "большая", "сильный стиль", "средняя"),
        ("Кисть", "тонкая", "тонкая кисть", "средняя"),
        ("Кисть", "широкая", "широкая кисть", "средняя"),
        ("Цвета", "как на фото", "мои цвета", "как в стиле"),
        ("Размер", "набросок", "набросок", "обычный"),
        ("Размер", "большой", "большой размер", "обычный"),
    ),
    mix="Смешать два",
    mix_first="Выберите первый",
    mix_second="Выберите второй",
    stronger="Сильнее",
    weaker="Слабее",
    more=("сильный стиль", "слабый стиль"),
    my_colors=("Мои цвета", "мои цвета"),
    as_style="Взять как стиль",
    file="Файлом",
    file_caption="в полном качестве",
    another="Другой стиль",
    another_asked="То же фото в другом стиле",
    ready="Ваша картина готова!",
    painted="Готово",
    nothing="Сейчас я ничего для вас не рисую",
    hint="Пришлите фото, и я сделаю из него картину",
    old_button="уже не действует",
    other_language="English",
    other_said="All right, English it is",
    own_language="Русский",
    own_said="Хорошо, говорим по-русски",
    in_group="Борис, в каком стиле",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def playground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Playground]:
    """With a bot that speaks with both."""
    folder = tmp_path_factory.mktemp("transcript")
    async with (
        Playground(port=0) as playground,
        BotProcess(playground, folder, steps=2, max_pixels=2_000).running() as process,
    ):
        yield playground
        assert process.returncode is None


@pytest.mark.parametrize("words", [ENGLISH, RUSSIAN], ids=["en", "ru"])
async def test_a_conversation(playground: Playground, words: Words) -> None:
    about = (words.person, words.name, words.language)
    async with (
        Person(playground.url, *about) as person,
        Person(playground.url, *about, group=words.person) as in_group,
    ):
        # The bot fills its menu when it has started, which is not a reply's time.
        await person.wait_until(lambda: person.profile["commands"], PATIENCE)
        talk = Transcript(person, words.language)
        await ways_to_start(talk, words)
        await options(talk, words)
        await afterwards(talk, words)
        await commands(talk, words)
        group = Transcript(in_group, words.language)
        await group_photo(group, words)
        talk.lines += group.lines
        talk.slowest = max(talk.slowest, group.slowest)
        talk.write()


async def ways_to_start(talk: Transcript, words: Words) -> None:
    talk.title("/start, then a photo first")
    await talk.says("/start")
    await talk.hears(words.start)
    await talk.sends_photo()
    await talk.hears(words.which)
    await talk.taps(PRESET)
    await talk.gets_painting(words.ready, words.painted, words.preset)

    talk.title("A style first")
    await talk.says("/styles")
    await talk.hears(words.styles)
    await talk.taps(SECOND_PRESET)
    await talk.hears(words.second_preset, words.send_photo)
    await talk.sends_photo()
    await talk.gets_painting(words.ready, words.second_preset)

    talk.title("Both in one album")
    await talk.sends_album()
    await talk.hears(words.album)
    await talk.gets_painting(words.ready, words.own_taken)

    talk.title("A caption that names the style")
    await talk.sends_photo(words.caption)
    await talk.gets_painting(words.ready, words.second_preset)

    talk.title("A style picture of one's own")
    await talk.sends_photo()
    await talk.hears(words.which)
    await talk.taps(words.own)
    await talk.hears(words.own_asked)
    await talk.sends_photo()
    await talk.gets_painting(words.ready, words.own_taken)

    talk.title("An image sent as a file, and a style written by its number")
    await talk.sends_file()
    await talk.hears(words.which)
    await talk.says("1")
    await talk.gets_painting(words.ready, words.preset)

    talk.title("A link that names the style")
    await talk.says("/start style_night")
    await talk.hears(words.preset, words.send_photo)
    await talk.sends_photo()
    await talk.gets_painting(words.ready, words.preset)


async def options(talk: Transcript, words: Words) -> None:
    for kind, choice, label, usual in words.choices:
        talk.title("Option", label)
        await talk.sends_photo()
        gallery = await talk.hears(words.which)
        await talk.taps("⚙️", gallery)
        await talk.hears(words.settings, new=False)
        await talk.taps(kind, gallery)
        await talk.taps(choice, gallery)
        await talk.taps(words.back, gallery)
        await talk.hears(words.which, label, new=False)
        await talk.taps(PRESET, gallery)
        await talk.gets_painting(words.ready, words.preset, label)
        await talk.says("/settings")
        settings = await talk.hears(words.settings)
        await talk.taps(kind, settings)
        await talk.taps(usual, settings)

    talk.title("A mix of two styles")
    await talk.sends_photo()
    gallery = await talk.hears(words.which)
    await talk.taps(words.mix, gallery)
    await talk.hears(words.mix_first, new=False)
    await talk.taps(PRESET, gallery)
    await talk.hears(words.mix_second, new=False)
    await talk.taps(SECOND_PRESET, gallery)
    await talk.gets_painting(words.ready, words.preset, "+", words.second_preset)


async def afterwards(talk: Transcript, words: Words) -> None:
    talk.title("With a finished picture")
    await talk.sends_photo(words.caption)
    result = await talk.gets_painting(words.ready, words.second_preset)
    for button, label in zip((words.stronger, words.weaker), words.more, strict=True):
        await talk.taps(button, result, first=True)
        await talk.gets_painting(words.ready, words.second_preset, label)
    await talk.taps(words.my_colors[0], result, first=True)
    await talk.gets_painting(words.ready, words.my_colors[1])
    await talk.taps(words.file, result)
    await talk.hears(words.file_caption)
    await talk.taps(words.another, result)
    await talk.hears(words.another_asked)
    await talk.taps(PRESET)
    await talk.gets_painting(words.ready, words.preset)
    await talk.taps(words.as_style, result)
    await talk.sends_photo()
    await talk.gets_painting(words.ready, words.own_taken)


async def commands(talk: Transcript, words: Words) -> None:
    talk.title("Dead ends and their ways out")
    await talk.says("???")
    await talk.hears(words.hint)
    await talk.says("/status")
    await talk.hears(words.nothing)
    await talk.sends_photo()
    gallery = await talk.hears(words.which)
    await talk.taps("❌", gallery)
    for command in ("/help", "/cancel"):
        await talk.says(command)
        await talk.hears("")
    talk.title("Another language")
    await talk.says("/language")
    await talk.hears("language", "язык")
    await talk.taps(words.other_language)
    await talk.hears(words.other_said)
    await talk.says("/language")
    await talk.hears("language", "язык")
    await talk.taps(words.own_language)
    await talk.hears(words.own_said)


async def group_photo(talk: Transcript, words: Words) -> None:
    talk.title("In a group")
    sent = await talk.sends_photo()
    await talk.says("/start")
    await talk.says("/style", sent.message_id)
    await talk.hears(words.in_group)
    await talk.taps(PRESET)
    await talk.gets_painting(words.ready, words.preset)
    assert all("/start" not in (m.text or "") for m in talk.person.from_bot())
