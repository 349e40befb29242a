"""The process that paints: `python -m impasto.painting`. With the argument `probe` it says what it
would paint with, and paints nothing."""

from __future__ import annotations

import sys

from impasto.logs import prepare_streams
from impasto.painting.process import main, probe

if __name__ == "__main__":
    prepare_streams()
    sys.exit(probe.main() if sys.argv[1:] == ["probe"] else main.main())
