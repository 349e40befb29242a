"""How a call is refused: Telegram's error code and description, ready to be sent.

The texts are those of the Bot API server and of Telegram's own servers behind it, because bots
tell errors apart by them.
"""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """A Bot API call that is answered with ``ok: false``.

    `code` is both the HTTP status and ``error_code``; `parameters` becomes ``parameters`` of the
    answer (``retry_after`` for example).
    """

    def __init__(
        self, code: int, description: str, parameters: dict[str, Any] | None = None
    ) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def as_json(self) -> dict[str, Any]:
        """The body of the answer."""
        body: dict[str, Any] = {
            "ok": False,
            "error_code": self.code,
            "description": self.description,
        }
        if self.parameters:
            body["parameters"] = self.parameters
        return body


class ProxyPage(Refusal):
    """The answer of a proxy in front of Telegram: a page of HTML with this status."""

    def as_html(self) -> str:
        """The body of the answer, as nginx words it."""
        title = f"{self.code} {self.description}"
        return (
            f"<html><head><title>{title}</title></head>"
            f"<body><center><h1>{title}</h1></center><hr><center>nginx</center></body></html>"
        )


def bad_request(reason: str) -> Refusal:
    """400, the code of everything that is wrong with the call itself."""
    return Refusal(400, f"Bad Request: {reason}")


def conflict(reason: str) -> Refusal:
    """409, two ways of receiving updates at once."""
    return Refusal(409, f"Conflict: {reason}")


def not_found() -> Refusal:
    """404, a method that does not exist or a token that is no token."""
    return Refusal(404, "Not Found")


def too_large() -> Refusal:
    """413, more bytes than the server takes."""
    return Refusal(413, "Request Entity Too Large")
