"""Famous paintings: what `styles/famous.toml` says of them, and how their pictures are downloaded
(over https only, of limited size, whole or not at all) and checked.

The server makes a picture of the size that is wanted, so its digest cannot be known beforehand.
"""

from __future__ import annotations

import http.client
import itertools
import platform
import shlex
import tomllib
import urllib.error
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Final
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from PIL import Image
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from impasto import StylePreset, __version__, data_folders
from impasto.errors import OwnerError
from impasto_styles.adding import style_picture

MANIFEST: Final = "famous.toml"
WIDTH: Final = 1280
"""Pixels. Wikimedia has pictures of a few widths only: https://w.wiki/GHai"""
ASPECT_TOLERANCE: Final = 0.05
"""One photo of a painting has more of its margins than another."""
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


class Entry(BaseModel):
    """One painting: a table `[paintings.<name>]`."""

    model_config = ConfigDict(extra="forbid")

    file: Annotated[str, Field(min_length=1)]
    artist: str
    lived: Annotated[str, Field(pattern=r"^\d{4}–\d{4}$")]
    year: int
    aspect: Annotated[float | None, Field(gt=0)] = None
    emoji: str
    licence: str
    strength: float = 1.0
    brush_size: float = 1.0
    titles: dict[str, str]


class Manifest(BaseModel):
    """All of `famous.toml`."""

    model_config = ConfigDict(extra="forbid")

    wiki: Annotated[str, AfterValidator(safe)]
    paintings: dict[str, Entry]


@dataclass(frozen=True, slots=True)
class Painting:
    """A painting that can be fetched.

    Attributes:
        preset: what it becomes.
        page: address of the page about its picture.
        address: of the picture itself, `WIDTH` pixels wide.
        aspect: width / height, where it is known.
    """

    preset: StylePreset
    artist: str
    page: str
    address: str
    aspect: float | None

    def fetch(self) -> Image.Image:
        """The picture, upright and RGB.

        Raises:
            OwnerError: it cannot be had, or it is not the painting's; says what to do.
        """
        picture = style_picture(download(self.address), "what came")
        aspect = picture.width / picture.height
        if self.aspect is not None and abs(aspect / self.aspect - 1) > ASPECT_TOLERANCE:
            raise OwnerError(
                f"what came is another picture: {picture.width} x {picture.height} pixels, and the "
                f"painting is {self.aspect:.2f} times as wide as high"
            )
        return picture

    def by_hand(self, program: Sequence[str]) -> str:
        """What to do where the picture cannot be fetched.

        Args:
            program: `impasto` with its global options.
        """
        preset = self.preset
        numbers = {"--strength": preset.strength, "--brush-size": preset.brush_size}
        options = [
            ("--name", preset.name),
            *(("--title", f"{language}={title}") for language, title in preset.titles.items()),
            ("--emoji", preset.emoji),
            ("--credit", preset.credit),
            ("--licence", preset.licence),
            *((name, str(value)) for name, value in numbers.items() if value != 1),
        ]
        words = [*program, "styles", "add", preset.picture.name, *itertools.chain(*options)]
        return (
            f"try again later, or save the picture {WIDTH} pixels wide from {self.page} on another "
            f"machine, bring it here and run `{shlex.join(words)}`"
        )


def read_paintings(folder: Path, manifest: Path | None = None) -> dict[str, Painting]:
    """All paintings of a manifest by name.

    Args:
        folder: of this installation's own styles.
        manifest: by default the one that comes with the program.

    Raises:
        OwnerError: the manifest cannot be understood.
    """
    path = manifest or data_folders.styles_folder() / MANIFEST
    try:
        content = Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        return {
            name: _painting(name, entry, content.wiki, folder)
            for name, entry in content.paintings.items()
        }
    except (OSError, ValueError) as error:
        raise OwnerError(f"{path} cannot be used: {error}") from None


def _painting(name: str, entry: Entry, wiki: str, folder: Path) -> Painting:
    file = quote(entry.file.replace(" ", "_"), safe=",()")
    page = f"{wiki}File:{file}"
    preset = StylePreset(
        name=name,
        titles=entry.titles,
        picture=folder / f"{name}.jpg",
        credit=f"{entry.artist} ({entry.lived}): {entry.titles.get('en')}, {entry.year}; {page}",
        licence=entry.licence,
        emoji=entry.emoji,
        strength=entry.strength,
        brush_size=entry.brush_size,
    )
    address = f"{wiki}Special:FilePath/{file}?width={WIDTH}"
    return Painting(preset, entry.artist, page, address, entry.aspect)


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
