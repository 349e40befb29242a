"""A painting child that does what its content picture says, for tests of its parent.

Speaks the messages of `impasto.messages` over its pipes, as `impasto.painting.process.main` does. A
content that is JSON like `{"do": "die"}` is a script; any other one is "painted" by copying it.
"""

from __future__ import annotations

import json
import math
import os
import queue
import signal
import sys
import threading
from pathlib import Path

from impasto.memory import unreclaimable_bytes
from impasto.messages import (
    MACHINE_FAILS,
    Cancel,
    Configure,
    DropTrial,
    Entered,
    Failed,
    Failure,
    Finish,
    Measured,
    Message,
    Paint,
    Painted,
    Progress,
    Ready,
    Stopped,
    Thumbnail,
    TrialOver,
    Try,
    encode,
    to_child,
)

cancelled: queue.SimpleQueue[str] = queue.SimpleQueue()
to_finish: queue.SimpleQueue[str] = queue.SimpleQueue()
jobs: queue.SimpleQueue[Paint] = queue.SimpleQueue()
dropped: queue.SimpleQueue[str] = queue.SimpleQueue()
hoard: list[bytes] = []
prepared: list[bytes] = []
PIXELS = 120_000
"""Of the pictures that it says to paint."""
TOO_MUCH = Failure(code="out_of_memory", sentence="Too much.")

HOARD = 256 << 20
"""Bytes: several times what this process needs."""


def say(message: Message) -> None:
    try:
        sys.stdout.buffer.write(encode(message))
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # the parent is gone
        os._exit(0)


def listen() -> None:
    for line in sys.stdin.buffer:
        message = to_child.validate_json(line)
        if isinstance(message, Paint):
            jobs.put(message)
        elif isinstance(message, Cancel):
            cancelled.put(message.job_id)
        elif isinstance(message, Finish):
            to_finish.put(message.job_id)
        elif isinstance(message, DropTrial):
            dropped.put(message.trial_id)
        elif isinstance(message, Try):
            threading.Thread(target=try_styles, args=[message], daemon=True).start()
    os._exit(0)


def try_styles(trial: Try) -> None:
    """Whatever the photo says; a thumbnail is what the style's file is."""
    script = trial.photo.read_text()
    if "die" in script:
        os._exit(3)
    for style in trial.styles:
        say(Thumbnail(trial_id=trial.trial_id, name=style.name, jpeg=style.path.read_bytes()))
        if "stop" in script:
            while dropped.get() != trial.trial_id:
                pass
            break
    say(TrialOver(trial_id=trial.trial_id))


def script_of(job: Paint) -> dict[str, object]:
    try:
        script = json.loads(job.content.read_bytes())
    except ValueError:
        return {"do": "paint"}
    return script if isinstance(script, dict) else {"do": "paint"}


def progress(job: Paint, step: int, preview: Path | None = None) -> None:
    say(
        Progress(
            job_id=job.job_id,
            step=step,
            steps=4,
            level=1,
            levels=2,
            share=step / 4,
            pixels=PIXELS,
            seconds=step / 10,
            seconds_left=0.4 - step / 10,
            preview=preview,
        )
    )


def paint(job: Paint, side: int = 1) -> None:
    content = job.content.read_bytes()
    preview = job.folder / "preview.jpg"
    preview.write_bytes(content)
    progress(job, 1)
    progress(job, 2, preview)
    result = job.folder / "result.jpg"
    result.write_bytes(content)
    say(
        Painted(
            job_id=job.job_id,
            result=result,
            width=side,
            height=side,
            steps=4,
            seconds=0.5,
            device="cpu",
            network="scripted",
            rests_in=unreclaimable_bytes(),
        )
    )


def wait_for(mark: Path, job: Paint) -> bool:
    """Goes on saying that it paints until the file `mark` is there; False when cancelled."""
    step = 0
    while not mark.exists():
        step += 1
        progress(job, step)
        try:
            if cancelled.get(timeout=0.05) == job.job_id:
                return False
        except queue.Empty:
            pass
    return True


def act(job: Paint) -> None:
    prepared.clear()
    if "--wait-for" in sys.argv and not wait_for(Path(sys.argv[-1]), job):
        say(Stopped(job_id=job.job_id))
        return
    script = script_of(job)
    match script["do"]:
        case "paint":
            paint(job)
        case "paint_as_large_as_it_may":
            paint(job, math.isqrt(job.options.max_pixels or 1))
        case "die":
            os._exit(int(str(script.get("code", 3))))
        case "die_in_plugin":
            say(Entered(thread=1, plugin="smudge", what="smear"))
            os._exit(3)
        case "die_after_plugin":
            say(Entered(thread=1, plugin="smudge", what="smear"))
            say(Entered(thread=1))
            os._exit(3)
        case "be_killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "die_once":
            mark = job.folder / "died"
            if not mark.exists():
                mark.touch()
                os._exit(3)
            paint(job)
        case "be_killed_unless_small":
            if job.options.max_pixels is None:
                os.kill(os.getpid(), signal.SIGKILL)
            paint(job)
        case "say_out_of_memory_once":
            mark = job.folder / "had_too_little"
            if mark.exists():
                paint(job)
            else:
                mark.touch()
                say(Failed(job_id=job.job_id, failure=TOO_MUCH))
        case "say_out_of_memory":
            say(Failed(job_id=job.job_id, failure=TOO_MUCH))
        case "hoard" | "hoard_unless_small" as greed:
            progress(job, 1)
            if greed == "hoard" or job.options.max_pixels is None:
                hoard.append(b"x" * HOARD)
                threading.Event().wait()
            paint(job)
        case "leak":
            hoard.append(b"x" * HOARD)
            paint(job)
        case "paint_and_prepare":
            paint(job)
            prepared.append(b"x" * HOARD)
        case "fall_silent_in_plugin":
            say(Entered(thread=1, plugin="smudge", what="smear"))
            threading.Event().wait()
        case "fall_silent":
            progress(job, 1)
            threading.Event().wait()
        case "until_cancelled":
            progress(job, 1)
            while cancelled.get() != job.job_id:
                pass
            say(Stopped(job_id=job.job_id))
        case "until_finished":
            progress(job, 1)
            while to_finish.get() != job.job_id:
                pass
            paint(job)
        case "ignore_cancel":
            progress(job, 1)
            cancelled.get()
            progress(job, 2)
            threading.Event().wait()
        case "stop":
            say(Stopped(job_id=job.job_id))
        case "fill_the_disk_once":
            mark = job.folder / "was_full"
            if mark.exists():
                paint(job)
            else:
                mark.touch()
                full = Failure(code=MACHINE_FAILS, sentence="[Errno 28] No space left.")
                say(Failed(job_id=job.job_id, failure=full))
        case "chatter":
            sys.stdout.write("a library prints this\n" + "x" * (2 << 20) + "\n")
            sys.stdout.flush()
            say(Stopped(job_id="another job"))
            paint(job)
        case "fail":
            broken = Failure(
                code="broken_picture",
                sentence="This picture is broken.",
                facts={"role": "content"},
            )
            say(Failed(job_id=job.job_id, failure=broken))


def main() -> None:
    configure = to_child.validate_json(sys.stdin.buffer.readline())
    measures = isinstance(configure, Configure) and configure.measure
    if "--cannot-start" in sys.argv:
        sys.exit(1)
    threading.Thread(target=listen, daemon=True).start()
    dies_idle = "--dies-idle" in sys.argv and not Path(sys.argv[-1]).exists()
    if dies_idle:
        Path(sys.argv[-1]).write_text(str(os.getpid()))
    say(Ready(pid=os.getpid(), device="cpu"))
    if measures and "--dies-measuring" in sys.argv:
        os._exit(3)
    if measures:
        say(Measured(pixels=PIXELS, steps=4, seconds=1.0))
    if dies_idle:
        os._exit(0)
    while True:
        act(jobs.get())


if __name__ == "__main__":
    main()
