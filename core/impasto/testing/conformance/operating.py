"""What the bot relies on in pages that plugins serve, and the doctor in what they find."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from impasto.contracts import Finding

TAKEN = {"/healthz", "/readyz", "/telegram"}


class WebRoutesConformance:
    """Inherit it and override the fixture `routes`."""

    @pytest.fixture
    def routes(self) -> Sequence[web.AbstractRouteDef]:
        raise NotImplementedError("override the fixture `routes`")

    def test_are_routes_of_aiohttp(self, routes: Sequence[web.AbstractRouteDef]) -> None:
        assert routes
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
        assert findings
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
