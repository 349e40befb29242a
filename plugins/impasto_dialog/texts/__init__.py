"""The words of the conversation: one module per language, each with a `TEXTS`.

A further language is one more file beside `en.py`, named by its code; it is found by itself. What
a language lacks does not import: every field of `Texts` is required.
"""

from __future__ import annotations

import importlib
import pkgutil

from impasto_dialog.texts.catalog import Texts, fill

FALLBACK = "en"

__all__ = ["FALLBACK", "LANGUAGES", "Texts", "fill", "texts_for"]


def _load() -> dict[str, Texts]:
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    found = [module.TEXTS for module in modules if hasattr(module, "TEXTS")]
    return {texts.language: texts for texts in found}


LANGUAGES: dict[str, Texts] = _load()
"""Texts by language code."""


def texts_for(language_code: str | None) -> Texts:
    """Texts for a user's `language_code` (IETF, such as `pt-br`), else the English ones."""
    primary = (language_code or FALLBACK).replace("_", "-").split("-")[0].lower()
    return LANGUAGES.get(primary) or LANGUAGES[FALLBACK]
