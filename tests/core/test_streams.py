"""Whatever the terminal takes, or where there is none, the program says what it has to say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ENCODINGS = ["ascii", "latin-1", "cp1251", "utf-8"]
TEXT = "strokes of café ü → кисть 🎨 \\udcff"
"""The last is what stands for a byte of a file's name that is not UTF-8."""

SAYS = f"""
import logging, sys
from impasto.logs import prepare_streams
prepare_streams()
import typer
from impasto.cli import print_json, print_table
from impasto.logs import configure_logging
from impasto.settings import LogSettings
text = "{TEXT}"
configure_logging(LogSettings(format=sys.argv[1]))
logging.getLogger("x").error(text)
typer.echo(text, err=True)
print_table(["name"], [[text]])
print_json([{{"name": text}}])
"""

OPENS = """
import os, subprocess, sys
from impasto.logs import prepare_streams
prepare_streams()
print("to standard output")
print("to standard error", file=sys.stderr)
with open(sys.argv[1], "w") as file:
    print(file.fileno(), file=file, flush=True)
    code = "import sys; sys.stdin.read(); print('x'); print('y', file=sys.stderr)"
    print(subprocess.run([sys.executable, "-c", code]).returncode, file=file)
"""


def ran(*words: str, shell: str = "", **variables: str) -> subprocess.CompletedProcess[bytes]:
    """A Python process; `shell` is what follows its command, such as `2>&-`."""
    command = ["sh", "-c", f'exec "$0" "$@" {shell}', sys.executable, *words]
    environment = {**os.environ, **variables}
    return subprocess.run(command, capture_output=True, check=False, env=environment)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("form", ["pretty", "json"])
def test_any_text_can_be_said_in_any_encoding(encoding: str, form: str) -> None:
    ended = ran("-c", SAYS, form, PYTHONIOENCODING=encoding, PYTHONUTF8="0", COLUMNS="200")
    assert ended.returncode == 0, ended.stderr
    assert b"Traceback" not in ended.stderr
    assert ended.stderr.count(b"strokes of caf") == 2
    begin = ended.stdout.index(b"[\n")
    said = json.loads(ended.stdout[begin:].decode(encoding))
    assert said == [{"name": TEXT.replace(r"\udcff", "\udcff")}]


@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_other_file(closed: str, tmp_path: Path) -> None:
    ended = ran("-c", OPENS, str(tmp_path / "file"), shell=closed)
    assert ended.returncode == 0
    number, code = (tmp_path / "file").read_text().split()
    assert int(number) > 2, "or the next word to the terminal is written into it"
    assert code == "0"


def test_without_standard_error_a_command_works(tmp_path: Path) -> None:
    variables = {"IMPASTO_STATE_DIR": str(tmp_path), "PYTHONIOENCODING": "ascii"}
    ended = ran("-m", "impasto", "settings", "--changed", "--json", shell="2>&-", **variables)
    assert ended.returncode == 0
    assert [item["setting"] for item in json.loads(ended.stdout)] == ["state_dir"]


def test_without_standard_error_the_reason_of_an_end_is_told_all_the_same() -> None:
    variables = {"IMPASTO_PAINTING__STEPS": "0"}
    ended = ran("-m", "impasto", "settings", shell="2>&-", **variables)
    assert ended.returncode == 1
    assert b"painting.steps = '0'" in ended.stdout
