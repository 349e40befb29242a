"""Methods about the bot itself, and files."""

from __future__ import annotations

import re

import aiohttp
import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    MenuButtonDefault,
    MenuButtonWebApp,
    WebAppInfo,
)

from impasto_playground import Person, Playground
from impasto_playground.files import FileStore

from .conftest import picture


def commands(*names: str) -> list[BotCommand]:
    return [BotCommand(command=name, description=f"About {name}") for name in names]


async def test_get_me(bot: Bot, playground: Playground) -> None:
    me = await bot.get_me()
    assert me.is_bot
    assert me.id == bot.id == int(playground.token.partition(":")[0])
    assert re.fullmatch(r"\w{2,}bot", me.username)


async def test_commands_by_language_and_scope(bot: Bot, chat: Person) -> None:
    assert await bot.get_my_commands() == []
    await bot.set_my_commands(commands("start", "help"))
    await bot.set_my_commands(commands("privet"), language_code="ru")
    await bot.set_my_commands(commands("private"), scope=BotCommandScopeAllPrivateChats())
    assert [item.command for item in await bot.get_my_commands()] == ["start", "help"]
    assert [item.command for item in await bot.get_my_commands(language_code="ru")] == ["privet"]

    def seen() -> list[str]:
        return [item["command"] for item in chat.profile["commands"]]

    await chat.wait_until(lambda: seen() == ["private"])
    await bot.set_my_commands(commands("mine"), scope=BotCommandScopeChat(chat_id=chat.user_id))
    await chat.wait_until(lambda: seen() == ["mine"])
    await bot.delete_my_commands(scope=BotCommandScopeChat(chat_id=chat.user_id))
    await bot.delete_my_commands(scope=BotCommandScopeAllPrivateChats())
    await chat.wait_until(lambda: seen() == ["start", "help"])


async def test_commands_in_the_persons_language(bot: Bot, playground: Playground) -> None:
    await bot.set_my_commands(commands("start"))
    await bot.set_my_commands(commands("nachat"), language_code="ru")
    await bot.set_my_description("I paint.")
    await bot.set_my_description("Я рисую.", language_code="ru")
    async with Person(playground.url, 9, "Боря", "ru") as boris:
        assert [item["command"] for item in boris.profile["commands"]] == ["nachat"]
        assert boris.profile["description"] == "Я рисую."


@pytest.mark.parametrize("name", ["Start", "with space", "x" * 33, "", "старт"])
async def test_bad_commands(bot: Bot, name: str) -> None:
    with pytest.raises(TelegramBadRequest, match="BOT_COMMAND_INVALID"):
        await bot.set_my_commands(commands(name))


async def test_too_many_commands(bot: Bot) -> None:
    with pytest.raises(TelegramBadRequest, match="too much commands"):
        await bot.set_my_commands(commands(*(f"c{number}" for number in range(101))))
    with pytest.raises(TelegramBadRequest, match="BOT_COMMAND_DESCRIPTION_INVALID"):
        await bot.set_my_commands([BotCommand(command="start", description="")])


async def test_texts_about_the_bot(bot: Bot) -> None:
    assert (await bot.get_my_name()).name == (await bot.get_me()).first_name
    await bot.set_my_name("Painter")
    await bot.set_my_short_description("Paints")
    assert (await bot.get_my_name()).name == "Painter"
    assert (await bot.get_my_short_description(language_code="de")).short_description == "Paints"
    assert (await bot.get_my_description()).description == ""
    with pytest.raises(TelegramBadRequest, match="too long"):
        await bot.set_my_description("x" * 513)


async def test_menu_button(bot: Bot, chat: Person) -> None:
    assert isinstance(await bot.get_chat_menu_button(), MenuButtonDefault)
    button = MenuButtonWebApp(text="Open", web_app=WebAppInfo(url="https://example.org"))
    await bot.set_chat_menu_button(chat_id=chat.user_id, menu_button=button)
    assert (await bot.get_chat_menu_button(chat_id=chat.user_id)).type == "web_app"
    await chat.wait_until(lambda: chat.profile["menu_button"]["type"] == "web_app")


async def test_get_chat(bot: Bot, chat: Person) -> None:
    found = await bot.get_chat(chat.user_id)
    assert (found.id, found.type, found.first_name) == (chat.user_id, "private", "Alice")


async def test_log_out_and_close(bot: Bot) -> None:
    assert await bot.log_out()
    assert await bot.close()


async def test_files_come_back(bot: Bot, chat: Person) -> None:
    content = picture(30, 20, kind="PNG")
    sent = await chat.send_document(content, "dot.png")
    file = await bot.get_file(sent.document.file_id)
    assert (file.file_size, file.file_unique_id) == (len(content), sent.document.file_unique_id)
    assert (await bot.download_file(file.file_path)).read() == content


async def test_the_same_file_has_the_same_unique_id(chat: Person) -> None:
    first = (await chat.send_document(b"same", "a.txt")).document
    second = (await chat.send_document(b"same", "b.txt")).document
    assert first.file_unique_id == second.file_unique_id
    assert first.file_id != second.file_id


async def test_files_over_20_megabytes_are_not_served(bot: Bot, chat: Person) -> None:
    large = await chat.send_document(b"\0" * (20 * 1024 * 1024 + 1), "large.bin")
    with pytest.raises(TelegramBadRequest, match="Bad Request: file is too big"):
        await bot.get_file(large.document.file_id)


async def test_unknown_files(bot: Bot, http: aiohttp.ClientSession, playground: Playground) -> None:
    with pytest.raises(TelegramBadRequest, match="Bad Request: invalid file_id"):
        await bot.get_file("AgACnothing")
    for path in ("photos/file_1.jpg", "../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd"):
        url = f"{playground.url}/file/bot{playground.token}/{path}"
        async with http.get(url) as response:
            assert response.status == 404


async def test_downloads_are_never_shown_by_a_browser(
    bot: Bot, chat: Person, http: aiohttp.ClientSession, playground: Playground
) -> None:
    sent = await chat.send_document(b"<script>alert(1)</script>", "evil.html")
    file = await bot.get_file(sent.document.file_id)
    url = f"{playground.url}/file/bot{playground.token}/{file.file_path}"
    async with http.get(url) as response:
        assert response.content_type == "application/octet-stream"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Disposition"] == "attachment"


async def test_photos_are_uploaded_by_their_own_name_too(
    chat: Person, http: aiohttp.ClientSession, playground: Playground
) -> None:
    form = aiohttp.FormData({"chat_id": str(chat.user_id)})
    form.add_field("photo", picture(), filename="p.jpg")
    async with http.post(
        f"{playground.url}/bot{playground.token}/sendPhoto", data=form
    ) as response:
        assert (await response.json())["result"]["photo"]


async def test_old_files_make_room(
    bot: Bot, chat: Person, playground: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = playground.world.files
    monkeypatch.setattr(playground.world, "files", FileStore(files.folder, max_bytes=1000))
    first = (await chat.send_document(b"x" * 600, "a.txt")).document
    second = (await chat.send_document(b"y" * 600, "b.txt")).document
    with pytest.raises(TelegramBadRequest, match="invalid file_id"):
        await bot.get_file(first.file_id)
    assert (await bot.download(second.file_id)).read() == b"y" * 600
