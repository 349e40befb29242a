"""Finished pictures in other chats, by inline mode: the button "Share" asks for one by its job."""

from __future__ import annotations

import html
from typing import Final

from aiogram.enums import ParseMode
from aiogram.types import (
    InlineQuery,
    InlineQueryResultCachedPhoto,
    InlineQueryResultsButton,
)

from impasto_dialog.talk import Talk
from impasto_dialog.texts import styles_label

START: Final = "share"
"""`t.me/<bot>?start=share`, where the way to a first picture begins."""


async def pictures(query: InlineQuery, talk: Talk) -> None:
    """The picture of the job that the query names, to the person whose it is."""
    job = await talk.job_service.job(query.query.strip(), talk.person)
    if job is None or job.photo_id is None:
        button = InlineQueryResultsButton(
            text=talk.texts.plain("share-none"), start_parameter=START
        )
        await query.answer([], cache_time=0, is_personal=True, button=button)
        return
    label = styles_label(job.styles, talk.job_service.presets, talk.texts)
    shared = InlineQueryResultCachedPhoto(
        id=job.id,
        photo_file_id=job.photo_id,
        caption=html.escape(label),
        parse_mode=ParseMode.HTML,
    )
    await query.answer([shared], cache_time=0, is_personal=True)
