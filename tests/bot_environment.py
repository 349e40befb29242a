"""What a bot of the tests is told by its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from impasto_playground import Playground


def bot_environment(
    playground: Playground, state: Path, settings: Mapping[str, str]
) -> dict[str, str]:
    """This process's variables without settings, and those for a bot at a playground. `settings`
    are `IMPASTO_` variables without that prefix."""
    others = {name: value for name, value in os.environ.items() if "IMPASTO_" not in name}
    ours = {
        "TELEGRAM__TOKEN": playground.token,
        "TELEGRAM__API_BASE": playground.url,
        "STATE_DIR": str(state),
        **settings,
    }
    return others | {f"IMPASTO_{name}": value for name, value in ours.items()}
