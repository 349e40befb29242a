"""The bot treated badly: killed, flooded, cut off, run on a full disk, and by a thousand people.

`python -m benchmarks.soak --help` says what there is; a short run is among the tests.
"""
