"""Names that a shell completes after Tab: what plugins offer.

Nothing may be said meanwhile, as it would stand in the line that somebody types, and nothing may
take long: torch and aiogram are not imported.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterable, Iterator

import typer

from impasto.cli.session import Session, session_of
from impasto.hookspecs import BOT_GROUP, PAINTING_GROUP
from impasto.settings import AUTO

Names = Callable[[typer.Context, str], list[tuple[str, str]]]
"""Pairs of a name that begins as what was typed, and what it is."""


def completing(offered: Callable[[Session], Iterable[tuple[str, str]]]) -> Names:
    """A completion of names that a function lists for the command's session."""

    def complete(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
        with _silence():
            return [
                (name, what)
                for name, what in offered(session_of(context))
                if name.startswith(incomplete)
            ]
        return []

    return complete


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    with contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(Exception, SystemExit):
        yield


@completing
def styles(session: Session) -> Iterator[tuple[str, str]]:
    """The presets, with their titles."""
    from impasto.contracts import StylePreset

    host = session.load_offering(BOT_GROUP, {"impasto_styles"})
    for preset in host.collect("impasto_styles", StylePreset, settings=session.settings):
        yield preset.name, preset.title("en")


@completing
def networks(session: Session) -> Iterator[tuple[str, str]]:
    """The feature networks, whether they are here or not."""
    from impasto.contracts import NetworkSource

    yield AUTO, "the embedded network, and another to finish fine pictures"
    host = session.load_offering(PAINTING_GROUP, {"impasto_networks"})
    for network in host.collect("impasto_networks", NetworkSource, settings=session.settings):
        yield network.name, network.description
