"""The Bot API methods that the playground knows, and the one way every call goes.

To add a method: write an ``async`` function that takes `Context` and aiogram's model of the
method and returns an aiogram type, and put both into a table.
"""

from __future__ import annotations

import logging
from typing import Any

import aiohttp
from aiogram.methods import TelegramMethod
from aiohttp.http_exceptions import HttpProcessingError

from .context import Context, Entry
from .editing import EDITING
from .faults import ConnectionCut, Faults, SeenCall
from .forms import Call, json_fields, read_form
from .profile import PROFILE
from .refusals import Refusal, not_found
from .sending import SENDING
from .state import World
from .webhook import Webhook
from .wire import build_method, to_json

LOGGER = logging.getLogger(__name__)

METHODS: dict[str, Entry] = {**PROFILE, **SENDING, **EDITING}
_BY_LOWER_NAME = {name.lower(): entry for name, entry in METHODS.items()}


class BotApi:
    """Answers the calls of the bot, as far as `faults` let it."""

    def __init__(self, world: World, faults: Faults) -> None:
        self.world = world
        self.faults = faults
        self.webhook = Webhook(world.updates, self._reply_of_webhook)

    async def answer(self, call: Call) -> Any:
        """The result of a call as JSON values. Raises `Refusal` or `ConnectionCut`.

        Every call passes here, from HTTP and from a webhook's reply, so this is the place for
        anything that concerns all of them.
        """
        entry = _BY_LOWER_NAME.get(call.method.lower())
        if entry is None:
            raise not_found()
        model, handler = entry
        for name in call.uploads:
            if name in model.model_fields:
                call.fields.setdefault(name, f"attach://{name}")
        method = build_method(model, call.fields)
        context = Context(self.world, self.webhook, call.uploads)
        seen = SeenCall(model.__api_method__, self._chat_of(method), method)
        return to_json(await self.faults.carry_out(seen, lambda: handler(context, method)))

    async def close(self) -> None:
        """End the delivery to a webhook."""
        await self.webhook.close()

    def _chat_of(self, method: TelegramMethod[Any]) -> int | None:
        query_id = getattr(method, "callback_query_id", None)
        if query_id is not None:
            query = self.world.queries.get(query_id)
            return query.chat_id if query is not None else None
        chat = getattr(method, "chat_id", None)
        return chat if isinstance(chat, int) else None

    async def _reply_of_webhook(self, response: aiohttp.ClientResponse) -> None:
        """Carry out the method that a webhook may put into its answer."""
        call = Call("")
        try:
            await self._read_reply(response, call)
            name = call.fields.pop("method", None)
            if isinstance(name, str):
                call.method = name
                await self.answer(call)
        except (Refusal, ConnectionCut, ValueError, HttpProcessingError) as refusal:
            LOGGER.warning("the webhook's reply was refused: %s", refusal)
        except Exception:
            LOGGER.exception("the playground failed in a webhook's reply")
        finally:
            call.discard_uploads()

    async def _read_reply(self, response: aiohttp.ClientResponse, call: Call) -> None:
        if response.content_type.startswith("multipart/"):
            reader = aiohttp.MultipartReader.from_response(response)
            await read_form(reader.stream, call, self.world.files.incoming)
        elif response.content_type == "application/json":
            call.fields.update(json_fields(await response.read()))
