"""Ends the program when its page is asked for."""

import sys

from aiohttp import web

from impasto import hookimpl


async def page(request):
    sys.exit(3)


@hookimpl
def impasto_web_routes(settings):
    return [web.get("/leave", page)]
