"""A GIF's first frame is offered, and painted as a photo is."""

from __future__ import annotations

import io

from PIL import Image

from impasto_playground import Person

from .dialog_kit import RecordingJobService, is_gallery, photo, says, tap
from .feeder import FILE, VIDEO, Feeder

OFFER = "I can paint the first frame"


def gif() -> bytes:
    frames = [Image.new("RGB", (64, 48), color) for color in ("red", "blue")]
    packed = io.BytesIO()
    frames[0].save(packed, "GIF", save_all=True, append_images=frames[1:])
    return packed.getvalue()


async def test_the_first_frame_is_painted(alice: Person, job_service: RecordingJobService) -> None:
    sent = await alice.send_picture(gif(), "dance.gif")
    offer = await alice.wait_for(says(OFFER))
    assert sent.animation is not None
    assert sent.animation.thumbnail is not None
    await tap(alice, "Paint the first frame")
    await alice.wait_for(is_gallery)
    assert offer.message_id not in [m.message_id for m in alice.messages()]
    await tap(alice, "Woodblock wave")
    [job] = job_service.jobs
    assert job.content.file_id == sent.animation.thumbnail.file_id
    assert not job.content.as_photo, "Telegram takes no thumbnail as a photo"


async def test_an_offer_changes_nothing(alice: Person, job_service: RecordingJobService) -> None:
    content = await alice.send_photo(photo())
    gallery = await alice.wait_for(is_gallery)
    await alice.send_picture(gif(), "dance.gif")
    await alice.wait_for(says(OFFER))
    await tap(alice, "Woodblock wave", gallery.message_id)
    [job] = job_service.jobs
    assert content.photo is not None
    assert job.content.file_id == content.photo[-1].file_id


async def test_an_offer_whose_gif_is_gone_is_an_old_button(feeder: Feeder) -> None:
    chat = {"id": 7, "type": "private"}
    offer = {"message_id": 5, "date": 1, "chat": chat, "text": OFFER}
    await feeder.tap("still", offer)
    assert any(
        "These are my styles" in (getattr(m, "caption", "") or "") for m in feeder.session.methods
    )


async def test_a_gif_without_a_still_is_refused_kindly(feeder: Feeder) -> None:
    [said] = await feeder.message(animation=VIDEO, document=FILE)
    assert OFFER not in said
    assert "moving pictures" in said
