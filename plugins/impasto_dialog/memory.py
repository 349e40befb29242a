"""What the bot remembers of an unfinished conversation: `file_id`s and small values."""

from __future__ import annotations

import structlog
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from pydantic import BaseModel, ValidationError

from impasto.jobs.job import ChosenStyle, TelegramPicture

log = structlog.get_logger(__name__)


class Step(StatesGroup):
    """What the person is expected to do next; no state means that nothing is open."""

    choosing_style = State()
    """The gallery is open, with or without a photo."""
    awaiting_style_picture = State()
    awaiting_photo = State()
    """The styles are chosen."""


class Memory(BaseModel):
    """The data of one conversation, as it lies in the dialogue storage."""

    turn: str = ""
    """Mark of the buttons that are valid now."""
    content: TelegramPicture | None = None
    content_message: int = 0
    styles: tuple[ChosenStyle, ...] = ()
    """Chosen so far, at most as many as are `wanted`."""
    wanted: int = 1
    """How many styles are to be mixed: 1 or 2."""
    question: str = "choose-style-first"
    """The text that the gallery asks with."""
    gallery: int | None = None
    """The message that shows the gallery, to be removed when it has served."""
    page: int = 0
    """Page of the gallery that is shown."""
    reply_to: int | None = None
    """The message with the photo, in groups."""
    album: str | None = None
    """`media_group_id` of the album that the last picture came in."""
    album_styles: tuple[ChosenStyle, ...] = ()
    """Styles of all further pictures of this album."""
    accepted_turn: str = ""
    """The turn that became a job last: a second tap on its buttons is no second job."""
    repeated: str = ""
    """What the button of a finished job carried that was last made a job, for the same reason."""

    @property
    def is_complete(self) -> bool:
        """As many styles are chosen as are wanted."""
        return len(self.styles) >= self.wanted


async def recall(state: FSMContext) -> Memory:
    """What is remembered; nothing, if another version of the bot left what cannot be read."""
    try:
        return Memory.model_validate(await state.get_data())
    except ValidationError:
        log.warning("dialogue_state_unreadable", chat=state.key.chat_id)
        return Memory()


async def remember(state: FSMContext, memory: Memory, step: State | None) -> None:
    await state.set_state(step)
    await state.set_data(memory.model_dump(mode="json", exclude_defaults=True))
