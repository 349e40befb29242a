"""A network that ends the program when it is loaded."""

import sys

from impasto import hookimpl


class Leaving:
    name = "network_exit"
    description = "ends the program"

    def why_not(self):
        return None

    def load(self):
        sys.exit(3)


@hookimpl
def impasto_networks(settings):
    return [Leaving()]
