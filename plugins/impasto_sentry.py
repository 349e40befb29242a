"""Errors to Sentry, once `[plugins.sentry] dsn` is set. Needs the extra `sentry`.

What is logged as an error becomes an event, with what the log line says about it. No pictures, no
messages and no tokens are sent: every text is scrubbed as in the log.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aiogram import Router
from pydantic import SecretStr

from impasto import Finding, hookimpl
from impasto.errors import OwnerError
from impasto.logs import scrub_all
from impasto.settings import Section, Settings

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

INSTALL = "pip install 'impasto[sentry]'"


class SentrySettings(Section):
    dsn: SecretStr = SecretStr("")
    """The DSN that Sentry shows for a project. If empty, nothing is sent."""
    environment: str = "production"
    """Name under which Sentry groups the events of this bot."""


@hookimpl
def impasto_settings() -> type[SentrySettings]:
    return SentrySettings


@hookimpl
def impasto_routers(settings: Settings) -> Sequence[Router]:
    """Returns no dialog; the hook is called before the bot does anything that could fail."""
    section: SentrySettings = settings.plugin("sentry")
    if section.dsn.get_secret_value():
        start(section)
    return []


@hookimpl
def impasto_checks(settings: Settings) -> Sequence[Finding]:
    section: SentrySettings = settings.plugin("sentry")
    if not section.dsn.get_secret_value():
        return [Finding.ok("sentry", "not used: plugins.sentry.dsn is empty")]
    if not _is_installed():
        says = "plugins.sentry.dsn is set, and Sentry's library is not installed"
        return [Finding.warning("sentry", says, INSTALL)]
    return [Finding.ok("sentry", f"events of {section.environment}")]


def start(section: SentrySettings, **options: Any) -> None:
    """Sends errors from now on; `options` are those of `sentry_sdk.init`.

    Raises:
        OwnerError: the library is not installed, or refuses the DSN.
    """
    if not _is_installed():
        raise OwnerError(f"plugins.sentry.dsn is set; install Sentry's library: {INSTALL}")
    import sentry_sdk
    from sentry_sdk.utils import BadDsn

    try:
        sentry_sdk.init(
            dsn=section.dsn.get_secret_value(),
            environment=section.environment,
            before_send=prepared,
            include_local_variables=False,  # they may hold pictures, messages and the token
            max_request_body_size="never",
            **options,
        )
    except BadDsn as error:
        raise OwnerError("plugins.sentry.dsn is not a DSN; copy it again from Sentry") from error


def prepared(event: Event, hint: Hint) -> Event:
    """The event as structlog logged it: its records carry a mapping where others have a text."""
    record = hint.get("log_record")
    if record is not None and isinstance(record.msg, Mapping):
        facts = {name: value for name, value in record.msg.items() if not name.startswith("_")}
        event["logentry"] = {"message": str(facts.pop("event", "")), "params": []}
        event["extra"] = {name: str(facts[name]) for name in facts if name != "exc_info"}
    scrubbed: Event = scrub_all(event)
    return scrubbed


def _is_installed() -> bool:
    return importlib.util.find_spec("sentry_sdk") is not None
