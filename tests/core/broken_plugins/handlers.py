"""Its commands end the program, each in another way."""

import asyncio
import sys

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import Message

from impasto import hookimpl

impasto_order = 1


class Unusual(BaseException):
    pass


async def unusual(message: Message):
    raise Unusual("in a handler")


async def interrupt(message: Message):
    raise KeyboardInterrupt


async def leave(message: Message):
    sys.exit(3)


async def cancel(message: Message):
    raise asyncio.CancelledError


async def later(message: Message):
    task = asyncio.create_task(leave(message))
    await asyncio.wait({task})
    await message.answer(f"{task.exception()}")


@hookimpl
def impasto_routers(settings):
    router = Router(name="handlers")
    for handler in (unusual, interrupt, leave, cancel, later):
        router.message.register(handler, Command(handler.__name__))
    return [router]
