"""Pictures: whole files from Telegram or errors that say what to do, and photos that it takes."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import structlog
from aiogram import Bot
from aiogram.types import File
from PIL import Image

from impasto.errors import PictureError
from impasto.jobs.folders import NotFetched
from impasto.jobs.job import TelegramPicture
from impasto.settings import TelegramSettings
from impasto.telegram import pictures
from impasto.telegram.pictures import LONGEST_SIDE, TRIES, TelegramPictures, photo_of
from impasto_playground import Person

from .telegram_bench import Faults, flood, jpeg, out_of_order, unreachable


def broken_links(bot: Bot, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """The first links to files, as many as `number`, lead nowhere."""
    api, links = bot.session.api, ["expired/photo.jpg"] * number

    def file_url(token: str, path: str) -> str:
        return api.file_url(token, links.pop() if links else path)

    server = SimpleNamespace(api_url=api.api_url, file_url=file_url)
    monkeypatch.setattr(bot.session, "api", server)


@pytest.fixture
async def picture(alice: Person) -> TelegramPicture:
    message = await alice.send_document(jpeg() + bytes(200_000), "photo.jpg")
    assert message.document
    return TelegramPicture(file_id=message.document.file_id, as_photo=False)


async def test_a_file_comes_whole(bot: Bot, picture: TelegramPicture, tmp_path: Path) -> None:
    await TelegramPictures(bot).fetch(picture, tmp_path / "content")
    assert (tmp_path / "content").read_bytes() == jpeg() + bytes(200_000)


async def test_a_file_too_large_for_telegram(bot: Bot, alice: Person, tmp_path: Path) -> None:
    message = await alice.send_document(bytes(20 * 1024 * 1024 + 1), "large.png")
    assert message.document
    picture = TelegramPicture(file_id=message.document.file_id)
    with pytest.raises(PictureError) as caught:
        await TelegramPictures(bot).fetch(picture, tmp_path / "content")
    assert (caught.value.code, caught.value.facts) == ("file_too_large", {"megabytes": 20})
    assert not (tmp_path / "content").exists()


async def test_a_server_without_that_limit_is_held_to_it(
    bot: Bot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def get_file(*_: Any, **__: Any) -> File:
        return File(file_id="a", file_unique_id="b", file_size=1 << 30, file_path="huge")

    monkeypatch.setattr(bot, "get_file", get_file, raising=False)
    with pytest.raises(PictureError) as caught:
        await TelegramPictures(bot).fetch(TelegramPicture(file_id="a"), tmp_path / "content")
    assert caught.value.code == "file_too_large"


async def test_a_file_that_is_larger_than_it_says_is_not_fetched_to_its_end(
    bot: Bot, picture: TelegramPicture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "MAX_DOWNLOAD", 100_000)

    async def get_file(*_: Any, **__: Any) -> Any:
        file = await Bot.get_file(bot, picture.file_id)
        return SimpleNamespace(file_size=None, file_path=file.file_path)

    monkeypatch.setattr(bot, "get_file", get_file, raising=False)
    with pytest.raises(PictureError) as caught:
        await TelegramPictures(bot).fetch(picture, tmp_path / "content")
    assert caught.value.code == "file_too_large"
    assert (tmp_path / "content").stat().st_size <= 100_000


async def test_a_file_that_telegram_does_not_know(bot: Bot, tmp_path: Path) -> None:
    with pytest.raises(PictureError) as caught:
        await TelegramPictures(bot).fetch(TelegramPicture(file_id="nothing"), tmp_path / "content")
    assert caught.value.code == "file_gone"


async def test_a_bad_line_is_tried_again(
    bot: Bot, picture: TelegramPicture, tmp_path: Path, faults: Faults
) -> None:
    faults.on("GetFile", unreachable, out_of_order)
    await TelegramPictures(bot).fetch(picture, tmp_path / "content")
    assert faults.names().count("GetFile") == 3


async def test_a_link_that_has_expired_is_asked_for_again(
    bot: Bot,
    picture: TelegramPicture,
    tmp_path: Path,
    faults: Faults,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken_links(bot, monkeypatch, 1)
    await TelegramPictures(bot).fetch(picture, tmp_path / "content")
    assert faults.names().count("GetFile") == 2


@pytest.mark.parametrize("fault", [unreachable, out_of_order])
async def test_others_come_first_while_one_file_fails(
    bot: Bot, picture: TelegramPicture, tmp_path: Path, faults: Faults, fault: Any
) -> None:
    faults.on("GetFile", *[fault] * TRIES)
    with pytest.raises(NotFetched) as caught:
        await TelegramPictures(bot).fetch(picture, tmp_path / "content")
    assert caught.value.others_work
    assert faults.names().count("GetFile") == TRIES


async def test_a_file_that_always_breaks_off_is_one_of_these(
    bot: Bot, picture: TelegramPicture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_links(bot, monkeypatch, TRIES)
    with pytest.raises(NotFetched) as caught:
        await TelegramPictures(bot).fetch(picture, tmp_path / "content")
    assert caught.value.others_work


async def test_an_outage_is_no_fault_of_the_file(
    bot: Bot, picture: TelegramPicture, tmp_path: Path, faults: Faults
) -> None:
    faults.on("GetFile", *[unreachable] * TRIES)
    faults.on("GetMe", unreachable)
    with pytest.raises(NotFetched) as caught:
        await TelegramPictures(bot).fetch(picture, tmp_path / "content")
    assert not caught.value.others_work


async def test_nobody_sleeps_while_telegram_asks_to_wait(
    bot: Bot, picture: TelegramPicture, tmp_path: Path, faults: Faults
) -> None:
    faults.on("GetFile", flood(3600))
    with pytest.raises(NotFetched) as caught:
        await TelegramPictures(bot).fetch(picture, tmp_path / "content")
    assert (caught.value.seconds, caught.value.others_work) == (3600, False)


async def test_what_has_no_file_is_gone(bot: Bot, tmp_path: Path, faults: Faults) -> None:
    with pytest.raises(PictureError) as caught:
        await TelegramPictures(bot).fetch(TelegramPicture(file_id=""), tmp_path / "content")
    assert caught.value.code == "file_gone"
    assert faults.names() == []


class TestServerOfOnesOwn:
    """A Bot API server with `--local` names files on its disk."""

    FILE = "/srv/bots/123456:EXAMPLE-TOKEN/documents/file_1.jpg"

    @pytest.fixture
    def told(self, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> File:
        """What the server says about the file; its size is over Telegram's own limit."""
        told = File(file_id="a", file_unique_id="b", file_size=1 << 30, file_path=self.FILE)

        async def get_file(*_: Any, **__: Any) -> File:
            return told

        monkeypatch.setattr(bot, "get_file", get_file, raising=False)
        return told

    @pytest.fixture
    def here(self, tmp_path: Path) -> Path:
        file = tmp_path / "mapped" / "123456:EXAMPLE-TOKEN" / "documents" / "file_1.jpg"
        file.parent.mkdir(parents=True)
        file.write_bytes(jpeg())
        return tmp_path / "mapped"

    @pytest.mark.parametrize("root", ["/srv/bots", "/srv/bots/", "/srv"])
    async def test_its_files_are_read_from_the_mapped_folder(
        self, root: str, bot: Bot, told: File, here: Path, tmp_path: Path
    ) -> None:
        folder = here if root.strip("/") == "srv/bots" else here.parent
        if folder != here:
            here.rename(folder / "bots")
        telegram = TelegramSettings(local_files=f"{root}={folder}")
        await TelegramPictures(bot, telegram.folders).fetch(
            TelegramPicture(file_id="a"), tmp_path / "content"
        )
        assert (tmp_path / "content").read_bytes() == jpeg()

    async def test_or_from_the_same_folder(
        self, bot: Bot, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = str(here / "123456:EXAMPLE-TOKEN" / "documents" / "file_1.jpg")

        async def get_file(*_: Any, **__: Any) -> File:
            return File(file_id="a", file_unique_id="b", file_path=path)

        monkeypatch.setattr(bot, "get_file", get_file, raising=False)
        folders = TelegramSettings(local_files=str(here)).folders
        picture = TelegramPicture(file_id="a")
        await TelegramPictures(bot, folders).fetch(picture, tmp_path / "content")
        assert (tmp_path / "content").read_bytes() == jpeg()

    @pytest.mark.parametrize("folders", [None, "/elsewhere={here}", "/srv/bots={here}/nowhere"])
    async def test_what_is_not_found_is_told_to_both(
        self, folders: str | None, bot: Bot, told: File, here: Path, tmp_path: Path
    ) -> None:
        mapped = folders and TelegramSettings(local_files=folders.format(here=here)).folders
        with structlog.testing.capture_logs() as logs, pytest.raises(PictureError) as caught:
            await TelegramPictures(bot, mapped or None).fetch(
                TelegramPicture(file_id="a"), tmp_path / "content"
            )
        assert caught.value.code == "file_gone"
        [told_owner] = [entry for entry in logs if entry["event"] == "local_file_not_read"]
        assert "telegram.local_files" in told_owner["advice"]

    async def test_nothing_outside_its_folder_is_read(
        self, bot: Bot, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "secret").write_text("not for chats")

        async def get_file(*_: Any, **__: Any) -> File:
            return File(file_id="a", file_unique_id="b", file_path="/srv/bots/../secret")

        monkeypatch.setattr(bot, "get_file", get_file, raising=False)
        with pytest.raises(PictureError):
            await TelegramPictures(bot, ("/srv/bots", here)).fetch(
                TelegramPicture(file_id="a"), tmp_path / "content"
            )
        assert not (tmp_path / "content").exists()

    def test_a_server_on_windows_may_be_mapped(self, bot: Bot, here: Path) -> None:
        folders = TelegramSettings(local_files=rf"C:\bots={here}").folders
        found = TelegramPictures(bot, folders)._here(r"C:\bots\documents\file_1.jpg")
        assert found == here / "documents" / "file_1.jpg"


def saved(path: Path, size: tuple[int, int], **options: object) -> Path:
    Image.effect_noise(size, 90).convert("RGB").save(path, **options)
    return path


def test_what_fits_is_sent_as_it_is(tmp_path: Path) -> None:
    result = saved(tmp_path / "result.jpg", (640, 480), quality=95)
    assert photo_of(result) == result.read_bytes()


@pytest.mark.parametrize("size", [(5120, 300), (300, 5120)])
def test_what_is_larger_is_scaled_down(tmp_path: Path, size: tuple[int, int]) -> None:
    photo = Image.open(io.BytesIO(photo_of(saved(tmp_path / "result.jpg", size))))
    assert max(photo.size) == LONGEST_SIDE
    assert photo.width / photo.height == pytest.approx(size[0] / size[1], rel=0.01)


def test_another_format_becomes_a_jpeg(tmp_path: Path) -> None:
    result = saved(tmp_path / "result.png", (64, 48))
    photo = Image.open(io.BytesIO(photo_of(result)))
    assert (photo.format, photo.size) == ("JPEG", (64, 48))


def test_quality_gives_way_to_the_limit_of_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = tmp_path / "result.jpg"
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(result, quality=95, subsampling=0)
    whole = result.stat().st_size
    monkeypatch.setattr(pictures, "MOST_PHOTO_BYTES", whole // 2)
    photo = photo_of(result)
    assert len(photo) <= whole // 2
    assert Image.open(io.BytesIO(photo)).size == (300, 300)


def test_what_is_gone_or_no_picture_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="gone"):
        photo_of(tmp_path / "gone.jpg")
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.raises(OSError, match="cannot identify"):
        photo_of(tmp_path / "text.jpg")
