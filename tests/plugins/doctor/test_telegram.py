"""What the doctor hears from Telegram, and what it makes of it."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiogram.types import WebhookInfo
from pydantic import SecretStr, ValidationError

from impasto.contracts import Finding
from impasto.settings import ServerSettings, Settings, TelegramSettings
from impasto.telegram.connection import connected
from impasto_doctor.bot import (
    TELEGRAM,
    ask_telegram,
    check_local_files,
    check_port,
    check_telegram,
    check_updates,
)
from impasto_playground import Playground

BASE = "https://bot.example.org"


@pytest.fixture
async def playground() -> AsyncIterator[Playground]:
    async with Playground(port=0, token="123456:EXAMPLE-TOKEN") as playground:
        yield playground


def settings_for(api_base: str, token: str = "123456:EXAMPLE-TOKEN", **fields: Any) -> Settings:
    return Settings(telegram=TelegramSettings(token=SecretStr(token), api_base=api_base, **fields))


async def asked(settings: Settings) -> list[Finding]:
    return await ask_telegram(connected(settings), settings)


async def test_a_good_token_is_told_with_the_bots_name(playground: Playground) -> None:
    token, found = await asked(settings_for(playground.url))
    assert (token.verdict, found.verdict) == ("ok", "ok")
    assert "of @" in token.says
    assert "by polling" in found.says


async def test_a_refused_token_is_a_problem(playground: Playground) -> None:
    [finding] = await asked(settings_for(playground.url, "123456:ANOTHER-TOKEN"))
    assert (finding.name, finding.verdict) == ("token", "problem")
    assert "ANOTHER" not in finding.says + finding.advice


async def test_a_server_that_cannot_be_reached_is_a_problem(free_port: int) -> None:
    [finding] = await asked(settings_for(f"http://127.0.0.1:{free_port}"))
    assert finding.verdict == "problem"
    assert "cannot be reached" in finding.says


@pytest.mark.parametrize("token", ["", "no token"])
def test_without_a_token_nothing_is_asked(token: str) -> None:
    [finding] = check_telegram(settings_for(TELEGRAM, token))
    assert (finding.name, finding.verdict) == ("token", "problem")
    assert "BotFather" in finding.advice


class TestServerOfOnesOwn:
    """A Bot API server with `--local`."""

    SERVER = "http://10.0.0.1:8081"

    def found(self, local_files: object, api_base: str = SERVER) -> list[Finding]:
        settings = settings_for(api_base, local_files=str(local_files))
        return list(check_local_files(settings.telegram))

    def test_its_folder_is_looked_into(self, tmp_path: Path) -> None:
        assert self.found("") == []
        assert [finding.verdict for finding in self.found(tmp_path)] == ["ok"]
        [mapped] = self.found(f"/srv/bots={tmp_path}")
        assert mapped.says == f"pictures are read in {tmp_path}, which the server calls /srv/bots"

    def test_a_folder_that_is_not_there_is_a_problem(self, tmp_path: Path) -> None:
        [finding] = self.found(f"/srv/bots={tmp_path}/nowhere")
        assert finding.verdict == "problem"
        assert "nowhere cannot be read" in finding.says

    def test_telegrams_own_server_keeps_none_here(self, tmp_path: Path) -> None:
        [finding] = self.found(tmp_path, TELEGRAM)
        assert finding.verdict == "problem"
        assert "telegram.api_base" in finding.advice

    @pytest.mark.parametrize("folders", ["bots", "=/srv", "/srv=bots", "bots=/srv"])
    def test_half_a_path_is_refused(self, folders: str) -> None:
        with pytest.raises(ValidationError, match="a folder is written in full"):
            TelegramSettings(local_files=folders)


def info(url: str = "", **fields: Any) -> WebhookInfo:
    return WebhookInfo(
        url=url, has_custom_certificate=False, **{"pending_update_count": 0, **fields}
    )


class TestUpdates:
    def verdict(self, base: str, found: WebhookInfo) -> str:
        return check_updates(settings_for(TELEGRAM, webhook_base=base), found).verdict

    def test_a_webhook_that_polling_will_remove_is_told(self) -> None:
        assert self.verdict("", info("https://elsewhere.example.org")) == "warning"

    def test_a_webhook_that_works(self) -> None:
        assert self.verdict(BASE, info(f"{BASE}/telegram")) == "ok"
        assert self.verdict(BASE, info()) == "ok"

    def test_one_that_telegram_cannot_reach(self) -> None:
        now, long_ago = datetime.now(UTC), datetime.now(UTC) - timedelta(days=2)
        failing = info(f"{BASE}/telegram", last_error_date=now, last_error_message="timeout")
        assert self.verdict(BASE, failing) == "warning"
        healed = info(f"{BASE}/telegram", last_error_date=long_ago, last_error_message="timeout")
        assert self.verdict(BASE, healed) == "ok"

    @pytest.mark.parametrize(
        "base",
        ["http://bot.example.org", f"{BASE}:9000", f"{BASE}:99999", f"{BASE}:x", "https://[bot"],
    )
    def test_an_address_that_telegram_would_refuse(self, base: str) -> None:
        assert self.verdict(base, info()) == "problem"


class TestPort:
    def settings(self, number: int) -> Settings:
        return Settings(server=ServerSettings(host="127.0.0.1", port=number))

    def test_nothing_is_said_where_nothing_listens(self) -> None:
        assert list(check_port(Settings())) == []

    def test_a_free_one(self, free_port: int) -> None:
        [finding] = check_port(self.settings(free_port))
        assert finding.verdict == "ok"

    def test_one_in_use(self) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            [finding] = check_port(self.settings(other.getsockname()[1]))
        assert finding.verdict == "problem"
