"""Downloads of pictures: over https only, of limited size, whole or not at all."""

from __future__ import annotations

import http.client
import platform
import urllib.error
from typing import IO, Final
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from impasto import __version__
from impasto.errors import OwnerError

MOST_BYTES: Final = 10_000_000
TIMEOUT_SECONDS: Final = 20.0
"""Without a byte."""
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
USER_AGENT: Final = (
    f"Impasto/{__version__} (impasto styles fetch, run by the owner of a Telegram bot) "
    f"Python-urllib/{platform.python_version()}"
)
"""Wikimedia blocks programs that do not name themselves:
https://foundation.wikimedia.org/wiki/Policy:Wikimedia_Foundation_User-Agent_Policy"""


def safe(address: str) -> str:
    """The address, if it is one of https or of this machine. Raises ValueError."""
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ValueError(f"{address} does not begin with https://")
    return address


def download(address: str) -> bytes:
    """A picture, as its server sends it; where it sends on to another address, from there.

    Raises:
        OwnerError: it cannot be had, it is not whole, it is larger than `MOST_BYTES`, or the server
            says that it is something else.
    """
    host = urlsplit(address).hostname
    request = Request(safe(address), headers={"User-Agent": USER_AGENT})  # noqa: S310  # is safe
    try:
        with build_opener(_SafeRedirects).open(request, timeout=TIMEOUT_SECONDS) as answer:
            kind = answer.headers.get_content_type()
            if not kind.startswith("image/"):
                raise OwnerError(f"{host} answered with {kind}, not with a picture")
            content: bytes = answer.read(MOST_BYTES + 1)
            if len(content) > MOST_BYTES:
                raise OwnerError(f"{host} sent more than {MOST_BYTES:,} bytes")
            if answer.length:  # bytes that did not come
                raise OwnerError(f"{host} sent only a part of the picture")
            return content
    except urllib.error.HTTPError as error:
        pause = error.headers.get("Retry-After")
        wish = f", and wants to be asked again in {pause} seconds" if pause else ""
        raise OwnerError(f"{host} answered {error.code} {error.reason}{wish}") from None
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "reason", None) or error
        raise OwnerError(f"{host} cannot be reached ({why})") from None
    except ValueError as error:
        raise OwnerError(f"{host} redirects to an address that is not safe: {error}") from None


class _SafeRedirects(HTTPRedirectHandler):
    """Wikimedia sends on from the wiki to the host that has its pictures."""

    def redirect_request(  # noqa: PLR0917  # as urllib calls it
        self,
        req: Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> Request | None:
        return super().redirect_request(req, fp, code, msg, headers, safe(newurl))
