"""Other users of the machine see neither photos nor journal; their files are not run or written."""

from __future__ import annotations

import ast
import asyncio
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from impasto import file_locks
from impasto.data_folders import make_private
from impasto.errors import OwnerError
from impasto.jobs.painter_process import PAINTING_COMMAND
from impasto_doctor import check_privacy
from impasto_doctor.painting import PROBE
from impasto_saq import RedisStorage
from impasto_saq.settings import SaqSettings
from impasto_sqlite import SqliteStorage

from ..redis_server import RedisServer

ROOT = Path(__file__).parents[2]


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[False, True], ids=["new", "there"])
def state_dir(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    if request.param:
        folder.mkdir(mode=0o755)
    return folder


async def test_sqlite_keeps_its_folder_to_itself(state_dir: Path) -> None:
    storage = SqliteStorage(state_dir)
    await storage.open()
    await storage.close()
    assert mode_of(state_dir) == 0o700
    assert mode_of(state_dir / "impasto.lock") == 0o600


async def test_redis_keeps_its_folder_to_itself(state_dir: Path, redis: RedisServer) -> None:
    storage = RedisStorage(SaqSettings(redis_url=redis.url), "1", state_dir)
    await storage.open()
    await storage.close()
    assert mode_of(state_dir) == 0o700
    assert mode_of(state_dir / "processes" / "0") == 0o600


def test_a_folder_that_many_use_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    make_private(tmp_path)
    assert mode_of(tmp_path) == 0o1777


def test_a_link_in_the_place_of_a_lock_is_not_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "impasto.lock"
    target.write_text("of somebody else")
    link.symlink_to(target)
    with pytest.raises(OSError, match="symbolic links"):
        file_locks.opened(link)
    with pytest.raises(OwnerError, match="cannot be used"):
        asyncio.run(SqliteStorage(tmp_path).open())
    assert target.read_text() == "of somebody else"


def test_what_a_lock_file_has_in_it_stays(tmp_path: Path) -> None:
    with file_locks.opened(tmp_path / "lock") as file:
        file.write("a name")
    with file_locks.opened(tmp_path / "lock") as file:
        assert file.read() == "a name"


@pytest.mark.parametrize(
    ("mode", "verdict"), [(0o700, "ok"), (0o755, "warning"), (0o701, "warning")]
)
def test_the_doctor_looks_at_it(tmp_path: Path, mode: int, verdict: str) -> None:
    tmp_path.chmod(mode)
    [finding] = check_privacy(tmp_path)
    assert finding.verdict == verdict


def test_the_doctor_says_nothing_of_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert list(check_privacy(tmp_path / "none")) == []


@pytest.mark.parametrize("command", [PAINTING_COMMAND, PROBE], ids=["painting", "probe"])
def test_nothing_is_imported_from_the_working_directory(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    for name in ("queue", "random", "json", "impasto"):
        (tmp_path / f"{name}.py").write_text("import os\nos._exit(77)\n")
    ended = subprocess.run(
        command,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode != 77


def test_no_process_of_ours_is_started_otherwise() -> None:
    """Each mention of this Python is followed by -P, in what is shipped."""
    without = []
    for folder in ("core", "plugins"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                items = getattr(node, "elts", None) or []
                words = [ast.unparse(item) for item in items]
                if words[:1] == ["sys.executable"] and words[1:2] != ["'-P'"]:
                    without.append(f"{path}:{node.lineno}")  # type: ignore[attr-defined]
    assert without == []


def test_the_programs_write_for_nobody_else() -> None:
    """In a process of its own: the mask is that of a whole process."""
    program = """
import asyncio, os
from impasto.cli.bot import run_until_stopped
from impasto.hookspecs import BOT_GROUP
from impasto.plugins import PluginHost
from impasto.settings import Settings
async def program(settings, host, **_): print(oct(os.umask(0)))
settings = Settings()
asyncio.run(run_until_stopped(program, settings, PluginHost(BOT_GROUP, settings)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "0o77"


@pytest.mark.skipif(sys.platform != "linux", reason="there is no prctl here")
def test_the_painting_process_cannot_read_the_memory_of_the_bot() -> None:
    """In a process of its own, which starts another as the bot does."""
    program = """
import ctypes, subprocess, sys
from impasto.cli.bot import close_memory_to_others
close_memory_to_others()
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), flush=True)
asks = "import ctypes; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
subprocess.run([sys.executable, "-P", "-c", asks], check=True)
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    closed, of_its_child = done.stdout.split()
    assert closed == "0"
    assert of_its_child == "1"  # the bot looks at its memory
