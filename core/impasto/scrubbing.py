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
"""Name and password in an address, as of a proxy."""
_SERVER = re.compile(r"\b(?!https?:)([a-z][a-z0-9+.-]*://)\S*(?=@)", re.IGNORECASE)
"""The same in that of a database, where it is no path that may have an @ in it, but a password that
may have anything in it."""
_PARAMETER = re.compile(
    r"([?&;](?:password|passwd|pwd|secret|token|api_?key)=)[^&;\s'\"<>]+", re.IGNORECASE
)
_INPUT = re.compile(r"(?<=input_value=).*?(?=, input_type=)", re.DOTALL)
"""What somebody wrote, in an error of pydantic's."""

_hidden: set[str] = set()


def hide(secret: str) -> None:
    """Has `scrub` take out this secret from now on; its shape does not tell that it is one."""
    if len(secret) >= LEAST_LETTERS:
        _hidden.add(secret)


def scrub(text: str) -> str:
    """The text with every bot token cut to its public half (the bot's id), and without passwords in
    addresses, secrets named by `hide`, and what people wrote that a model of pydantic refused."""
    for secret in _hidden:
        text = text.replace(secret, "***")
    text = _INPUT.sub("***", _TOKEN.sub(r"\1:***", text))
    text = _PARAMETER.sub(r"\1***", _SERVER.sub(r"\1***", text))
    return _CREDENTIALS.sub("***", text)


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
