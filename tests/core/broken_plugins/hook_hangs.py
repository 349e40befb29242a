"""Never comes back from a hook of the start."""

import time

from impasto import hookimpl


@hookimpl
def impasto_styles(settings):
    time.sleep(1e6)
