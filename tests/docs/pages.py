"""The commands of a page, as a reader would type them one after another.

A block that cannot be run in a test stands below a comment that says why, and what shows its
commands to be right: `<!-- not run: needs root -->`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from ..environments import ROOT

DOCS = ROOT / "docs"
_BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<why>[^>]+) -->\n)?^```sh\n(?P<code>.*?)^```", re.DOTALL | re.MULTILINE
)

UNTIL_UP = f"""\
#!{sys.executable}
# Programs that would run until they are stopped are stopped once they are up.
import os, socket, subprocess, sys, time, urllib.request

words = sys.argv[1:]
command = [{sys.executable!r}, "-m", "impasto", *words]
if "play" in words:
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        sys.stderr.write(line)
        if line.startswith("Talk to the bot at"):
            process.terminate()
elif "run" in words:
    held = socket.socket()  # as in tests/ports.py: nobody takes the port before the bot does
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    port = held.getsockname()[1]
    process = subprocess.Popen(command, env={{**os.environ, "IMPASTO_SERVER__PORT": str(port)}})
    while process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{{port}}/readyz", timeout=5)
        except OSError:  # not yet
            time.sleep(0.1)
        else:
            process.terminate()
            break
else:
    process = subprocess.Popen(command)
sys.exit(process.wait())
"""


def commands(page: Path) -> tuple[str, list[str]]:
    """What of a page can be run, as one script; and why the rest cannot."""
    blocks = list(_BLOCK.finditer(page.read_text(encoding="utf-8")))
    script = "".join(block["code"] for block in blocks if not block["why"])
    return script, [block["why"] for block in blocks if block["why"]]


def programs(folder: Path) -> Path:
    """A folder for PATH, with an `impasto` that ends."""
    folder.mkdir()
    program = folder / "impasto"
    program.write_text(UNTIL_UP, encoding="utf-8")
    program.chmod(0o755)
    return folder


def run_script(script: str, folder: Path, environment: dict[str, str]) -> str:
    """What it prints; it stops at the first command that fails."""
    ended = subprocess.run(
        ["sh", "-ex"],
        input=script,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout
