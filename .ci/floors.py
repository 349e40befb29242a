"""Prints the lower bounds of pyproject.toml as constraints for pip.

They are those of the dependencies and of the extras for users; tools of developers are only tools.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

OF_DEVELOPERS = {"dev", "docs"}


def floors() -> dict[str, str]:
    """The lowest version of each library. Raises ValueError where one is not bound from below."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = list(project["dependencies"])
    for extra, libraries in project["optional-dependencies"].items():
        if extra not in OF_DEVELOPERS:
            wanted += libraries
    found = {}
    for requirement in wanted:
        bound = re.match(r"([\w.-]+)(?:\[[\w,]+\])?>=([\d.]+)", requirement)
        if bound is None:
            raise ValueError(f"{requirement} has no lower bound")
        found[bound[1]] = bound[2]
    return found


if __name__ == "__main__":
    print("\n".join(f"{name}=={version}" for name, version in floors().items()))
