"""The process that paints: `python -m impasto.painting`."""

from __future__ import annotations

import sys

from impasto.painting.torch_import import postpone_meta_kernels


def main() -> int:
    postpone_meta_kernels()
    from impasto.painting.child import main as paint_what_is_asked

    return paint_what_is_asked()


if __name__ == "__main__":
    sys.exit(main())
