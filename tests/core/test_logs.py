"""No log line has a secret in it, whoever wrote the line and however."""

from __future__ import annotations

import json
import logging
from typing import Literal

import pytest
import structlog
from aiogram import Bot
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, ValidationError

from impasto import logs
from impasto.logs import MOST_ALIKE, MOST_KINDS, WINDOW_SECONDS, Throttle, configure_logging, scrub
from impasto.settings import LogSettings, PluginsSettings, Settings, TelegramSettings
from impasto.telegram.webhook import Webhook, secret_of

SECRET = "AAEexampleEXAMPLEexampleEXAMPLE-_ab"
TOKEN = f"123456789:{SECRET}"
URL = f"https://api.telegram.org/bot{TOKEN}/getMe"


FormatName = Literal["json", "pretty"]
both_formats = pytest.mark.parametrize("format_name", ["json", "pretty"])


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        URL,
        f"bot{TOKEN}",
        f"Cannot connect: '{URL}'",
        URL.replace(":AAE", "%3AAAE"),
        f"/file/bot{TOKEN}/photos/file_1.jpg",
        f"{TOKEN} and {TOKEN}",
    ],
)
def test_a_token_is_cut_to_the_bots_id_wherever_it_stands(text: str) -> None:
    assert SECRET not in scrub(text)
    assert "123456789:***" in scrub(text)


@pytest.mark.parametrize(
    "text",
    ["at 12:34:56", "127.0.0.1:8080", "480x480 in 3.1 s", "2026-11-22T01:02:03Z", "file.py:12: x"],
)
def test_what_is_no_token_stays(text: str) -> None:
    assert scrub(text) == text


@given(st.text(), st.text())
def test_a_token_is_found_in_any_surroundings(before: str, after: str) -> None:
    before = before.rstrip("0123456789")
    assert SECRET not in scrub(f"{before}{TOKEN}{after}")


@both_formats
def test_values_of_events_are_scrubbed_at_any_depth(
    format_name: FormatName, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(LogSettings(level="debug", format=format_name))
    log = structlog.get_logger("test")
    nested = {"list": [URL, (URL,)]}
    log.info("event", url=URL, nested=nested, error=ValueError(URL), raw=URL.encode())
    output = capsys.readouterr().err
    assert SECRET not in output
    assert output.count("123456789:***") >= 5


@both_formats
def test_secrets_of_other_shapes_are_scrubbed(
    format_name: FormatName, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is hidden stays so for the process: these secrets would be in all later tests.
    monkeypatch.setattr("impasto.logs._hidden", set())
    configure_logging(LogSettings(level="debug", format=format_name))
    telegram = TelegramSettings(token=SecretStr(f"123456789:{SECRET}"))
    Webhook(Bot(f"123456789:{SECRET}"), telegram)
    shown = secret_of(telegram)
    Settings(plugins=PluginsSettings(store={"entry": "hidden-entry"})).validate_plugin_section(
        "store", Store
    )
    log = structlog.get_logger("test")
    log.info("taken", header=shown, url="redis://:pass-word@host:6379/0", other="hidden-entry")
    try:
        raise ConnectionError(f"cannot reach rediss://name:pass-word@host, {shown}")
    except ConnectionError:
        log.exception("failed")
    output = capsys.readouterr().err
    assert "host:6379" in output
    for secret in (shown, "pass-word", "hidden-entry"):
        assert secret not in output


class Store(BaseModel):
    entry: SecretStr


def test_what_is_no_secret_stays() -> None:
    for text in ("https://host/a@b", "name@example.org", "12:30", "see https://t.me/impasto"):
        assert scrub(text) == text


@both_formats
def test_tracebacks_are_scrubbed(
    format_name: FormatName, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(LogSettings(level="debug", format=format_name))
    log = structlog.get_logger("test")
    try:
        raise ConnectionError(f"cannot reach {URL}")
    except ConnectionError as error:
        log.exception("failed")
        log.error("failed", exc_info=error)
    output = capsys.readouterr().err
    assert output.count("ConnectionError") >= 2, "the traceback is there"
    assert "test_tracebacks_are_scrubbed" in output
    assert SECRET not in output


@both_formats
def test_records_of_other_libraries_take_the_same_way(
    format_name: FormatName, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(LogSettings(level="debug", format=format_name))
    aiogram = logging.getLogger("aiogram.dispatcher")
    aiogram.warning("Failed to fetch updates from %s", URL)
    aiogram.error("with extra", extra={"request": URL})
    try:
        raise OSError(URL)
    except OSError:
        aiogram.exception("Cause exception while processing update")
    output = capsys.readouterr().err
    assert "Failed to fetch updates" in output
    assert "OSError" in output
    assert SECRET not in output


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(LogSettings(format="json"))
    structlog.get_logger("mine").info("принято", job="x", seconds=1.5)
    logging.getLogger("theirs").warning("line\nbreak")
    ours, theirs = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert (ours["event"], ours["job"], ours["seconds"]) == ("принято", "x", 1.5)
    assert (ours["logger"], ours["level"]) == ("mine", "info")
    assert (theirs["logger"], theirs["level"]) == ("theirs", "warning")
    assert theirs["event"] == "line\nbreak"


def test_below_the_level_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(LogSettings(level="warning", format="json"))
    structlog.get_logger("mine").info("quiet")
    logging.getLogger("theirs").info("quiet")
    structlog.get_logger("mine").warning("loud")
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["loud"]


def test_without_a_terminal_auto_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(LogSettings(format="auto"))
    structlog.get_logger("mine").info("event")
    assert json.loads(capsys.readouterr().err)["event"] == "event"


@both_formats
def test_standard_output_is_left_alone(
    format_name: FormatName, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(LogSettings(level="debug", format=format_name))
    structlog.get_logger("mine").info("event")
    assert capsys.readouterr().out == ""


def test_a_pretty_traceback_warns_of_nothing(
    capsys: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    configure_logging(LogSettings(format="pretty"))
    try:
        raise ValueError("inside")
    except ValueError:
        structlog.get_logger("mine").exception("failed")
    assert [str(w.message) for w in recwarn] == []
    assert "ValueError: inside" in capsys.readouterr().err


@pytest.mark.parametrize("library", [False, True])
def test_what_is_said_again_and_again_is_left_out(
    library: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(logs.time, "monotonic", lambda: now)
    configure_logging(LogSettings(format="json"))
    ours, theirs = structlog.get_logger("ours"), logging.getLogger("aiohttp.server")

    def fail() -> None:
        if library:
            theirs.error("no descriptors for %s", object())
        else:
            ours.error("no descriptors", connection=object())

    for _ in range(1000):
        fail()
        ours.info("as usual")
    ours.error("another")
    now += WINDOW_SECONDS
    fail()
    fail()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    failures = [line for line in lines if line["event"].startswith("no descriptors")]
    assert len(failures) == MOST_ALIKE + 2
    assert [line.get("left_out") for line in failures[-2:]] == [1000 - MOST_ALIKE, None]
    assert sum(line["event"] == "as usual" for line in lines) == 1000
    assert sum(line["event"] == "another" for line in lines) == 1


def test_kinds_without_end_take_no_memory_without_end(capsys: pytest.CaptureFixture[str]) -> None:
    throttle = Throttle()
    for number in range(3 * MOST_KINDS):
        record = logging.LogRecord("x", logging.ERROR, "x", 1, f"{number}", None, None)
        assert throttle.filter(record)
    assert len(throttle._kinds) <= MOST_KINDS


@pytest.mark.parametrize(
    "text",
    [
        "redis://:pa/s-secret-s@host:6379/0",
        "redis://name:p@s-secret-s@host",
        "cannot reach postgresql+asyncpg://me:a/b?c=s-secret-s@host/db, again",
        "redis://host:6379/0?password=s-secret-s&ssl=1",
        "https://host/path?a=1&API_KEY=s-secret-s",
        "https://me:s-secret-s@proxy:3128",
    ],
)
def test_passwords_in_addresses_of_any_shape(text: str) -> None:
    scrubbed = scrub(text)
    assert "s-secret-s" not in scrubbed
    assert "host" in scrubbed or "proxy" in scrubbed


def test_what_people_wrote_is_in_no_error_of_a_model() -> None:
    class Model(BaseModel):
        number: int

    with pytest.raises(ValidationError) as caught:
        Model(number="my diary,\nof today")  # type: ignore[arg-type]
    assert "diary" in str(caught.value)
    scrubbed = scrub(str(caught.value))
    assert "diary" not in scrubbed
    assert "today" not in scrubbed
    assert "input_value=***, input_type=str" in scrubbed
