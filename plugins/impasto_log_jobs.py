"""Observer: one log line per change of a job's state."""

from __future__ import annotations

import structlog

from impasto import hookimpl
from impasto.jobs.job import Job, JobState

log = structlog.get_logger(__name__)


@hookimpl
def impasto_job_changed(job: Job, change: JobState) -> None:
    facts: dict[str, object] = {"job": job.id, "state": change.value}
    if change is JobState.PAINTED and job.seconds is not None:
        facts |= {"seconds": round(job.seconds, 1), "steps": job.steps}
    if job.failure is not None:
        facts["failure"] = job.failure.code
    log.info("job_changed", **facts)
