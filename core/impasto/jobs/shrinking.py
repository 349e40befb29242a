"""A job for which there was not the memory is tried once more, smaller."""

from __future__ import annotations

from typing import Any

from impasto.jobs.job import Job

OUT_OF_MEMORY = "out_of_memory"
"""The code of that failure, see `impasto.errors.PaintingFailed`."""

LEAST_PIXELS = 1024
"""`PaintOptions.max_pixels` must not be below."""


def in_half_the_pixels(job: Job, most_pixels: int) -> dict[str, Any] | None:
    """What to note with the job for another try; None when it was tried smaller already.

    `most_pixels` is the pixel cap of the device.
    """
    if job.shrunk:
        return None
    asked = min(job.options.max_pixels or most_pixels, most_pixels)
    pixels = min(asked, job.content.pixels or asked)
    options = job.options.model_copy(update={"max_pixels": max(LEAST_PIXELS, pixels // 2)})
    return {"options": options, "shrunk": True}
