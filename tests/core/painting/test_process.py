"""The painting process as its parent sees it: messages over pipes, files in the job's folder."""

from __future__ import annotations

import io
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from impasto.contracts import PaintOptions
from impasto.messages import (
    MACHINE_FAILS,
    Cancel,
    Configure,
    DropTrial,
    Entered,
    Failed,
    Finish,
    FromChild,
    Measured,
    Outcome,
    Paint,
    Painted,
    Progress,
    Ready,
    Stopped,
    StyleFile,
    StyleToTry,
    Thumbnail,
    ToChild,
    TrialOver,
    Try,
    encode,
    from_child,
)
from impasto.painting.painter import PaintProgress
from impasto.painting.process.progress import Reporter
from impasto.plugins import settings_for_painting
from impasto.settings import Settings

pytestmark = pytest.mark.xdist_group("painting process")

Maker = Callable[..., Image.Image]


class Parent:
    """The other end of the pipes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def say(self, message: ToChild) -> None:
        assert self.process.stdin
        self.process.stdin.write(encode(message))
        self.process.stdin.flush()

    def hear(self) -> FromChild:
        """The next message but for those that say whose code runs."""
        assert self.process.stdout
        message: FromChild | None = None
        while message is None or isinstance(message, Entered):
            line = self.process.stdout.readline()
            assert line, "the child went away"
            message = from_child.validate_json(line)
        return message

    def outcome(self) -> tuple[list[Progress], Painted | Stopped | Failed]:
        progress: list[Progress] = []
        while isinstance(message := self.hear(), Progress):
            progress.append(message)
        assert isinstance(message, Outcome)
        return progress, message


@contextmanager
def child(settings: dict[str, object], *, measure: bool = False) -> Iterator[Parent]:
    command = [sys.executable, "-m", "impasto.painting"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        parent = Parent(process)
        values = settings_for_painting(Settings.model_validate(settings))
        parent.say(Configure(settings=values, measure=measure))
        try:
            yield parent
        finally:
            assert process.stdin
            process.stdin.close()
            assert process.wait(timeout=30) is not None


@pytest.fixture(scope="module")
def parent(tiny_network: Path) -> Iterator[Parent]:
    painting = {"network": str(tiny_network), "device": "cpu", "preview_seconds": 0.1, "steps": 30}
    with child({"painting": painting, "log": {"level": "error"}}) as running:
        ready = running.hear()
        assert isinstance(ready, Ready)
        assert ready.device == "cpu"
        assert ready.failed_plugins == {}
        assert not ready.offers_fine, "a network that is named paints everything"
        yield running


@pytest.fixture
def job(tmp_path: Path, picture: Maker) -> Callable[..., Paint]:
    def make(job_id: str = "job", **options: object) -> Paint:
        picture(200, 150, seed=1).save(tmp_path / "content.png")
        picture(80, 90, seed=2).save(tmp_path / "style.png")
        return Paint(
            job_id=job_id,
            content=tmp_path / "content.png",
            styles=[StyleFile(path=tmp_path / "style.png")],
            options=PaintOptions(**options),
            folder=tmp_path,
        )

    return make


def test_a_job_ends_in_a_result_on_the_disk(parent: Parent, job: Callable[..., Paint]) -> None:
    parent.say(job(steps=5000))
    preview = None
    while preview is None:
        message = parent.hear()
        assert isinstance(message, Progress)
        preview = message.preview
    parent.say(Finish(job_id="job"))
    _, outcome = parent.outcome()
    assert isinstance(outcome, Painted)
    for path in (preview, outcome.result):
        with Image.open(path) as shown:
            assert (shown.format, shown.size) == ("JPEG", (400, 300))
    assert not list(outcome.result.parent.glob("*.part"))


def test_the_result_has_all_pixels_of_the_painting_at_the_highest_quality(
    parent: Parent, job: Callable[..., Paint]
) -> None:
    parent.say(job(steps=2))
    progress, outcome = parent.outcome()
    assert isinstance(outcome, Painted)
    with Image.open(outcome.result) as file:
        assert isinstance(file, JpegImageFile)
        assert file.size == (outcome.width, outcome.height)
        assert {message.pixels for message in progress} <= {math.prod(file.size)}
        assert {divisor for table in file.quantization.values() for divisor in table} == {1}
        assert get_sampling(file) == 0, "colors at full size too"


@pytest.mark.slow
def test_large_goes_beyond_the_cap_as_far_as_the_settings_let_it(
    tiny_network: Path, job: Callable[..., Paint]
) -> None:
    painting = {"network": str(tiny_network), "device": "cpu", "steps": 2}
    limits = {"max_pixels_cpu": 3_000, "large_factor": 2.0}
    with child({"painting": painting | limits, "log": {"level": "error"}}) as parent:
        assert isinstance(parent.hear(), Ready)
        for asked, most in ((None, 3_000), (1_000_000, 6_000)):
            parent.say(job(max_pixels=asked))
            _, outcome = parent.outcome()
            assert isinstance(outcome, Painted)
            assert 0.9 * most <= outcome.width * outcome.height <= most


def test_a_finish_that_cannot_be_had_here_is_left_out(
    parent: Parent, job: Callable[..., Paint]
) -> None:
    parent.say(job(steps=2, fine=True))
    _, outcome = parent.outcome()
    assert isinstance(outcome, Painted)
    assert (outcome.fine_network, outcome.offers_fine) == (None, False)


@pytest.mark.slow
def test_fine_pictures_are_offered_and_painted(
    tiny_network: Path, job: Callable[..., Paint]
) -> None:
    painting = {"fine_network": str(tiny_network), "fine_steps": 2, "device": "cpu", "steps": 2}
    painting |= {"max_pixels_cpu": 3_000, "memory_mb": 0}
    with child({"painting": painting, "log": {"level": "error"}}) as parent:
        ready = parent.hear()
        assert isinstance(ready, Ready)
        assert ready.offers_fine
        parent.say(job(fine=True))
        _, outcome = parent.outcome()
    assert isinstance(outcome, Painted)
    assert (outcome.steps, outcome.fine_network, outcome.offers_fine) == (4, "tiny", True)


def test_cancelling_is_answered_and_the_next_job_is_painted(
    parent: Parent, job: Callable[..., Paint]
) -> None:
    parent.say(job("long", steps=5000))
    assert isinstance(parent.hear(), Progress)
    parent.say(Cancel(job_id="long"))
    _, outcome = parent.outcome()
    assert isinstance(outcome, Stopped)
    assert outcome.job_id == "long"
    parent.say(job("next", steps=2))
    assert isinstance(parent.outcome()[1], Painted)


def test_a_job_that_was_cancelled_or_hurried_comes_back_and_is_painted_whole(
    parent: Parent, job: Callable[..., Paint]
) -> None:
    for end in (Cancel(job_id="back"), Finish(job_id="back")):
        parent.say(job("back", steps=5000))
        assert isinstance(parent.hear(), Progress)
        parent.say(end)
        parent.outcome()
    parent.say(job("back", steps=3))
    _, outcome = parent.outcome()
    assert isinstance(outcome, Painted)
    assert outcome.steps == 3


def test_a_broken_style_is_named_as_such(parent: Parent, job: Callable[..., Paint]) -> None:
    message = job("bad")
    message.styles[0].path.write_bytes(b"this is no picture")
    parent.say(message)
    _, outcome = parent.outcome()
    assert isinstance(outcome, Failed)
    assert outcome.failure.code == "not_a_picture"
    assert outcome.failure.facts["role"] == "style"


def test_a_request_for_what_is_not_there_fails_that_job_alone(
    parent: Parent, job: Callable[..., Paint]
) -> None:
    parent.say(job("odd", optimizer="nonsense"))
    _, outcome = parent.outcome()
    assert isinstance(outcome, Failed)
    assert outcome.failure.code == "painting_failed"
    assert "nonsense" in outcome.failure.sentence
    parent.say(job("even", steps=2))
    assert isinstance(parent.outcome()[1], Painted)


def test_a_plugin_that_breaks_fails_the_job_with_its_name(
    tmp_path: Path, tiny_network: Path, job: Callable[..., Paint]
) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir(parents=True)
    (folder / "smudge.py").write_text(
        """
from impasto import hookimpl

class Smudge:
    name = "smudge"
    order = 70
    roles = frozenset({"content"})
    def __call__(self, picture, context):
        print("prints of plugins do not disturb the messages")
        raise ZeroDivisionError("smudged")

@hookimpl
def impasto_preprocessors(settings):
    return [Smudge()]
"""
    )
    painting = {"network": str(tiny_network), "device": "cpu"}
    with child({"painting": painting, "plugins": {"folder": str(folder)}}) as running:
        assert isinstance(running.hear(), Ready)
        running.say(job())
        _, outcome = running.outcome()
    assert isinstance(outcome, Failed)
    assert (outcome.failure.code, outcome.plugin) == ("plugin_failed", "smudge")
    assert outcome.failure.facts["why"] == "smudge: ZeroDivisionError: smudged"
    assert "another style" in outcome.failure.sentence, (
        "which plugin it was is nothing for the chat"
    )


def test_a_result_that_does_not_fit_on_the_disk_is_the_disks_fault(
    parent: Parent, job: Callable[..., Paint], tmp_path: Path
) -> None:
    (tmp_path / "result.part").symlink_to("/dev/full")
    parent.say(job(steps=2))
    _, outcome = parent.outcome()
    assert isinstance(outcome, Failed)
    assert outcome.failure.code == MACHINE_FAILS
    assert "No space left" in outcome.failure.sentence
    assert not (tmp_path / "result.part").is_symlink(), "what was begun takes no room"
    parent.say(job(steps=2))
    _, outcome = parent.outcome()
    assert isinstance(outcome, Painted)


def test_painting_goes_on_without_a_preview_that_does_not_fit_on_the_disk(
    job: Callable[..., Paint], picture: Maker, tmp_path: Path
) -> None:
    (tmp_path / "preview-7.part").symlink_to("/dev/full")
    said: list[Progress] = []
    reporter = Reporter(job(), preview_seconds=0.0, say=said.append)
    for step in (7, 8):
        reporter.report(
            PaintProgress(
                step=step,
                steps=9,
                level=step,  # each shows what the one before came to
                levels=9,
                share=step / 9,
                pixels=120_000,
                seconds=1.0,
                _loss=torch.tensor(1.0),
                _picture=lambda: picture(200, 150),
            )
        )
    assert [message.step for message in said] == [7, 8]
    assert [message.preview for message in said] == [None, tmp_path / "preview-8.jpg"]


@pytest.mark.slow
def test_the_child_ends_when_its_parent_goes_away_in_mid_painting(
    tiny_network: Path, job: Callable[..., Paint]
) -> None:
    with child({"painting": {"network": str(tiny_network), "device": "cpu"}}) as running:
        assert isinstance(running.hear(), Ready)
        running.say(job(steps=5000))
        assert isinstance(running.hear(), Progress)


SAY_SOMETHING = """
import sys
from impasto.messages import Stopped
from impasto.painting.process.progress import speaking
from impasto.plugins.containment import running
with speaking() as say:
    sys.stdin.read()
    {}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "says", ["say(Stopped(job_id='a'))", "running('mine', 'step').__enter__()"]
)
def test_a_child_whose_parent_is_gone_ends_without_a_word(says: str) -> None:
    """When it would say that it is ready, or that a plugin's code begins: the pipe that it reads
    from is closed a moment later."""
    with subprocess.Popen(
        [sys.executable, "-c", SAY_SOMETHING.format(says)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stdin
        assert child.stdout
        child.stdout.close()
        child.stdin.close()
        assert child.wait(60) == 0
        assert child.stderr
        assert b"Traceback" not in child.stderr.read()


def test_a_child_that_cannot_paint_says_why_and_ends(tmp_path: Path) -> None:
    with child({"painting": {"network": str(tmp_path / "absent.safetensors")}}) as running:
        assert running.process.stdout
        said = [from_child.validate_json(line) for line in running.process.stdout]
        assert {type(message) for message in said} == {Entered}
        assert running.process.wait(timeout=60) == 1


def trial_of(job: Paint, count: int = 3, trial_id: str = "trial") -> Try:
    """The job's photo in its style, several times."""
    styles = [
        StyleToTry(name=f"style {n}", path=job.styles[0].path, options=job.options)
        for n in range(count)
    ]
    return Try(trial_id=trial_id, photo=job.content, styles=styles)


def end_of(parent: Parent, trial_id: str) -> list[Thumbnail]:
    found: list[Thumbnail] = []
    while isinstance(message := parent.hear(), Thumbnail):
        found.append(message)
    assert message == TrialOver(trial_id=trial_id)
    return found


def test_a_trial_is_answered_with_thumbnails_and_leaves_nothing(
    parent: Parent, job: Callable[..., Paint], tmp_path: Path
) -> None:
    trial = trial_of(job())
    before = sorted(tmp_path.iterdir())
    parent.say(trial)
    found = end_of(parent, "trial")
    assert sorted(thumbnail.name for thumbnail in found) == ["style 0", "style 1", "style 2"]
    for thumbnail in found:
        with Image.open(io.BytesIO(thumbnail.jpeg)) as picture:
            assert (picture.format, picture.size) == ("JPEG", (200, 150))
    assert sorted(tmp_path.iterdir()) == before


def test_a_job_ends_a_trial_between_two_steps(parent: Parent, job: Callable[..., Paint]) -> None:
    paint = job("urgent", steps=2)
    parent.say(trial_of(paint, count=2000))
    assert isinstance(parent.hear(), Thumbnail)
    parent.say(paint)
    assert len(end_of(parent, "trial")) < 1000
    assert isinstance(parent.outcome()[1], Painted)


def test_a_trial_that_is_dropped_or_fails_is_over(
    parent: Parent, job: Callable[..., Paint]
) -> None:
    long = trial_of(job(), count=2000, trial_id="long")
    parent.say(long)
    assert isinstance(parent.hear(), Thumbnail)
    parent.say(DropTrial(trial_id="long"))
    assert len(end_of(parent, "long")) < 1000
    parent.say(trial_of(job(), trial_id="again"))
    assert len(end_of(parent, "again")) == 3
    broken = trial_of(job(), trial_id="broken")
    broken.photo.write_bytes(b"no picture")
    parent.say(broken)
    assert end_of(parent, "broken") == []


def test_the_pace_is_measured_where_that_is_asked_for(tiny_network: Path) -> None:
    painting = {"network": str(tiny_network), "device": "cpu", "steps": 4, "max_pixels_cpu": 4_096}
    with child({"painting": painting, "log": {"level": "error"}}, measure=True) as parent:
        assert isinstance(parent.hear(), Ready)
        measured = parent.hear()
        assert isinstance(measured, Measured)
        assert (measured.pixels, measured.steps) == (64 * 64, 4)
        assert measured.seconds is not None
        assert measured.seconds > 0
