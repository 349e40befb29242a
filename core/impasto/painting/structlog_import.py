"""structlog without rich, 4 MB that it takes where it finds it, for tracebacks in color. Ours are
plain text before they are shown: `impasto.logs` takes tokens out of them."""

from __future__ import annotations

import sys


def import_structlog_alone() -> None:
    """Has structlog find no rich; whoever imports rich afterwards finds it. To be called before
    either is imported, afterwards it changes nothing."""
    if "structlog" in sys.modules or "rich" in sys.modules:
        return
    # "If the value is None, then a ModuleNotFoundError is raised" (The import system, 5.3.1)
    sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        import structlog  # noqa: F401, PLC0415
    finally:
        del sys.modules["rich"]
