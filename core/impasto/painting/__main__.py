"""The process that paints: `python -m impasto.painting`. With the argument `probe` it says what it
would paint with, and paints nothing."""

from __future__ import annotations

import sys

from impasto.painting.structlog_import import import_structlog_alone
from impasto.painting.torch_import import postpone_meta_kernels


def main() -> int:
    import_structlog_alone()
    postpone_meta_kernels()
    if sys.argv[1:] == ["probe"]:
        from impasto.painting.probe import main as answer_question

        return answer_question()
    from impasto.painting.child import main as paint_what_is_asked

    return paint_what_is_asked()


if __name__ == "__main__":
    sys.exit(main())
