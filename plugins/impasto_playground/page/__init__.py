"""The chat page: plain HTML, CSS and JavaScript, served as it lies here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files

from aiohttp import web

SCRIPTS = (
    "app.js",
    "api.js",
    "composer.js",
    "dom.js",
    "files.js",
    "message.js",
    "overlays.js",
    "scrolling.js",
    "texts.js",
)
PAGE = {
    "/": ("index.html", "text/html"),
    "/page/style.css": ("style.css", "text/css"),
    "/page/icon.svg": ("icon.svg", "image/svg+xml"),
    **{f"/page/{name}": (name, "text/javascript") for name in SCRIPTS},
}


def add_page(router: web.UrlDispatcher) -> None:
    """Serve the page at ``/`` and what belongs to it under ``/page/``."""
    for path, (name, content_type) in PAGE.items():
        router.add_get(path, _serve(name, content_type))


def _serve(name: str, content_type: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(
            body=files(__name__).joinpath(name).read_bytes(),
            content_type=content_type,
            charset="utf-8",
            headers={"Cache-Control": "no-cache"},
        )

    return handler
