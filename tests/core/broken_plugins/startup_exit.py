"""Ends the program in a handler of the start."""

import sys

from aiogram import Router

from impasto import hookimpl


async def begin():
    sys.exit(3)


@hookimpl
def impasto_routers(settings):
    router = Router(name="startup_exit")
    router.startup.register(begin)
    return [router]
