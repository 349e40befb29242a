"""Every hook, one docstring each: in which process it runs, when it is called, what to return.

A plugin implements any of them:

    from impasto import hookimpl

    @hookimpl
    def impasto_preprocessors(settings):
        return [Sepia()]

There are two processes and two entry-point groups: plugins with hooks of the *bot* are registered
in the group `impasto`, those with hooks of the *painting process* in `impasto.painting`; one may
be in both. Hooks of the command line belong to the bot's group.

Unless its docstring says otherwise, a hook is called once, at the start. Plugins are called one
after another, by their `impasto_order` (an attribute of the module or object, 100 by default), then
by their names. An implementation takes the arguments that it needs, by name. What it returns may be
a list, another iterable or a generator; objects in it are sorted by their own `order`, else by that
of their plugin, then by their names. A plugin that raises (SystemExit and the like, too), returns
something else than is asked for, or takes longer than `plugins.start_seconds`, is taken out and
named in the log. Of two objects of one name a built-in one is used, else the one that came first.

`settings.plugin("<plugin name>")` is the plugin's own section, validated. A plugin that needs
something of a certain version of the hooks says so by `impasto_api = "1.0"`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import typer
    from aiogram import Router
    from aiohttp.web import AbstractRouteDef
    from pydantic import BaseModel

    from impasto.contracts import (
        ChatCommand,
        Device,
        Finding,
        JobQueue,
        NetworkSource,
        Optimizer,
        Postprocessor,
        Preprocessor,
        Presenter,
        Storage,
        StylePreset,
    )
    from impasto.jobs.job import Job, JobState
    from impasto.settings import Settings

hookspec = pluggy.HookspecMarker("impasto")

BOT_GROUP = "impasto"
PAINTING_GROUP = "impasto.painting"

HOOK_API = "1.0"
"""Version of the hooks and of the contracts of what they return. A minor version adds; a major one
takes away what was deprecated before. See docs/plugins/deprecation.md."""


@hookspec
def impasto_settings() -> type[BaseModel]:  # type: ignore[empty-body]
    """Both processes, before every other hook. Return the pydantic model (a class) of your settings
    section `[plugins.<your plugin's name>]`, preferably a subclass of `impasto.settings.Section`;
    give every field a default."""


@hookspec
def impasto_routers(settings: Settings) -> Sequence[Router]:  # type: ignore[empty-body]
    """Bot. Return new aiogram routers of a conversation. An update goes to the first handler that
    takes it, in the order of plugins.

    Handlers and filters take what they need, by name: `job_service: JobService` (accept, cancel and
    look up jobs, list presets), `settings: Settings`, `chat_commands: Sequence[ChatCommand]`, and
    from aiogram `state: FSMContext`, `bot: Bot`, `event_from_user: User`, `event_chat: Chat`, and
    `command: CommandObject` or `callback_data` where a filter has them.

    What the dialog knows of a person is in `await impasto.last_photo(state)` and
    `await impasto.language_of(state, event_from_user)`. The dialogue's data are shared: add keys of
    your own with `state.update_data(...)`, named after your plugin, and they stay until the person
    sends /forget; `state.set_data` and `state.clear` would take those of others.
    Callback data of buttons begin with the plugin's name, too (`CallbackData`, `prefix="mine"`).

    Return also `impasto_chat_commands` where commands are to be in the menu."""


@hookspec
def impasto_chat_commands(settings: Settings) -> Sequence[ChatCommand]:  # type: ignore[empty-body]
    """Bot. Return the commands that your routers answer to, so that the dialog shows them: in
    Telegram's menu and below /help, in the language of the person."""


@hookspec
def impasto_presenters(  # type: ignore[empty-body]
    settings: Settings, presets: Sequence[StylePreset]
) -> Sequence[Presenter]:
    """Bot, after `impasto_styles`, whose presets it is given, as a job has only its style's name.
    Return presenters: the texts and buttons of the messages about a job. The one of the lowest
    order is used."""


@hookspec
def impasto_styles(settings: Settings) -> Sequence[StylePreset]:  # type: ignore[empty-body]
    """Bot, at the start and when settings are reloaded. Return preset styles for the gallery."""


@hookspec
def impasto_queues(settings: Settings) -> Sequence[JobQueue]:  # type: ignore[empty-body]
    """Bot. Return job queues; `queue.kind` names the one that is used. Connect to servers in its
    `open`, not here."""


@hookspec
def impasto_storages(settings: Settings) -> Sequence[Storage]:  # type: ignore[empty-body]
    """Bot. Return storages, for journal, dialogue state and token buckets; `queue.storage` names
    the one that is used. Connect to servers in its `open`, not here."""


@hookspec
def impasto_job_changed(job: Job, change: JobState, settings: Settings) -> None:
    """Bot and workers, whenever a change of a job's state has been written to the journal; `change`
    is the new state. Observe, return nothing. Called on the event loop: be quick, and hand long
    work to a task or a thread. An observer that raises three times in a row is taken out."""


@hookspec
def impasto_telegram_called(method: str, result: str, seconds: float, settings: Settings) -> None:
    """Bot and workers, after every call to Telegram. `method` is its name in the Bot API, `result`
    one of `ok`, `retry_after`, `refused`, `server_error`, `not_reached`, `failed`, `cancelled`, and
    `seconds` its duration. Observe, return nothing; the same holds as for `impasto_job_changed`."""


@hookspec
def impasto_web_routes(settings: Settings) -> Sequence[AbstractRouteDef]:  # type: ignore[empty-body]
    """Bot and workers, where `server.port` is set or a webhook is used. Return routes of aiohttp
    (`web.get(path, handler)`) for pages that are served there, beside `/healthz`, `/readyz` and
    `/telegram`. Whoever reaches the port can see them. Handlers run on the event loop."""


@hookspec
def impasto_checks(settings: Settings) -> Sequence[Finding]:  # type: ignore[empty-body]
    """Command line, for `impasto doctor`. Look at what your plugin needs (files, programs, a
    server) and return a `Finding` for each; take a few seconds at most."""


@hookspec
def impasto_commands(cli: typer.Typer) -> None:
    """Command line, for any command that is not built in, and for the list of all. Add commands to
    `cli`, return nothing. Import what is heavy inside the commands.

    A command that takes `context: typer.Context` finds the settings in
    `impasto.cli.session_of(context).settings`; `impasto.cli.run_until_stopped` runs the bot in it
    as `impasto run` does."""


@hookspec
def impasto_preprocessors(settings: Settings) -> Sequence[Preprocessor]:  # type: ignore[empty-body]
    """Painting process. Return steps from picture to picture; before painting, each picture goes
    through those that have its role (content, style or start) among their `roles`."""


@hookspec
def impasto_postprocessors(settings: Settings) -> Sequence[Postprocessor]:  # type: ignore[empty-body]
    """Painting process. Return steps from picture to picture that each preview and the finished
    picture go through; they must keep the size."""


@hookspec
def impasto_optimizers(settings: Settings) -> Sequence[Optimizer]:  # type: ignore[empty-body]
    """Painting process. Return optimizers; `painting.optimizer` names the one that is used."""


@hookspec
def impasto_devices(settings: Settings) -> Sequence[Device]:  # type: ignore[empty-body]
    """Painting process. Return devices; `painting.device` names the one that is used, and `auto` is
    the first that works on this machine."""


@hookspec
def impasto_networks(settings: Settings) -> Sequence[NetworkSource]:  # type: ignore[empty-body]
    """Painting process. Return sources of feature networks; `painting.network` and
    `painting.fine_network` name those that are used. A network is loaded when it is first used."""


HOOKS = tuple(name for name in tuple(globals()) if name.startswith("impasto_"))
PAINTING_HOOKS = frozenset(
    {
        "impasto_preprocessors",
        "impasto_postprocessors",
        "impasto_optimizers",
        "impasto_devices",
        "impasto_networks",
    }
)
"""Hooks that run in the painting process; `impasto_settings` runs in both processes, all others in
the bot."""
OBSERVERS = frozenset({"impasto_job_changed", "impasto_telegram_called"})
"""Hooks that are called again and again while the bot runs, on its event loop."""
