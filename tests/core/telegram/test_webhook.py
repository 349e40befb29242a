"""The webhook: what is taken is in the journal first, what is not from Telegram is not taken."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiogram import Bot
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import SecretStr

from impasto.errors import OwnerError
from impasto.settings import ServerSettings, Settings, TelegramSettings
from impasto.telegram import webhook as module
from impasto.telegram.webhook import PATH, SECRET_HEADER, Webhook, secret_of
from impasto_playground import Person, Playground

from .telegram_bench import Faults, eventually, flood, out_of_order
from .test_app import child_with, order, result_after, running

pytestmark = pytest.mark.slow

__all__ = ["child_with"]  # a fixture

TOKEN = SecretStr("123456:EXAMPLE-TOKEN")
BASE = "https://bot.example.org"
UPDATE = {"update_id": 7, "message": {"text": "hello"}}

Client = TestClient[web.Request, web.Application]


def telegram(**fields: Any) -> TelegramSettings:
    return TelegramSettings(token=TOKEN, webhook_base=BASE, **fields)


class Taken:
    """Takes updates as the intake does, or fails."""

    def __init__(self) -> None:
        self.updates: list[tuple[int, str]] = []
        self.error: Exception | None = None

    async def __call__(self, updates: Sequence[tuple[int, str]]) -> None:
        if self.error is not None:
            raise self.error
        self.updates += updates


class TestSecret:
    def test_is_derived_from_the_token_and_fit_for_telegram(self) -> None:
        secret = secret_of(telegram())
        assert secret == secret_of(telegram())
        assert secret != secret_of(TelegramSettings(token=SecretStr("123456:ANOTHER-TOKEN")))
        assert "EXAMPLE" not in secret
        assert 32 <= len(secret) <= 256
        assert secret.isalnum()

    def test_of_the_settings_wins(self) -> None:
        assert secret_of(telegram(webhook_secret=SecretStr("chosen"))) == "chosen"


@pytest.fixture
async def taken() -> Taken:
    return Taken()


@pytest.fixture
async def client(taken: Taken, bot: Bot) -> AsyncIterator[Client]:
    """An HTTP client of a webhook that is being served."""
    webhook = Webhook(bot, telegram())
    application = web.Application()
    application.add_routes(webhook.routes())
    webhook._take = taken  # `serve` would have Telegram told of the address as well
    async with TestClient(TestServer(application)) as client:
        yield client


async def post(client: Client, body: bytes, secret: str | None = None) -> int:
    shown = {SECRET_HEADER: secret_of(telegram()) if secret is None else secret}
    return (await client.post(PATH, data=body, headers=shown)).status


async def test_an_update_is_taken_as_it_came(client: Client, taken: Taken) -> None:
    body = json.dumps(UPDATE)
    assert await post(client, body.encode()) == 200
    assert taken.updates == [(7, body)]


@pytest.mark.parametrize("secret", ["", "wrong", "é"])
async def test_who_does_not_know_the_secret_is_sent_away(
    client: Client, taken: Taken, secret: str
) -> None:
    assert await post(client, json.dumps(UPDATE).encode(), secret) == 403
    assert taken.updates == []


async def test_a_secret_of_other_bytes_is_a_wrong_one(bot: Bot) -> None:
    # No client of Python's sends such a header.
    request: Any = SimpleNamespace(headers={SECRET_HEADER: "\udcff"})
    with pytest.raises(web.HTTPForbidden):
        await Webhook(bot, telegram())._update(request)


async def test_what_cannot_be_stored_is_to_be_brought_again(client: Client, taken: Taken) -> None:
    taken.error = OSError("disk full")
    assert await post(client, json.dumps(UPDATE).encode()) == 500


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    body=st.binary(max_size=50)
    | st.sampled_from(
        [
            b"[" * 5000,
            b"{}",
            b"null",
            b'{"update_id": true}',
            b'{"update_id": -1}',
            b'{"update_id": 1e3}',
            b'{"update_id": 9223372036854775808}',
        ]
    )
)
def test_what_is_no_update_is_refused(body: bytes) -> None:
    with pytest.raises(web.HTTPBadRequest):
        module._parsed(body)  # fifty bodies, without a server for each


async def test_a_huge_body_is_refused(taken: Taken, bot: Bot) -> None:
    webhook = Webhook(bot, telegram())
    application = web.Application(client_max_size=1000)
    application.add_routes(webhook.routes())
    async with TestClient(TestServer(application)) as client:
        webhook._take = taken  # as above
        assert await post(client, b" " * 2000) == 413


async def test_before_and_after_serving_updates_are_to_be_brought_later(bot: Bot) -> None:
    webhook = Webhook(bot, telegram())
    application = web.Application()
    application.add_routes(webhook.routes())
    async with TestClient(TestServer(application)) as client:
        assert await post(client, json.dumps(UPDATE).encode()) == 503


async def test_a_path_of_the_public_address_is_served_with_and_without_it(bot: Bot) -> None:
    webhook = Webhook(bot, TelegramSettings(token=TOKEN, webhook_base=f"{BASE}/painter/"))
    application = web.Application()
    application.add_routes(webhook.routes())
    paths = [resource.canonical for resource in application.router.resources()]
    assert paths == ["/telegram", "/painter/telegram"]


class TestRegistration:
    @pytest.fixture(autouse=True)
    def _quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "WATCH_SECONDS", 0.01)

    async def test_waits_until_telegram_answers_and_obeys_it(
        self, bot: Bot, faults: Faults, taken: Taken
    ) -> None:
        faults.on("SetWebhook", out_of_order, flood(0))
        serving = asyncio.create_task(Webhook(bot, telegram()).serve(taken, ["message"]))

        async def is_set() -> bool:
            return bool((await bot.get_webhook_info()).url)

        await eventually(is_set)
        serving.cancel()
        info = await bot.get_webhook_info()
        assert (info.url, info.allowed_updates) == (f"{BASE}{PATH}", ["message"])

    async def test_an_address_that_telegram_refuses_ends_the_start(
        self, bot: Bot, taken: Taken
    ) -> None:
        settings = telegram().model_copy(update={"webhook_base": "ftp://nowhere"})
        with pytest.raises(OwnerError, match=r"check telegram\.webhook_base"):
            await Webhook(bot, settings).serve(taken, [])

    async def test_is_set_again_when_somebody_takes_it_away(self, bot: Bot, taken: Taken) -> None:
        serving = asyncio.create_task(Webhook(bot, telegram()).serve(taken, []))

        async def is_set() -> bool:
            return bool((await bot.get_webhook_info()).url)

        await eventually(is_set)
        await bot.delete_webhook()
        await eventually(is_set)
        serving.cancel()


@pytest.fixture
def settings(playground: Playground, tmp_path: Path, free_port: int) -> Settings:
    return Settings(
        state_dir=tmp_path / "state",
        telegram=TelegramSettings(
            token=SecretStr(playground.token),
            api_base=playground.url,
            edit_seconds=0,
            webhook_base=f"http://127.0.0.1:{free_port}",
        ),
        server=ServerSettings(host="127.0.0.1", port=free_port),
    )


@pytest.mark.usefixtures("child_with")
async def test_a_photo_comes_back_painted(settings: Settings, alice: Person) -> None:
    async with running(settings):
        await result_after(alice, await order(alice))


@pytest.mark.usefixtures("child_with")
async def test_between_webhook_and_polling_one_can_change_at_any_time(
    settings: Settings, alice: Person, bot: Bot
) -> None:
    """Each removes what the other left at Telegram, and loses nothing that came in between."""
    polling = settings.telegram.model_copy(update={"webhook_base": ""})
    for chosen in (settings.telegram, polling, settings.telegram, polling):
        sent = await alice.send_text("/start")
        async with running(settings.model_copy(update={"telegram": chosen})):
            await alice.wait_for(lambda m: m.text, after=sent.message_id)
            sent = await alice.send_text("/start")
            await alice.wait_for(lambda m: m.text, after=sent.message_id)
            url = (await bot.get_webhook_info()).url
            assert url == (f"{chosen.webhook_base}{PATH}" if chosen.webhook_base else "")


@pytest.mark.usefixtures("child_with")
async def test_what_comes_while_the_bot_is_down_is_brought_to_the_next(
    settings: Settings, alice: Person, child_with: Callable[..., None]
) -> None:
    async with running(settings):
        pass
    sent = await alice.send_text("/start")
    async with running(settings):
        await alice.wait_for(lambda m: m.text, after=sent.message_id)
