"""Whether this installation can paint fine pictures: those that another network finishes."""

from __future__ import annotations

import math
from typing import Final

from impasto.errors import ImpastoError
from impasto.painting.catalogue import Catalogue
from impasto.painting.strips.plan import least_bytes
from impasto.settings import AUTO

MEGABYTE: Final = 2**20
PHOTO_ASPECT: Final = 1.5
"""Most photos are 4:3 or 3:2."""


def why_not_fine(catalogue: Catalogue) -> str | None:
    """Why a picture at the settings' pixel cap cannot be fine; None where it can. Loads the network
    that finishes it."""
    painting = catalogue.settings.painting
    name = painting.fine_network
    if painting.network != AUTO:
        return f"painting.network {painting.network!r} paints everything"
    try:
        device = catalogue.device(painting.device)
        network = catalogue.network(name, device)
    except ImpastoError as error:
        return str(error)
    available = device.memory()
    if available is None:
        return None
    height = math.isqrt(round(device.max_pixels() / PHOTO_ASPECT))
    width = round(height * PHOTO_ASPECT)
    missing = least_bytes(network, (height, width), device.strip_bytes()) - available
    if missing <= 0:
        return None
    return (
        f"{name} takes at least {math.ceil(missing / MEGABYTE)} MB more than there is "
        f"at {width} x {height} pixels; raise painting.memory_mb or lower the pixel cap"
    )
