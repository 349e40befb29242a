"""Takes secrets out of texts that a person or a log may see."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

LEAST_LETTERS = 6
"""A shorter secret is not looked for: ordinary words would contain it."""

_TOKEN = re.compile(r"(?<!\d)(\d{3,16})(?::|%3A)[A-Za-z0-9_-]{8,}", re.IGNORECASE)
"""A bot token wherever it stands, also after `/bot` in the URL of a failed request."""
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+(?=@)")
"""Name and password in an address, as of a database."""

_hidden: set[str] = set()


def hide(secret: str) -> None:
    """Has `scrub` take out this secret from now on; its shape does not tell that it is one."""
    if len(secret) >= LEAST_LETTERS:
        _hidden.add(secret)


def scrub(text: str) -> str:
    """The text with every bot token cut to its public half (the bot's id), and without passwords in
    addresses and secrets named by `hide`."""
    for secret in _hidden:
        text = text.replace(secret, "***")
    return _CREDENTIALS.sub("***", _TOKEN.sub(r"\1:***", text))


def scrub_all(value: Any, other: Callable[[Any], Any] = lambda value: value) -> Any:
    """The value with all texts in it scrubbed, at any depth of mappings and lists; what is neither
    of these is as `other` returns it."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, Mapping):
        return {key: scrub_all(item, other) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [scrub_all(item, other) for item in value]
    return other(value)
