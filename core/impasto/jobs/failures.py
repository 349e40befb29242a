"""What is said of a job that was not painted, though there is nothing wrong with its pictures."""

from __future__ import annotations

from impasto.jobs.job import Job
from impasto.jobs.painter_process import ChildLost
from impasto.jobs.shrinking import OUT_OF_MEMORY
from impasto.messages import Failed


class JournalFailed(Exception):
    """What is known of the job in hand could not be written: no fault of the job."""


def lost(job: Job, loss: ChildLost) -> Failed:
    """The painting process died under it too often."""
    if not loss.for_memory:
        return given_up(job, str(loss))
    return Failed(
        job_id=job.id,
        code=OUT_OF_MEMORY,
        sentence="This picture takes more memory than there is; please send a smaller one.",
        detail=str(loss),
    )


def given_up(job: Job, detail: str) -> Failed:
    """For reasons that the owner finds in the log."""
    return Failed(
        job_id=job.id,
        code="painting_failed",
        sentence="Painting this picture failed; please try again or send another one.",
        detail=detail,
    )
