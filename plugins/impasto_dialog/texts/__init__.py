"""The words of the conversation: one Fluent file per language (https://projectfluent.org).

A further language is one more file beside `en.ftl`, named by its code; it is found by itself. What
it lacks is said in English.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path

from fluent.runtime import FluentBundle, FluentResource

FALLBACK = "en"

Gap = str | int


class Texts:
    """All texts of one language.

    Called, it gives HTML for messages and captions; what fills gaps is escaped. `plain` is for
    buttons, toasts and the command menu, which show text as it is.
    """

    def __init__(self, language: str, *sources: str) -> None:
        """`sources` in Fluent's syntax; an earlier one wins."""
        self.language = language
        self._bundles = [_bundle(language, source) for source in sources]

    def __call__(self, key: str, **gaps: Gap) -> str:
        """Raises LookupError when no source has this text, or a gap has no value."""
        escaped = {n: escape(v) if isinstance(v, str) else v for n, v in gaps.items()}
        return self._filled(key, escaped)

    def plain(self, key: str, **gaps: Gap) -> str:
        """As calling it, without HTML."""
        return self._filled(key, gaps)

    def has(self, key: str) -> bool:
        return any(bundle.has_message(key) for bundle in self._bundles)

    def _filled(self, key: str, gaps: Mapping[str, Gap]) -> str:
        bundle = next((one for one in self._bundles if one.has_message(key)), None)
        pattern = bundle.get_message(key).value if bundle is not None else None
        if bundle is None or pattern is None:
            raise LookupError(f"no language has the text {key!r}")
        text, errors = bundle.format_pattern(pattern, dict(gaps))
        if errors:
            raise LookupError(f"{self.language}: the text {key!r} cannot be filled: {errors[0]}")
        return str(text)


def _bundle(language: str, source: str) -> FluentBundle:
    # Marks of writing direction around every filled gap would show as boxes in some apps.
    bundle = FluentBundle([language], use_isolating=False)
    bundle.add_resource(FluentResource(source))
    return bundle


def _load() -> dict[str, Texts]:
    files = sorted(Path(__file__).parent.glob("*.ftl"))
    sources = {file.stem: file.read_text(encoding="utf-8") for file in files}
    return {
        language: Texts(language, source, sources[FALLBACK]) for language, source in sources.items()
    }


LANGUAGES: dict[str, Texts] = _load()
"""Texts by language code."""


def texts_for(language_code: str | None) -> Texts:
    """Texts for a user's `language_code` (IETF, such as `pt-br`), else the English ones."""
    primary = (language_code or FALLBACK).replace("_", "-").split("-")[0].lower()
    return LANGUAGES.get(primary) or LANGUAGES[FALLBACK]
