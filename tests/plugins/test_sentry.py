"""Errors reach Sentry with what the log says about them, and without tokens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
import structlog
from pydantic import SecretStr
from sentry_sdk.transport import Transport

import impasto_sentry
from impasto.errors import OwnerError
from impasto.logs import configure_logging
from impasto.settings import LogSettings, load_settings
from impasto_sentry import SentrySettings, prepared, start

DSN = "https://public@sentry.example.org/1"
TOKEN = "123456:EXAMPLE-TOKEN"


class Kept(Transport):
    """Sends nothing and keeps the events."""

    events: list[dict[str, Any]]

    def __init__(self, options: dict[str, Any] | None = None) -> None:
        super().__init__(options)
        self.events = []

    def capture_envelope(self, envelope: Any) -> None:
        event = envelope.get_event()
        if event is not None:
            self.events.append(event)


@pytest.fixture
def sent() -> Iterator[list[dict[str, Any]]]:
    transport = Kept()
    start(SentrySettings(dsn=SecretStr(DSN)), transport=transport)
    configure_logging(LogSettings(format="json"))
    yield transport.events
    sentry_sdk.init()  # off again


def test_an_error_in_the_log_is_an_event_with_its_facts(sent: list[dict[str, Any]]) -> None:
    structlog.get_logger("impasto.jobs").error("job_failed", job="abc", code="painting_failed")
    [event] = sent
    assert event["logentry"]["message"] == "job_failed"
    assert event["extra"]["job"] == "abc"
    assert event["level"] == "error"


def test_an_exception_comes_with_its_traceback_and_no_local_variables(
    sent: list[dict[str, Any]],
) -> None:
    picture = "".join(["prec", "ious"])  # the lines around are sent, too
    try:
        raise ValueError(f"https://api.telegram.org/bot{TOKEN}/getMe {len(picture)}")
    except ValueError:
        structlog.get_logger().exception("conversation_failed")
    [event] = sent
    [found] = event["exception"]["values"]
    assert found["type"] == "ValueError"
    assert found["stacktrace"]["frames"]
    assert "precious" not in str(event)
    assert "EXAMPLE-TOKEN" not in str(event)


def test_warnings_are_not_sent(sent: list[dict[str, Any]]) -> None:
    structlog.get_logger().warning("no_updates")
    assert sent == []


def test_tokens_are_scrubbed_at_any_depth() -> None:
    event = prepared({"extra": {"urls": [f"/bot{TOKEN}/", 3]}}, {})  # type: ignore[typeddict-item]
    assert event["extra"] == {"urls": ["/bot123456:***/", 3]}


def test_a_wrong_dsn_is_told_without_showing_it() -> None:
    with pytest.raises(OwnerError, match="copy it again from Sentry") as caught:
        start(SentrySettings(dsn=SecretStr("https://precious")))
    assert "precious" not in str(caught.value)


@pytest.mark.parametrize(("dsn", "verdict"), [("", "ok"), (DSN, "warning")])
def test_without_the_library_only_a_dsn_is_a_reason_to_complain(
    dsn: str, verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(impasto_sentry, "_is_installed", lambda: False)
    settings = load_settings(plugins={"sentry": {"dsn": dsn}})
    settings.validate_plugin_section("sentry", SentrySettings)
    [finding] = impasto_sentry.impasto_checks(settings)
    assert finding.verdict == verdict
