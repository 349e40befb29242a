"""Standard streams that are open and take any text, whatever this process was started with."""

from __future__ import annotations

import io
import os
import sys


def prepare_streams() -> bool:
    """Whether what is written to standard error can be read by somebody. To be called before
    anything else is opened.

    A closed stream leads to nowhere: its number would be that of the next file, into which other
    libraries, and child processes, would then write. What an encoding lacks is written as an
    escape, where an error would end the program.
    """
    is_read = sys.stderr is not None
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode, encoding="utf-8")  # noqa: PTH123, SIM115
            os.set_inheritable(stream.fileno(), True)
            setattr(sys, name, stream)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    return is_read
