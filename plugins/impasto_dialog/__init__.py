"""The conversation: from "send me a photo" to the finished picture, in English and Russian.

A person's photo and styles become a job of the core's `JobService`; the presenter words the
messages about a job. The plugin comes last in the order of plugins, as it answers whatever no other
plugin's router took.
"""

from __future__ import annotations

from collections.abc import Sequence

from aiogram import F, Router
from aiogram.enums import ChatType
from aiogram.filters import Command, CommandStart

from impasto import ChatCommand, Presenter, StylePreset, hookimpl
from impasto.settings import Settings
from impasto_dialog import commands, jobs, naming, photo, style
from impasto_dialog import keyboards as button
from impasto_dialog.contact_sheet import Sheets
from impasto_dialog.own_sheets import OwnSheets
from impasto_dialog.photo import Albums, picture_in
from impasto_dialog.presenter import DialogPresenter
from impasto_dialog.style import is_current
from impasto_dialog.talk import AnswerOnce, Step, TalkMiddleware

impasto_order = 1000

ALBUM_WAIT_S = 1.0
"""How long the question for a style waits for a second picture of the same album."""


@hookimpl
def impasto_routers(settings: Settings) -> Sequence[Router]:
    return [build_router()]


@hookimpl
def impasto_chat_commands(settings: Settings) -> Sequence[ChatCommand]:
    return commands.own_commands()


@hookimpl
def impasto_presenters(settings: Settings, presets: Sequence[StylePreset]) -> Sequence[Presenter]:
    return [DialogPresenter(presets)]


def build_router(*, album_wait_s: float = ALBUM_WAIT_S) -> Router:
    """The whole conversation as one router. In groups it speaks only when somebody answers a photo
    with /style, and by the buttons that follow from that."""
    router = Router(name="dialog")
    albums, own_sheets = Albums(album_wait_s), OwnSheets()
    talks = TalkMiddleware(sheets=Sheets(), own_sheets=own_sheets, albums=albums)
    router.callback_query.middleware(AnswerOnce())
    for observer in (router.message, router.callback_query, router.inline_query):
        observer.middleware(talks)
    router.startup.register(commands.register_commands)
    router.shutdown.register(albums.close)
    router.shutdown.register(own_sheets.close)
    router.message.register(naming.style_photo, Command("style"), naming.replied_photo)
    router.inline_query.register(jobs.share)
    router.include_router(_private_messages())
    _register_buttons(router)
    return router


def _private_messages() -> Router:
    """What people write and send to the bot alone. The first handler whose filters pass is run."""
    router = Router(name="dialog.private")
    on = router.message
    on.filter(F.chat.type == ChatType.PRIVATE)
    on.register(naming.style_alone, Command("style"), F.text)
    on.register(commands.style_link, CommandStart(deep_link=True))
    on.register(commands.start, CommandStart())
    on.register(commands.help_, Command("help"))
    on.register(style.show_styles, Command("styles"))
    on.register(commands.settings, Command("settings"))
    on.register(commands.ask_language, Command("language"))
    on.register(commands.forget, Command("forget"))
    on.register(commands.stats, Command("stats"), commands.is_owner)
    on.register(jobs.cancel, Command("cancel"))
    on.register(jobs.status, Command("status"))
    on.register(photo.rest_of_album, picture_in, photo.is_rest_of_album)
    on.register(photo.photo_with_style_named, picture_in, naming.style_in_caption)
    on.register(photo.photo_for_chosen_style, picture_in, Step.awaiting_photo)
    on.register(photo.style_picture, picture_in, Step.awaiting_style_picture)
    on.register(naming.ask_about_caption, picture_in, naming.misspelt)
    on.register(photo.photo, picture_in)
    on.register(naming.written, F.text, ~F.text.startswith("/"), naming.style_in_text)
    on.register(naming.ask_about_text, F.text, ~F.text.startswith("/"), naming.misspelt)
    on.register(commands.hint, F.text)
    on.register(photo.offer_still, photo.has_still)
    on.register(commands.refuse, commands.is_refused)
    return router


def _register_buttons(router: Router) -> None:
    """The buttons of all messages. What none of the first handlers takes is an old button."""
    on = router.callback_query
    on.register(style.pick, button.PickStyle.filter(), is_current)
    on.register(style.tapped_again, button.PickStyle.filter(), style.was_accepted)
    on.register(style.pick_own, button.PickOwnStyle.filter(), is_current)
    on.register(style.mix, button.MixStyles.filter(), is_current)
    on.register(style.show_page, button.TurnPage.filter(), is_current)
    on.register(style.show_options, button.ShowOptions.filter(), is_current)
    on.register(style.retry, button.Retry.filter(), is_current)
    on.register(style.cancel, button.CloseDialog.filter(), is_current)
    on.register(style.nothing_to_cancel, button.CloseDialog.filter())
    on.register(style.show_styles, button.OpenGallery.filter())
    on.register(photo.paint_still, button.PaintStill.filter(), photo.still_in_reply)
    on.register(commands.open_choice, button.OpenChoice.filter())
    on.register(commands.set_look, button.SetLook.filter())
    on.register(commands.set_language, button.ChooseLanguage.filter())
    on.register(commands.forget_decided, button.ForgetMe.filter())
    on.register(jobs.stop, button.StopJob.filter())
    on.register(jobs.finish, button.FinishJob.filter())
    on.register(jobs.another_style, button.AnotherStyle.filter(), jobs.own_job)
    on.register(jobs.repeat, button.RepeatJob.filter(), jobs.own_job)
    on.register(jobs.use_as_style, button.UseAsStyle.filter(), jobs.own_job)
    on.register(jobs.send_file, button.SendFile.filter(), jobs.own_job)
    on.register(commands.old_button)
