# English. HTML in messages; buttons, toasts and commands are shown as they are.
# Buttons: at most 60 characters. Toasts: 200. Commands: 256. Captions: 900.

language-name = English

## The command menu

command-start = What this bot does
command-styles = See the styles
command-settings = Strength, brush, colors, size
command-status = Your pictures in progress
command-cancel = Stop and start over
command-language = Language · Язык
command-forget = Delete everything I keep about you
command-help = How it works
command-stats = The bot in figures
command-style = Paint the photo you reply to

## Buttons

button-styles = 🎨 See the styles
button-own-style = 🖼 My own style
button-mix = 🎭 Mix two styles
button-mix-off = 🎭 Only one style
button-options = ⚙️ Settings
button-all-options = ⬅️ All settings
button-back = ⬅️ Back to the styles
button-cancel = ❌ Cancel
button-stop = ❌ Cancel
button-stop-numbered = ❌ Cancel { $number }
button-finish = ✅ Stop and keep this
button-another-style = 🎨 Another style
button-stronger = 💪 Stronger
button-weaker = 🪶 Weaker
button-larger = 🔍 Larger
button-own-colors = 🌈 My colors
button-style-colors = 🌈 The style’s colors
button-as-style = 🖌 Use as a style
button-file = 💾 As a file
button-share = 📤 Share
button-still = 🖼 Paint the first frame
button-yes = ✅ Yes
button-try-again = 🔁 Try again
button-language = 🌐 Language
button-forget = 🧹 Forget everything
button-keep = ⬅️ No, keep it

## The look of a painting

# On the buttons that open the choices

row-strength = 💪 Strength: { $choice }
row-brush = 🖌 Brush: { $choice }
row-colors = 🌈 Colors: { $choice }
row-quality = 📐 Size: { $choice }

# On the buttons that choose

option-subtle = subtle
option-balanced = balanced
option-strong = strong
option-thin = thin
option-medium = medium
option-broad = broad
option-style = the style’s
option-own = my photo’s
option-quick = quick look
option-standard = standard
option-fine = fine finish
option-large = large

# In captions

strength-faint = very subtle style
strength-subtle = subtle style
strength-balanced = balanced style
strength-strong = strong style
brush-thin = thin brush
brush-medium = medium brush
brush-broad = broad brush
colors-style = the style’s colors
colors-own = my colors
quality-quick = quick look
quality-standard = standard size
quality-full = full size
quality-fine = fine finish
quality-large = large size

## The way of a photo

-introduction =
    I repaint photos in the style of a painting.

    📷 Send me a photo,
    🎨 choose a style, or send a picture whose style you like,
    ✨ and watch your photo turn into a painting.

    Ready? Send me a photo.
start =
    👋 Hello, <b>{ $name }</b>! { -introduction }
start-without-name =
    👋 Hello! { -introduction }
help =
    <b>How it works</b>

    1. Send me a photo (or an image file up to 20 MB).
    2. Tap the number of a style. Or tap “My own style” and send any picture: a painting, a pattern, a drawing.
    3. Watch me paint. You can stop me at any time and keep the picture as it is.

    Even quicker: send a photo with the name of a style as its caption. Or send two pictures as one album: your photo first, the style second. In a group, reply to a photo with /style.

    /styles – choose the style first
    /settings – strength, brush, colors, size
    /status – your pictures in progress
    /cancel – stop and start over
    /language – English or Russian
    /forget – delete everything I keep about you
choose-style =
    🎨 <b>Which style shall I paint it in?</b>
    Tap its number.
choose-style-for-new-photo =
    📷 I’ll paint this photo instead of the last one.
    🎨 <b>Which style shall I paint it in?</b> Tap its number.
choose-another-style = 🎨 <b>The same photo, another style:</b> which one?
gallery-look = ⚙️ <i>{ $look }</i>
choose-style-first =
    🎨 <b>These are my styles.</b>
    Tap a number, then send me a photo.
choose-first-of-two = 🎭 <b>A mix of two styles.</b> Tap the first one.
choose-second-of-two = 🎭 <b>{ $style }</b> and …? Tap the second one.
write-as-yourself = 🎭 I can’t tell who you are when you write as a group or channel. Please write as yourself, or send me the photo in a private chat.
choose-style-in-group = 🎨 { $name }, <b>which style shall I paint it in?</b>
choose-options =
    ⚙️ <b>How shall I paint?</b>
    Tap what you would like to change. I’ll remember it for all your pictures.
choose-strength =
    💪 <b>Strength:</b> how much should the style change your photo?
choose-brush =
    🖌 <b>Brush:</b> how large should the strokes be?
choose-colors =
    🌈 <b>Colors:</b> the style’s, or your photo’s?
choose-quality =
    📐 <b>Size:</b> how large should it be?
    A quick look takes a moment; a large picture takes patience.
did-you-mean = 🤔 Did you mean <b>{ $style }</b>?
send-style-picture = 🖼 Send me the picture whose style you like: a painting, a pattern, anything with strong strokes and colors.
send-photo-for-style = <b>{ $style }</b> it is! Now send me the photo to paint.
send-photo-for-own-style = A beautiful style! Now send me the photo to paint.
own-style-first = 🖼 First send me the picture whose style you like; then I’ll ask for your photo.
album-taken = Two pictures at once: the first is your photo, the second is the style. If there are more, I’ll skip them.
no-presets = I have no styles of my own here: send me the picture whose style you like.
choose-language = 🌐 Which language shall I speak? · На каком языке говорить?
language-chosen = 🌐 All right, English it is.
forget-question =
    🧹 <b>Shall I forget you?</b>
    I’ll stop painting for you and delete everything I keep: your photos, styles and settings, and the pictures I painted. The messages in our chat stay until you delete them.
forgotten = 🧹 Done. I no longer keep anything about you. If you ever want another picture, send me a photo.

## Toasts: the answer to a tap on a button

toast-chosen = { $style }: now send me a photo.
toast-chosen-first = { $style } is already the first style: tap another one.
toast-already-painting = I’m already on it!
toast-old-button = This button no longer works. Here are the styles.
toast-not-open = This button no longer works.
toast-not-yours = This button belongs to somebody else. Reply to a photo with /style to get your own.
toast-stopped = Stopped.
toast-finishing = One moment, you’ll get it as it is.
toast-not-running = This picture is no longer being painted.
toast-cancelled = Cancelled.
toast-painting-again = I’m painting it again.
toast-file-gone = I only keep files for a while, and this one is gone. Paint the picture again to get a new one.
toast-not-forgotten = All right, everything stays as it is.
toast-kept = Got it. I’ll paint all your pictures like this.

## Cancelling and looking around

cancelled-dialog = All right, cancelled. Send me a photo whenever you like.
cancelled-jobs =
    { $count ->
        [one] All right, I stopped painting { $count } picture. Send me a photo whenever you like.
       *[other] All right, I stopped painting { $count } pictures. Send me a photo whenever you like.
    }
nothing-to-cancel = There is nothing to cancel. Send me a photo whenever you like.
status-none = Nothing of yours is being painted right now. Send me a photo!
status-title = <b>Your pictures in progress:</b>
status-painting = 🖌 { $number }. { $style }: { $percent }%
status-waiting =
    { $count ->
        [0] ⏳ { $number }. { $style }: next in line
        [one] ⏳ { $number }. { $style }: { $count } picture ahead
       *[other] ⏳ { $number }. { $style }: { $count } pictures ahead
    }
status-time = ⏱ ready in { $duration }

## What cannot be used, and what to do instead

hint = Send me a photo and I’ll paint it. /styles and /help show what I can do.
hint-choose = Tap the number of a style above, or write its name. /styles shows them again, /cancel starts over.
hint-style-picture = I’m waiting for the picture whose style you like. Send it as a photo, choose one of my /styles, or start over with /cancel.
hint-photo = You’ve chosen a style; now I need a photo. Send me one, or start over with /cancel.
offer-still = 🎞 I can’t paint moving pictures, but I can paint the first frame of this one. Shall I? Or send me a photo.
refused-animation = I can’t paint moving pictures. Send me a photo or a screenshot instead.
refused-video = I can’t paint videos. Send me a photo or a screenshot instead.
refused-voice = I can see, but I can’t hear! Send me a photo instead.
refused-sticker = A lovely sticker! But I only paint photos: send me one.
refused-heic = I can’t read HEIC files. Send the picture as a photo, not as a file, and it will work.
refused-document = I can’t open this file as a picture. Send me a photo, a JPEG or a PNG.
refused-large = This file is over 20 MB, which is more than Telegram lets me download. Send it as a photo, not as a file, or make it smaller.

## Messages about a picture in progress

own-style = 🖼 your own style
job-title = <b>{ $style }</b>
job-look = <i>{ $look }</i>
waiting-soon = I have your photo and will start in a moment.
waiting-behind =
    { $count ->
        [one] ⏳ { $count } picture is ahead of yours.
       *[other] ⏳ { $count } pictures are ahead of yours.
    }
waiting-time = ⏱ Ready in { $duration }.
waiting-time-unknown = ⏱ I’ll tell you how long it will take as soon as I start.
painting = { $bar } { $percent }%
painting-time = ⏱ { $duration } left
painted = ✨ Painted in <b>{ $style }</b>
painted-sooner = I kept it small so that you wouldn’t have to wait. Tap “Larger” for the standard size; that takes longer.
painted-largest = This is the largest I can paint here.
ready = ✨ Your picture is ready!
moved = ✨ <b>{ $style }</b> is ready: see below ⬇️
failed = 😔 { $reason }
failed-style = 😔 Your style picture: { $reason }
cancelled-job = Stopped. I still have your photo: choose another style, or send a new photo.
share-none = Send me a photo to paint
file-caption = 💾 { $style }, in full quality

duration-moment = a few seconds
duration-seconds =
    { $count ->
        [one] about { $count } second
       *[other] about { $count } seconds
    }
duration-minutes =
    { $count ->
        [one] about { $count } minute
       *[other] about { $count } minutes
    }
duration-hours =
    { $count ->
        [one] about { $count } hour
       *[other] about { $count } hours
    }

## Failures, by the codes of impasto.errors.ChatError

failure-not_a_picture = This file is not a picture. Send me a photo, a JPEG or a PNG.
failure-unsupported_format = I can’t read this kind of picture. Send it as a photo instead.
failure-broken_picture = This picture is damaged and I can’t open it. Send me another one.
failure-picture_too_small = This picture is too small to paint. Send me a larger one.
failure-picture_too_large = This picture has too many pixels. Send it as a photo, not as a file.
failure-picture_too_narrow = This picture is too long and narrow. Crop it, or send me another one.
failure-file_too_large = This file is over 20 MB, which is more than Telegram lets me download. Send it as a photo.
failure-file_gone = Telegram no longer has this picture. Please send it once more.
failure-too_many_jobs = I can’t take more pictures from you right now. Wait for one to be ready, or cancel one: /status shows them.
failure-too_many_this_hour = That’s as many pictures as I can paint for one person in an hour.
failure-too_many_waiting = Too many pictures are waiting, so I can’t take yours right now.
come-back-in = Come back in { $duration }.
come-back-later = Come back a little later.
failure-painting_failed = Something went wrong while I painted. Please try again.
failure-plugin_failed = This picture didn’t work out. Please try another style, or try again later.
failure-out_of_memory = I can’t paint this picture right now. Try again a little later, or send me a smaller one.
failure-job_vanished = Your picture got lost on my side. Please send me the photo once more.
failure-photos_forbidden = I’m not allowed to send photos in this group. An admin can change that.
failure-style_gone = I no longer have this style. Please choose another one.

## Notices: what is said about something other than a picture

notice-not_allowed = This bot is for a small circle of people. Please ask its owner to let you in.
notice-handler_failed = Sorry, something went wrong here. Please try again or send /start.
notice-no_room = I have no room for new pictures right now. Please come back a little later.

# For owners, whose language is not known: all languages are sent together

notice-disk_full = ⚠️ The disk is full; pictures wait until there is room: { $why }. <code>impasto doctor</code> says where.
notice-machine_fails = ⚠️ Something is wrong with this machine; pictures wait until it works again: { $why }. <code>impasto doctor</code> may tell you more.
notice-plugin_fails = ⚠️ The plugin <b>{ $plugin }</b> does not work, and people notice: { $why }. The log says where. To do without it, name it in <code>plugins.deny</code>.
notice-painter_keeps_dying = ⚠️ The painting process has died { $count } times within { $minutes } minutes; pictures wait or fail. The last time: { $why }. <code>impasto doctor</code> may tell you more.

## For owners

stats =
    📊 <b>The bot in figures</b>
    🎨 { $running } being painted, { $waiting } waiting, { $delivering } being delivered
    ✅ { $done } delivered, { $failed } failed, { $cancelled } cancelled (of those still on record)
    ⏱ one picture: { $one }; all waiting: { $all }
    💻 painting on: { $device }
    🕰 running for { $uptime }
stats-unknown = not known yet
