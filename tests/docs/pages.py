"""The commands of the pages, and how they are run as a reader would type them one after another."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from ..environments import ROOT

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
PHOTOS = ("photo.jpg", "style.jpg", "picture.jpg", "frost.jpg")
"""Pictures that readers are taken to have."""

_SHELLS = {"sh", "bash", "zsh", "shell", "console", "shell-session"}
_FENCED = re.compile(r"^( *)```(\S*)[^\n]*\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_PROGRAMS = (
    "curl docker git impasto journalctl make mkdocs pip pytest python python3 redis-cli "
    "redis-server saq sh sudo systemctl"
)
_COMMAND = re.compile(
    rf"(?:\w+=\S+ )*(?:[\w./]*/)?(?:{'|'.join(_PROGRAMS.split())}) \S.*"  # with an argument
)

UNTIL_UP = """\
#!{python}
# Programs that would run until they are stopped are stopped once they are up.
import os, socket, subprocess, sys, time, urllib.request

words = sys.argv[1:]
command = [sys.executable, "-m", "impasto", *words]
if "play" in words:
    command += ["--no-browser", "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        sys.stderr.write(line)
        if line.startswith("Talk to the bot at"):
            process.terminate()
elif {"run", "worker"} & set(words):
    held = socket.socket()  # as in tests/ports.py: nobody takes the port before the bot does
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    port = held.getsockname()[1]
    process = subprocess.Popen(command, env={**os.environ, "IMPASTO_SERVER__PORT": str(port)})
    while process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5)
        except OSError:  # not yet
            time.sleep(0.1)
        else:
            process.terminate()
            break
else:
    process = subprocess.Popen(command)
sys.exit(process.wait())
"""

UNTIL_ANSWERED = """\
#!{python}
# A stream of events would never end: that it begins is enough. Other answers are read whole.
import os, shutil, subprocess, sys

words = sys.argv[1:]
path = os.environ["PATH"].partition(os.pathsep)[2]
command = [shutil.which("curl", path=path), "--fail", "--silent", "--show-error", *words]
if "-N" not in words:
    sys.exit(subprocess.call(command))
process = subprocess.Popen([*command, "--include"], stdout=subprocess.PIPE, text=True)
status = process.stdout.readline()
process.terminate()
process.wait()
sys.exit(" 200 " not in status)
"""


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def commands_in_blocks(page: Path) -> list[str]:
    """Those of blocks of shell, in their order."""
    blocks = _FENCED.finditer(page.read_text(encoding="utf-8"))
    return [c for block in blocks if block[2] in _SHELLS for c in _commands(block[3])]


def commands_in_text(page: Path) -> list[str]:
    """Those between backticks in sentences and tables."""
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    return [span for span in _SPAN.findall(text) if _COMMAND.fullmatch(span)]


def commands_out_of_place(page: Path) -> list[str]:
    """Those where the other functions do not look: in blocks of no shell, indented, after `$`."""
    text = page.read_text(encoding="utf-8")
    others = "\n".join(block[3] for block in _FENCED.finditer(text) if block[2] not in _SHELLS)
    indented = re.findall(r"^(?: {4,}|\t)(.+)$", _FENCED.sub("", text), re.MULTILINE)
    lines = [line.strip().removeprefix("$ ") for line in [*others.splitlines(), *indented]]
    return [line for line in lines if _COMMAND.fullmatch(line)]


def _commands(code: str) -> list[str]:
    """A line each; without comments."""
    whole = code.replace("\\\n", " ")
    lines = [re.sub(r"(^|\s)#.*", "", line) for line in whole.splitlines()]
    return [" ".join(line.split()) for line in lines if line.strip()]


def programs(folder: Path, python: str | Path = sys.executable) -> Path:
    """A folder for PATH, with an `impasto` and a `curl` that end."""
    folder.mkdir()
    python3 = '#!/bin/sh\nexec {python} "$@"\n'
    for name, text in (("impasto", UNTIL_UP), ("curl", UNTIL_ANSWERED), ("python3", python3)):
        write_program(folder / name, text.replace("{python}", str(python)))
    return folder


def write_program(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    file.chmod(0o755)


def variables_with(folder: Path) -> dict[str, str]:
    """The environment without settings, with the programs of this folder before all others."""
    ours = {n: v for n, v in os.environ.items() if not n.startswith("IMPASTO_") and n != "PORT"}
    return ours | {
        "PATH": os.pathsep.join([str(folder), str(Path(sys.executable).parent), ours["PATH"]]),
        "OMP_NUM_THREADS": "1",
    }


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
