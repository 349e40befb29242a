"""The bot as a whole, with a scripted painting child: it starts, serves, and ends cleanly."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from impasto.errors import NotAvailable, OwnerError
from impasto.hookspecs import BOT_GROUP
from impasto.jobs.job import JobState
from impasto.jobs.worker import Worker
from impasto.plugins import PluginHost
from impasto.settings import PluginsSettings, QueueSettings, Settings, TelegramSettings
from impasto.telegram.app import run_bot
from impasto_playground import Person, Playground
from impasto_sqlite import SqliteStorage

from .telegram_bench import jpeg

pytestmark = pytest.mark.slow

SCRIPTED_CHILD = Path(__file__).parents[1] / "jobs" / "scripted_child.py"
FIRST_PRESET = 0


@pytest.fixture
def settings(playground: Playground, tmp_path: Path) -> Settings:
    return Settings(
        state_dir=tmp_path / "state",
        telegram=TelegramSettings(
            token=SecretStr(playground.token),
            api_base=playground.url,
            edit_seconds=0,
            chat_messages_per_second=0,
        ),
    )


@pytest.fixture
def child_with(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the bot start the scripted child, with these arguments."""

    def use(*arguments: str) -> None:
        command = [sys.executable, str(SCRIPTED_CHILD), *arguments]
        monkeypatch.setattr(
            "impasto.telegram.assembly.Worker", functools.partial(Worker, command=command)
        )

    use()
    return use


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[PluginHost]:
    """A bot that runs inside the block and is stopped at its end."""
    stop, ready = asyncio.Event(), asyncio.Event()
    host = PluginHost(BOT_GROUP, settings).load()
    task = asyncio.create_task(run_bot(settings, host, stop=stop, on_ready=ready.set))
    waiting = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        yield host
    finally:
        waiting.cancel()
        stop.set()
        await task


async def order(person: Person) -> int:
    """Sends a photo and taps the first style; returns the id of the message with the buttons."""
    sent = await person.send_photo(jpeg("green", (320, 240)))
    gallery = await person.wait_for(lambda m: m.reply_markup is not None, after=sent.message_id)
    assert gallery.reply_markup is not None
    button = gallery.reply_markup.inline_keyboard[0][FIRST_PRESET]
    await person.tap(button.text, gallery.message_id)
    return gallery.message_id


async def result_after(person: Person, gallery: int) -> None:
    """Waits for the picture and the text that follows it."""
    status = await person.wait_for(lambda m: m.photo and m.reply_markup, after=gallery)
    await person.wait_for(lambda m: m.text, after=status.message_id)


@pytest.mark.usefixtures("child_with")
async def test_a_photo_comes_back_painted(settings: Settings, alice: Person) -> None:
    async with running(settings):
        await result_after(alice, await order(alice))


async def test_the_bot_answers_others_while_it_paints(
    settings: Settings,
    alice: Person,
    playground: Playground,
    child_with: Callable[..., None],
    tmp_path: Path,
) -> None:
    child_with("--wait-for", str(tmp_path / "go"))
    async with running(settings), Person(playground.url, user_id=2) as bob:
        gallery = await order(alice)
        await alice.wait_for(lambda m: m.photo and "%" in (m.caption or ""), after=gallery)
        await bob.send_text("/start")
        await bob.wait_for(lambda m: m.text)
        (tmp_path / "go").touch()
        await result_after(alice, gallery)


async def test_the_job_being_painted_is_handed_back_at_the_end_and_delivered_by_the_next_bot(
    settings: Settings, alice: Person, child_with: Callable[..., None], tmp_path: Path
) -> None:
    child_with("--wait-for", str(tmp_path / "go"))
    async with running(settings):
        gallery = await order(alice)
        await alice.wait_for(lambda m: m.photo and "%" in (m.caption or ""), after=gallery)
    storage = SqliteStorage(settings.state_dir)
    await storage.open()
    [job] = await storage.journal.of_person(alice.user_id)
    await storage.close()
    assert (job.state, job.attempts) == (JobState.ACCEPTED, 0)
    (tmp_path / "go").touch()
    async with running(settings):
        await result_after(alice, gallery)
    pictures = [m for m in alice.from_bot() if m.photo and m.message_id > gallery]
    assert [picture.message_id for picture in pictures] == [job.status_message]


@pytest.mark.usefixtures("child_with")
async def test_a_bot_that_is_cancelled_ends_cleanly(settings: Settings, alice: Person) -> None:
    ready = asyncio.Event()
    host = PluginHost(BOT_GROUP, settings).load()
    task = asyncio.create_task(run_bot(settings, host, on_ready=ready.set))
    await ready.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with running(settings):  # the state is free again
        pass


class TestOwnerErrors:
    async def failing(self, settings: Settings) -> str:
        host = PluginHost(BOT_GROUP, settings).load()
        with pytest.raises(OwnerError) as caught:
            async with asyncio.timeout(60):
                await run_bot(settings, host)
        return str(caught.value)

    async def with_token(self, settings: Settings, token: str) -> str:
        telegram = settings.telegram.model_copy(update={"token": SecretStr(token)})
        return await self.failing(settings.model_copy(update={"telegram": telegram}))

    async def test_no_token(self, settings: Settings) -> None:
        assert "impasto play" in await self.with_token(settings, "")

    async def test_what_is_no_token(self, settings: Settings) -> None:
        said = await self.with_token(settings, "no-token-but-secret")
        assert "BotFather" in said
        assert "secret" not in said

    async def test_a_token_that_telegram_refuses(self, settings: Settings, tmp_path: Path) -> None:
        async with Playground(port=0, token="123456:ANOTHER-TOKEN") as strict:
            telegram = settings.telegram.model_copy(update={"api_base": strict.url})
            said = await self.failing(settings.model_copy(update={"telegram": telegram}))
        assert "refuses telegram.token" in said
        assert "PLAYGROUND" not in said

    @pytest.mark.parametrize("queue", [{"kind": "carrier_pigeon"}, {"storage": "stone"}])
    async def test_what_no_plugin_offers(self, settings: Settings, queue: dict[str, str]) -> None:
        changed = settings.model_copy(update={"queue": QueueSettings(**queue)})
        with pytest.raises(NotAvailable, match="is not available"):
            async with running(changed):
                pass

    async def test_no_words(self, settings: Settings) -> None:
        changed = settings.model_copy(update={"plugins": PluginsSettings(deny=["dialog"])})
        assert "impasto_presenters" in await self.failing(changed)

    async def test_a_painting_process_that_cannot_start(
        self, settings: Settings, child_with: Callable[..., None]
    ) -> None:
        child_with("--cannot-start")
        assert "painting process cannot start" in await self.failing(settings)


BAD_ROUTERS = """
from impasto import hookimpl

@hookimpl
def impasto_routers(settings):
    return ["no router"]
"""

TWICE = """
from aiogram import Router
from impasto import hookimpl

ROUTER = Router()
Router().include_router(ROUTER)

@hookimpl
def impasto_routers(settings):
    return [ROUTER]
"""


NO_ROUTERS = """
from impasto import hookimpl

@hookimpl
def impasto_routers(settings):
    return []
"""


@pytest.mark.usefixtures("child_with")
async def test_bad_routers_cost_only_their_plugin(
    settings: Settings, alice: Person, tmp_path: Path
) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "bad.py").write_text(BAD_ROUTERS)
    (folder / "twice.py").write_text(TWICE)
    (folder / "none.py").write_text(NO_ROUTERS)
    changed = settings.model_copy(update={"plugins": PluginsSettings(folder=folder)})
    async with running(changed) as host:
        await alice.send_text("/start")
        await alice.wait_for(lambda m: m.text)
    errors = {record.name: record.error for record in host.records if record.error}
    assert set(errors) == {"bad", "twice"}
    assert "which is no Router" in str(errors["bad"])
    assert "belongs to another router" in str(errors["twice"])


BOT_THAT_LISTS_MODULES = """
import asyncio, functools, json, os, sys
from impasto.hookspecs import BOT_GROUP
from impasto.jobs.worker import Worker
from impasto.plugins import PluginHost
from impasto.settings import load_settings
from impasto.telegram import app, assembly

assembly.Worker = functools.partial(Worker, command=[sys.executable, os.environ["CHILD"]])

async def main():
    settings = load_settings()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, stop.set)
    await app.run_bot(settings, PluginHost(BOT_GROUP, settings, strict=True).load(), stop=stop)

asyncio.run(main())
print(json.dumps(sorted(sys.modules)))
"""


async def test_the_bot_process_never_imports_torch(
    settings: Settings, alice: Person, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "CHILD": str(SCRIPTED_CHILD),
        "IMPASTO_TELEGRAM__TOKEN": settings.telegram.token.get_secret_value(),
        "IMPASTO_TELEGRAM__API_BASE": settings.telegram.api_base,
        "IMPASTO_TELEGRAM__EDIT_SECONDS": "0",
        "IMPASTO_STATE_DIR": str(settings.state_dir),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        BOT_THAT_LISTS_MODULES,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=tmp_path,
        env=environment,
    )
    try:
        await result_after(alice, await order(alice))
        output, _ = await process.communicate(b"stop\n")
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0
    modules = set(json.loads(output.splitlines()[-1]))
    assert "impasto_dialog" in modules, "the bot ran with its plugins"
    assert not {"torch", "torchvision"} & modules
