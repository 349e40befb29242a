"""What the bot relies on in its plugins: in any of them, in their part of the conversation, words
about jobs, styles, observers, web pages and checks."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from aiogram import Router
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image
from pydantic import BaseModel

from impasto import hookspecs
from impasto.contracts import (
    BRUSH_BOUNDS,
    ChatCommand,
    Finding,
    NoticePresenter,
    Presenter,
    Say,
    StylePreset,
)
from impasto.hookspecs import BOT_GROUP, PAINTING_GROUP, PAINTING_HOOKS
from impasto.jobs.job import ChosenStyle, Job, JobState, TelegramPicture
from impasto.messages import Failure, Progress
from impasto.plugins import PluginHost
from impasto.testing.factories import make_job, make_settings

NOTHING_ELSE = {"allow": ["nothing that is installed"]}
LONGEST_CAPTION = 1024
"""Characters after parsing that Telegram takes below a picture."""

UNESCAPED = "<no markup>"

NOTICES: dict[str, dict[str, str | int]] = {
    "not_allowed": {},
    "handler_failed": {},
    "no_room": {},
    "disk_full": {"why": UNESCAPED},
    "machine_fails": {"why": UNESCAPED},
    "plugin_fails": {"plugin": UNESCAPED, "why": UNESCAPED},
    "painter_keeps_dying": {"count": 3, "minutes": 10, "why": UNESCAPED},
}
"""What the core itself has said about something other than a job: facts by code."""
LONGEST_TITLE = 40
"""Characters that fit on a button."""
TAKEN = {"/healthz", "/readyz", "/telegram"}


def host_of(plugin: Any) -> PluginHost:
    """The plugin, loaded alone in the process to which its hooks belong."""
    group = PAINTING_GROUP if PAINTING_HOOKS & set(dir(plugin)) else BOT_GROUP
    settings = make_settings(plugins=NOTHING_ELSE)
    return PluginHost(group, settings, strict=True, more={"tested": plugin}).load()


class PluginConformance:
    """Inherit it and override the fixture `plugin` with the module (or object) that has the
    hooks."""

    @pytest.fixture
    def plugin(self) -> Any:
        raise NotImplementedError("override the fixture `plugin`")

    @pytest.fixture
    def host(self, plugin: Any) -> PluginHost:
        return host_of(plugin)

    def test_loads_without_a_warning(self, plugin: Any) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            host_of(plugin)
        assert [str(warning.message) for warning in caught] == []

    def test_has_hooks_of_this_version_only(self, plugin: Any) -> None:
        marked = {name for name in dir(plugin) if name.startswith("impasto_")}
        assert marked - {"impasto_api", "impasto_order"} <= set(hookspecs.HOOKS)

    def test_its_settings_all_have_defaults(self, host: PluginHost) -> None:
        for _, model in host.call("impasto_settings"):
            assert issubclass(model, BaseModel)
            assert model() is not None


class DialogConformance(PluginConformance):
    """Inherit it and override the fixture `plugin` with the module (or object) that has the hooks
    `impasto_routers` and, where it has, `impasto_chat_commands`."""

    def routers(self, host: PluginHost) -> list[Router]:
        [(_, routers)] = host.call("impasto_routers", settings=host.settings)
        return list(routers)

    def test_returns_routers(self, host: PluginHost) -> None:
        routers = self.routers(host)
        assert routers, "impasto_routers returned no router"
        assert all(isinstance(router, Router) for router in routers)

    def test_makes_new_routers_in_every_call(self, host: PluginHost) -> None:
        """A router can belong to one bot only."""
        once, again = self.routers(host), self.routers(host)
        assert not {id(router) for router in once} & {id(router) for router in again}
        assert all(router.parent_router is None for router in again)

    def test_names_its_routers(self, host: PluginHost) -> None:
        """Logs name the router that failed; the default name is an address."""
        assert all(not router.name.startswith("0x") for router in self.routers(host))

    def test_its_commands_for_the_menu_are_described_once(self, host: PluginHost) -> None:
        found = host.call("impasto_chat_commands", settings=host.settings)
        commands = [command for _, returned in found for command in returned]
        assert host.failed == {}
        assert all(isinstance(command, ChatCommand) for command in commands)
        names = [command.name for command in commands]
        assert sorted(set(names)) == sorted(names)


class PresenterConformance:
    """Inherit it and override the fixture `presenter`."""

    @pytest.fixture
    def presenter(self) -> Presenter:
        raise NotImplementedError("override the fixture `presenter`")

    @pytest.fixture(params=["en", "ru", "xx"])
    def language(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def test_keeps_the_contract(self, presenter: Presenter) -> None:
        assert isinstance(presenter, Presenter)
        assert isinstance(presenter.order, int)

    def test_has_words_for_everything(self, presenter: Presenter, language: str) -> None:
        for say in self.everything(presenter, language):
            assert isinstance(say, Say)
            assert say.text.strip()
            assert len(re.sub(r"<[^>]+>", "", say.text)) <= LONGEST_CAPTION

    def test_buttons_carry_what_telegram_takes(self, presenter: Presenter, language: str) -> None:
        for say in self.everything(presenter, language):
            for row in say.keyboard.inline_keyboard if say.keyboard else []:
                for button in row:
                    assert button.text
                    if button.callback_data is not None:
                        assert 1 <= len(button.callback_data.encode()) <= 64

    def test_says_notices_in_html_or_leaves_them_to_the_core(
        self, presenter: Presenter, language: str
    ) -> None:
        if not isinstance(presenter, NoticePresenter):
            pytest.skip("this presenter has no method `notice`")
        for code, facts in {**NOTICES, "a code of tomorrow": {}}.items():
            say = presenter.notice(code, language, facts)
            if say is not None:
                assert say.text.strip()
                assert UNESCAPED not in say.text

    def everything(self, presenter: Presenter, language: str) -> Iterator[Say]:
        """What it says about jobs of all kinds in all states."""
        styles = ChosenStyle(preset="gone"), ChosenStyle(picture=TelegramPicture(file_id="x"))
        for style in styles:
            facts: dict[str, Any] = {"language": language, "styles": (style,)}
            job = make_job(**facts)
            for ahead in (0, 1, 25):
                yield presenter.waiting(job, ahead, None)
                yield presenter.waiting(job, ahead, 40.0)
            for share in (0.0, 0.5, 1.0):
                yield presenter.painting(job, _progress(job, share))
            yield presenter.painted(make_job(JobState.PAINTED, **facts))
            yield presenter.ready(make_job(JobState.DELIVERED, **facts))
            if moved := getattr(presenter, "moved", None):
                yield moved(make_job(JobState.PAINTED, **facts))
            yield presenter.cancelled(make_job(JobState.CANCELLED, **facts))
            for code in ("painting_failed", "picture_too_small", "a code of tomorrow"):
                failure = Failure(code=code, sentence="It <failed>.", facts={"role": "style"})
                yield presenter.failed(make_job(JobState.FAILED, failure=failure, **facts))


def _progress(job: Job, share: float) -> Progress:
    return Progress(
        job_id=job.id,
        step=int(share * 100),
        steps=100,
        level=1,
        levels=3,
        share=share,
        pixels=120_000,
        seconds=share * 20,
        seconds_left=(1 - share) * 20 if share else None,
    )


class StylesConformance:
    """Inherit it and override the fixture `styles`."""

    @pytest.fixture
    def styles(self) -> Sequence[StylePreset]:
        raise NotImplementedError("override the fixture `styles`")

    def test_there_are_some(self, styles: Sequence[StylePreset]) -> None:
        assert styles, "impasto_styles returned no style"
        assert all(isinstance(style, StylePreset) for style in styles)

    def test_names_are_taken_once(self, styles: Sequence[StylePreset]) -> None:
        names = [style.name for style in styles]
        assert sorted(set(names)) == sorted(names)

    def test_titles_fit_on_a_button(self, styles: Sequence[StylePreset]) -> None:
        for style in styles:
            for language, title in style.titles.items():
                assert 1 <= len(title) <= LONGEST_TITLE, f"{style.name}, {language}"

    def test_pictures_are_whole_and_large_enough(self, styles: Sequence[StylePreset]) -> None:
        for style in styles:
            with Image.open(style.picture) as picture:
                picture.load()
                assert min(picture.size) >= 256, f"{style.name} has no strokes to speak of"

    def test_it_is_said_whose_they_are(self, styles: Sequence[StylePreset]) -> None:
        for style in styles:
            assert style.credit, style.name
            assert style.licence, style.name

    def test_strength_and_brush_are_within_what_painting_takes(
        self, styles: Sequence[StylePreset]
    ) -> None:
        for style in styles:
            assert style.strength > 0, style.name
            assert BRUSH_BOUNDS[0] <= style.brush_size <= BRUSH_BOUNDS[1], style.name


class ObserverConformance:
    """Inherit it and override the fixture `observer` with a plugin that has the hook
    `impasto_job_changed`."""

    @pytest.fixture
    def observer(self) -> Any:
        raise NotImplementedError("override the fixture `observer`")

    def test_is_a_plain_function(self, observer: Any) -> None:
        assert not inspect.iscoroutinefunction(observer.impasto_job_changed)

    @pytest.mark.parametrize("state", list(JobState))
    def test_takes_every_change_and_returns_nothing(self, observer: Any, state: JobState) -> None:
        facts = {"job": make_job(state), "change": state, "settings": make_settings()}
        wanted = inspect.signature(observer.impasto_job_changed).parameters
        given = {name: value for name, value in facts.items() if name in wanted}
        assert observer.impasto_job_changed(**given) is None


class WebRoutesConformance:
    """Inherit it and override the fixture `routes`."""

    @pytest.fixture
    def routes(self) -> Sequence[web.AbstractRouteDef]:
        raise NotImplementedError("override the fixture `routes`")

    def test_are_routes_of_aiohttp(self, routes: Sequence[web.AbstractRouteDef]) -> None:
        assert routes, "impasto_web_routes returned no route"
        assert all(isinstance(route, web.AbstractRouteDef) for route in routes)

    def test_take_no_path_of_the_bots_own(self, routes: Sequence[web.AbstractRouteDef]) -> None:
        application = web.Application()
        application.add_routes(routes)
        paths = {resource.canonical for resource in application.router.resources()}
        assert not paths & TAKEN

    async def test_pages_without_parameters_answer(
        self, routes: Sequence[web.AbstractRouteDef]
    ) -> None:
        application = web.Application()
        application.add_routes(routes)
        async with TestClient(TestServer(application)) as client:
            for resource in application.router.resources():
                if "{" not in resource.canonical:
                    answer = await client.get(resource.canonical)
                    assert answer.status < 500, resource.canonical


class ChecksConformance:
    """Inherit it and override the fixture `findings`."""

    @pytest.fixture
    def findings(self) -> Sequence[Finding]:
        raise NotImplementedError("override the fixture `findings`")

    def test_there_are_some(self, findings: Sequence[Finding]) -> None:
        assert findings, "impasto_checks returned no finding"
        assert all(isinstance(finding, Finding) for finding in findings)

    def test_names_are_taken_once(self, findings: Sequence[Finding]) -> None:
        names = [finding.name for finding in findings]
        assert sorted(set(names)) == sorted(names)

    def test_each_says_what_was_found_in_one_line(self, findings: Sequence[Finding]) -> None:
        for finding in findings:
            assert finding.says, finding.name
            assert "\n" not in finding.says + finding.advice, finding.name

    def test_what_is_wrong_comes_with_advice(self, findings: Sequence[Finding]) -> None:
        for finding in findings:
            assert finding.verdict == "ok" or finding.advice, finding.name
