"""Every hook, one docstring each: in which process it runs, when, and what to return.

A plugin implements any of them:

    from impasto import hookimpl

    @hookimpl
    def impasto_preprocessors(settings):
        return [Sepia()]

Two processes, two entry-point groups: hooks that run in the *bot* are found in the group
`impasto`, hooks that run in the *painting child* in the group `impasto.painting`. A plugin may be
registered in both. `settings.plugin("<plugin name>")` is the plugin's own validated section.
Hooks are called once at the start, plugin by plugin: by `impasto_order` of the plugin (default
100), then by its name. A plugin that needs something of a certain hook API says so by
`impasto_api = "1.0"`.
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
    """Both processes, before every other hook. Return the pydantic model of your settings section
    `[plugins.<your plugin's name>]`; give every field a default."""


@hookspec
def impasto_routers(settings: Settings) -> Sequence[Router]:  # type: ignore[empty-body]
    """Bot. Return aiogram routers of a dialog flow; they are asked in the order of plugins.

    Handlers may ask for `job_service: JobService` (accept, cancel and look up jobs, list presets),
    `settings: Settings` and whatever aiogram passes (state, bot, ...)."""


@hookspec
def impasto_presenters(  # type: ignore[empty-body]
    settings: Settings, presets: Sequence[StylePreset]
) -> Sequence[Presenter]:
    """Bot, after `impasto_styles`, whose presets it is given: a job knows its style by name only.
    Return what says, in which words and with which buttons, how a job is getting on; the one of
    the lowest order speaks."""


@hookspec
def impasto_styles(settings: Settings) -> Sequence[StylePreset]:  # type: ignore[empty-body]
    """Bot. Return preset styles for the gallery; sorted by their order, then name."""


@hookspec
def impasto_queues(settings: Settings) -> Sequence[JobQueue]:  # type: ignore[empty-body]
    """Bot. Return queues; `queue.kind` names the one that is used. Connect in `open`, not here."""


@hookspec
def impasto_storages(settings: Settings) -> Sequence[Storage]:  # type: ignore[empty-body]
    """Bot. Return stores of journal and dialogue state; `queue.storage` names the one that is
    used. Connect in `open`, not here."""


@hookspec
def impasto_job_changed(job: Job, change: JobState) -> None:
    """Bot, after every change of a job's state was written to the journal. Observe; return nothing.
    Runs on the event loop: be quick, hand long work to a task or a thread."""


@hookspec
def impasto_telegram_called(method: str, result: str, seconds: float) -> None:
    """Bot and workers, after every call to Telegram. `method` is its name in the Bot API; `result`
    is one of `ok`, `retry_after`, `refused`, `server_error`, `not_reached`, `failed`, `cancelled`.
    Observe; return nothing, and be quick: it runs on the event loop."""


@hookspec
def impasto_web_routes(settings: Settings) -> Sequence[AbstractRouteDef]:  # type: ignore[empty-body]
    """Bot and workers, where `server.port` is set or a webhook is used. Return aiohttp's routes
    (`web.get(path, handler)`) of pages to be served there, beside `/healthz`, `/readyz` and
    `/telegram`. Anybody who reaches the port can see them. Handlers run on the event loop."""


@hookspec
def impasto_checks(settings: Settings) -> Sequence[Finding]:  # type: ignore[empty-body]
    """Command line, for `impasto doctor`. Look at what your plugin needs (files, programs, a
    server) and return what you found, a `Finding` for each; wait a few seconds at most."""


@hookspec
def impasto_commands(cli: typer.Typer) -> None:
    """Command line. Add subcommands to `cli`, return nothing. Import what is heavy inside them.

    A command that takes `context: typer.Context` finds the settings with
    `impasto.cli.session_of(context).settings`; `impasto.cli.run_until_stopped` runs the bot in it
    as `impasto run` does."""


@hookspec
def impasto_preprocessors(settings: Settings) -> Sequence[Preprocessor]:  # type: ignore[empty-body]
    """Painting child. Return steps that each content, style or start picture goes through."""


@hookspec
def impasto_postprocessors(settings: Settings) -> Sequence[Postprocessor]:  # type: ignore[empty-body]
    """Painting child. Return steps that each preview and the finished picture go through."""


@hookspec
def impasto_optimizers(settings: Settings) -> Sequence[Optimizer]:  # type: ignore[empty-body]
    """Painting child. Return optimizers; `painting.optimizer` names the one that is used."""


@hookspec
def impasto_devices(settings: Settings) -> Sequence[Device]:  # type: ignore[empty-body]
    """Painting child. Return devices; `painting.device` names one, or `auto` takes the first that
    works here."""


@hookspec
def impasto_networks(settings: Settings) -> Sequence[NetworkSource]:  # type: ignore[empty-body]
    """Painting child. Return feature networks; `painting.network` names the one that is used."""


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
"""Hooks that run in the painting child; `impasto_settings` runs in both processes, all others in
the bot."""
OBSERVERS = frozenset({"impasto_job_changed", "impasto_telegram_called"})
"""Hooks that are called again and again while the bot runs, on its event loop."""
