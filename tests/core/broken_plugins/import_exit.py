"""Ends the program at import, politely."""

import sys

sys.exit(3)
