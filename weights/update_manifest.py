"""Writes the digest of each network file in this folder into weights.toml.

python weights/update_manifest.py
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

FOLDER = Path(__file__).parent
MANIFEST = FOLDER / "weights.toml"


def main() -> None:
    text = MANIFEST.read_text(encoding="utf-8")
    for name, entry in tomllib.loads(text).items():
        if "source" in entry:
            continue
        digest = hashlib.sha256((FOLDER / entry["file"]).read_bytes()).hexdigest()
        text, count = re.subn(
            rf'(?ms)(^\[{re.escape(name)}\]$.*?^sha256 = )"[^"]*"',
            rf'\g<1>"{digest}"',
            text,
            count=1,
        )
        if count != 1:
            raise SystemExit(f'[{name}] in {MANIFEST} needs a line: sha256 = ""')
        print(f"{entry['file']}: {digest}")
    MANIFEST.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
