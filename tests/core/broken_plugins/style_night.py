"""Offers a style that is called like a built-in one, and one that is not."""

from pathlib import Path

from impasto import StylePreset, hookimpl

impasto_order = 1


@hookimpl
def impasto_styles(settings):
    return [
        StylePreset(
            name=name,
            titles={"en": name},
            picture=Path("x.png"),
            credit="",
            licence="CC0-1.0",
        )
        for name in ("night", "noon")
    ]
