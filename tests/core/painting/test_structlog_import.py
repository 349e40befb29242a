"""The painting process does without rich; whoever wants it finds it."""

from __future__ import annotations

import subprocess
import sys


def run(program: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def test_structlog_is_whole_without_rich() -> None:
    run("""
import sys
from impasto.painting.structlog_import import import_structlog_alone
import_structlog_alone()
from impasto.logs import configure_logging
from impasto.settings import LogSettings
import impasto.painting.child
import structlog
assert not [name for name in sys.modules if name.partition(".")[0] == "rich"]
configure_logging(LogSettings(format="pretty"))
try:
    1 / 0
except ZeroDivisionError:
    structlog.get_logger("test").exception("it_failed")
import rich.console
assert rich.console.Console
""")


def test_who_has_imported_either_before_keeps_it() -> None:
    run("""
import sys
import structlog
before = dict(sys.modules)
from impasto.painting.structlog_import import import_structlog_alone
import_structlog_alone()
assert sys.modules["structlog"] is before["structlog"]
assert sys.modules.get("rich") is before.get("rich")
""")
