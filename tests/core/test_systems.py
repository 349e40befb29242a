"""What only some systems have is not needed elsewhere: Windows has no `fcntl`, macOS no /proc."""

from __future__ import annotations

import ast
import importlib.util
import os
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from impasto import file_locks

ROOT = Path(__file__).resolve().parents[2]
NOT_ON_WINDOWS = {
    "crypt", "curses", "fcntl", "grp", "nis", "ossaudiodev", "posix", "pty", "pwd", "readline",
    "resource", "spwd", "syslog", "termios", "tty",
}  # fmt: skip
"""Modules of the standard library; https://docs.python.org/3/library/unix.html has most."""
NAMES_NOT_EVERYWHERE = {
    "fork", "geteuid", "getgid", "getuid", "kill", "killpg", "mkfifo", "nice", "posix_fadvise",
    "sched_getaffinity", "setsid", "sysconf", "AF_UNIX", "SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL",
    "SIGUSR1", "SIGUSR2", "SO_REUSEPORT",
}  # fmt: skip

HIDING = f"""
import builtins
HIDDEN = {NOT_ON_WINDOWS!r}
real = builtins.__import__
def hiding(name, globals=None, *rest, **more):
    of_ours = (globals or {{}}).get("__name__", "").startswith("impasto")
    if of_ours and name.partition(".")[0] in HIDDEN:
        raise ImportError(name)
    return real(name, globals, *rest, **more)
builtins.__import__ = hiding
"""


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for root in ("core", "plugins"):
        for file in sorted((ROOT / root).rglob("*.py")):
            yield file, ast.parse(file.read_text(encoding="utf-8"))


def unguarded(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run where something is missing: neither within `try`, nor after a test with
    `hasattr` or of the system."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Try):
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and "hasattr(" in ast.unparse(
            node
        ):
            continue
        yield node
        yield from unguarded(node)


def test_modules_of_some_systems_are_imported_with_care() -> None:
    for file, tree in sources():
        for node in unguarded(tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            missing = {name.partition(".")[0] for name in names} & NOT_ON_WINDOWS
            assert not missing, f"{file}:{node.lineno} imports {missing}"


def test_functions_and_signals_of_some_systems_are_used_with_care() -> None:
    for file, tree in sources():
        for node in unguarded(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                used = f"{node.value.id}.{node.attr}"
                of_system = node.value.id in {"os", "signal", "socket"}
                assert not (of_system and node.attr in NAMES_NOT_EVERYWHERE), (
                    f"{file}:{node.lineno} uses {used}"
                )


def test_everything_is_imported_and_a_journal_opened_without_them(tmp_path: Path) -> None:
    start = (
        HIDING
        + """
import asyncio, importlib, pathlib, sys
from impasto.settings import load_settings
names = ["impasto.cli", "impasto.telegram.app", "impasto_playground.play", "impasto_dialog",
         "impasto_saq", "impasto_styles", "impasto_local_queue", "impasto.file_locks"]
modules = [importlib.import_module(name) for name in names]
assert modules[-1].fcntl is None
from impasto_sqlite import SqliteStorage
async def opened():
    storage = SqliteStorage(pathlib.Path(sys.argv[1]))
    await storage.open()
    await storage.close()
asyncio.run(opened())
modules[0].main(["settings", "--changed"])
"""
    )
    ended = subprocess.run(
        [sys.executable, "-c", start, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.slow
def test_a_picture_is_painted_without_them(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(HIDING, encoding="utf-8")
    from PIL import Image

    Image.effect_noise((64, 64), 90).convert("RGB").save(tmp_path / "photo.png")
    words = ["paint", "photo.png", "--style", "photo.png", "-o", "out.png", "--steps", "2"]
    ended = subprocess.run(
        [sys.executable, "-m", "impasto", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "out.png").is_file()


class Locks(types.ModuleType):
    """`msvcrt`, as far as it is used: bytes that are locked, by file."""

    LK_NBLCK = 2

    def __init__(self) -> None:
        super().__init__("msvcrt")
        self.held: set[tuple[int, int]] = set()

    def locking(self, number: int, mode: int, count: int) -> None:
        assert (mode, count) == (self.LK_NBLCK, 1)
        byte = (os.fstat(number).st_ino, os.lseek(number, 0, os.SEEK_CUR))
        if byte in self.held:
            raise PermissionError(13, "Permission denied")
        self.held.add(byte)


def locks_with(
    monkeypatch: pytest.MonkeyPatch, **modules: types.ModuleType | None
) -> types.ModuleType:
    """`impasto.file_locks`, as it is where these modules are these, or missing."""
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    spec = importlib.util.spec_from_file_location("locks_elsewhere", file_locks.__file__)
    assert spec is not None
    assert spec.loader is not None
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    return fresh


class TestLocks:
    @pytest.mark.parametrize("system", ["posix", "windows"])
    def test_one_holds_a_file_and_reads_it_all_the_same(
        self, system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        windows = {"fcntl": None, "msvcrt": Locks()}
        locks = locks_with(monkeypatch, **(windows if system == "windows" else {}))
        path = tmp_path / "a"
        path.write_text("name")
        with path.open("a+") as first, path.open("a+") as second:
            place = first.tell()
            assert locks.lock(first)
            assert first.tell() == place
            assert not locks.lock(second)
            assert path.read_text() == "name"

    def test_without_locks_everybody_has_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        locks = locks_with(monkeypatch, fcntl=None, msvcrt=None)
        with (tmp_path / "a").open("w") as first, (tmp_path / "a").open("w") as second:
            assert locks.lock(first)
            assert locks.lock(second)
