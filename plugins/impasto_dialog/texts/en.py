"""English."""

from __future__ import annotations

from impasto_dialog.texts.catalog import Texts


def _plural(count: int) -> str:
    return "one" if count == 1 else "other"


TEXTS = Texts(
    language="en",
    plural=_plural,
    command_start="What this bot does",
    command_styles="The styles I paint in",
    command_status="Your pictures in the making",
    command_cancel="Stop and start over",
    command_help="How it works",
    button_styles="🎨 See the styles",
    button_own_style="🖼 My own style picture",
    button_cancel="✖️ Cancel",
    button_stop="✖️ Stop",
    button_another_style="🎨 Another style",
    button_try_again="🔁 Try again",
    button_open_bot="🎨 Paint a photo",
    start=(
        "👋 Hello, <b>{name}</b>! I repaint photos in the style of a picture.\n\n"
        "📷 Send me a photo,\n"
        "🎨 tap a style or send a style picture of your own,\n"
        "✨ and watch your photo being painted.\n\n"
        "Shall we? Send me a photo."
    ),
    help=(
        "<b>How it works</b>\n\n"
        "1. Send me a photo (or an image file up to 20 MB).\n"
        "2. Tap a style, or “My own style picture” and send any picture: a painting, a pattern, "
        "a drawing.\n"
        "3. I paint, and you see the picture grow.\n\n"
        "Quicker still: send a photo whose caption names a style, or two pictures in one album: "
        "your photo first, the style second.\n\n"
        "/styles – choose the style first\n"
        "/status – your pictures in the making\n"
        "/cancel – stop and start over"
    ),
    start_in_group="🎨 I paint in private chats. Tap the button and send me a photo there.",
    choose_style="🎨 <b>Which style shall I paint it in?</b>\nTap one below.",
    choose_style_for_new_photo=(
        "📷 I took this photo instead of the one before.\n"
        "🎨 <b>Which style shall I paint it in?</b> Tap one below."
    ),
    choose_another_style="🎨 <b>The same photo, another style:</b> which one shall it be?",
    choose_style_first="🎨 <b>These are my styles.</b>\nTap one, then send me a photo.",
    send_style_picture=(
        "🖼 Send me the picture whose style you like: a painting, a pattern, anything with "
        "strong strokes and colors."
    ),
    send_photo_for_preset="{style} it is! Now send me the photo to paint.",
    send_photo_for_own_style="A fine style! Now send me the photo to paint.",
    own_style_first=(
        "🖼 First send me the picture whose style you like; then I will ask for your photo."
    ),
    album_taken=(
        "Two pictures at once, good: the first is your photo, the second the style. "
        "Of a larger album I leave the rest."
    ),
    no_presets="I have no styles of my own here: send me the picture whose style you like.",
    toast_chosen="{style}: now send me a photo.",
    toast_already_painting="I am already on it!",
    toast_old_button="This button is from an earlier picture.",
    toast_stopped="Stopped.",
    toast_not_running="This picture is no longer being painted.",
    toast_cancelled="Cancelled.",
    cancelled_dialog="All right, forgotten. Send me a photo whenever you like.",
    cancelled_jobs={
        "one": "All right, I stopped painting {count} picture. Send me a photo whenever you like.",
        "other": (
            "All right, I stopped painting {count} pictures. Send me a photo whenever you like."
        ),
    },
    nothing_to_cancel="There is nothing to cancel. Send me a photo whenever you like.",
    status_none="I am not painting anything for you. Send me a photo!",
    status_title="<b>In the making for you:</b>",
    status_painting="🖌 {number}. {style}: being painted",
    status_waiting="⏳ {number}. {style}: waiting for its turn",
    hint="Send me a photo and I will paint it. See what I can do with /styles or /help.",
    hint_choose=(
        "Tap one of the styles above, or write its name or number. /styles shows them again, "
        "/cancel starts over."
    ),
    hint_style_picture=(
        "I am waiting for the picture whose style you like. Send it as a photo, take one of my "
        "/styles, or start over with /cancel."
    ),
    hint_photo="The style is chosen, now I need a photo. Send me one, or start over with /cancel.",
    refused_animation="I cannot paint moving pictures. Send me a photo or a screenshot instead.",
    refused_video="I cannot paint videos. Send me a photo or a screenshot of it instead.",
    refused_voice="I cannot hear, only see! Send me a photo instead.",
    refused_sticker="A lovely sticker! But I paint photos only: send me one.",
    refused_heic=(
        "I cannot read HEIC files. Send the picture as a photo, not as a file, and it will work."
    ),
    refused_document="This file is no picture that I can read. Send me a photo, a JPEG or a PNG.",
    refused_large=(
        "This file is over 20 MB, more than Telegram lets me fetch. Send it as a photo, not as a "
        "file, or make it smaller."
    ),
    own_style="🖼 your own style",
    waiting="<b>{style}</b>\nI have your photo and start in a moment.",
    waiting_behind={
        "one": "⏳ {count} picture is before yours.",
        "other": "⏳ {count} pictures are before yours.",
    },
    painting="<b>{style}</b>\n{bar} {percent}%\nLayer {level} of {levels}",
    painted="✨ Painted: <b>{style}</b>",
    ready="✨ Your picture is ready!",
    failed="😔 {reason}",
    failed_style="😔 About your style picture: {reason}",
    cancelled_job="Stopped. The photo is still here: choose another style, or send a new photo.",
    failures={
        "not_a_picture": "This file is not a picture. Send me a photo, a JPEG or a PNG.",
        "unsupported_format": "I cannot read this kind of picture. Send it as a photo instead.",
        "broken_picture": "This picture is damaged and I cannot open it. Send me another one.",
        "picture_too_small": "This picture is too small to paint. Send me a larger one.",
        "picture_too_large": "This picture has too many pixels. Send it as a photo, not as a file.",
        "picture_too_narrow": (
            "This picture is too long and narrow. Crop it, or send me another one."
        ),
        "file_too_large": (
            "This file is over 20 MB, more than Telegram lets me fetch. Send it as a photo."
        ),
        "file_gone": "Telegram no longer has this picture. Please send it once more.",
        "too_many_jobs": (
            "You have as many pictures in the making as I can take. Wait for one to be ready, or "
            "stop one: /status shows them."
        ),
        "painting_failed": "Something went wrong while I painted. Please try again.",
        "plugin_failed": "Something went wrong while I painted. Please try again.",
        "out_of_memory": "This picture was too much for my memory. Send me a smaller one.",
        "style_gone": "I no longer have this style. Please choose another one.",
    },
)
