"""Never comes back from a handler of the start."""

import asyncio

from aiogram import Router

from impasto import hookimpl


async def begin():
    await asyncio.Event().wait()


@hookimpl
def impasto_routers(settings):
    router = Router(name="startup_hangs")
    router.startup.register(begin)
    return [router]
