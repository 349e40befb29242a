"""Where the folders `styles/`, `weights/` and `config/` are, and who may read `state_dir`.

A wheel has them inside the package, under `_data/`. In a checkout (an editable install, or
`PYTHONPATH=core:plugins`) they lie at the top of the repository. Packaged ones are looked for
beside *this file* only: an editable install by hatchling leaves stale copies in site-packages.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data_folder(name: str) -> Path:
    """The folder `styles`, `weights` or `config` of this installation.

    Raises:
        FileNotFoundError: the installation is damaged: neither place has the folder.
    """
    packaged = _PACKAGE / "_data" / name
    if packaged.is_dir():
        return packaged
    checkout = _PACKAGE.parents[1] / name
    if checkout.is_dir():
        return checkout
    raise FileNotFoundError(
        f"{name}/ is neither in the installed package ({packaged}) nor in a checkout ({checkout}); "
        "install impasto again"
    )


def styles_folder() -> Path:
    """The preset pictures and `styles.toml`."""
    return data_folder("styles")


def weights_folder() -> Path:
    """The embedded network and `weights.toml`."""
    return data_folder("weights")


def default_config() -> Path:
    """`impasto.toml` with every setting at its default."""
    return data_folder("config") / "impasto.toml"


PRIVATE_FOLDER, PRIVATE_UMASK = 0o700, 0o077
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_private(state_dir: Path) -> None:
    """Lets nobody else into a folder with people's photos. One that has only been lent, such as
    `/tmp`, stays as it is."""
    found = state_dir.stat()
    mine = os.geteuid() if hasattr(os, "geteuid") else found.st_uid  # Windows has no such ids
    is_lent = bool(found.st_mode & stat.S_ISVTX) or found.st_uid != mine
    if not is_lent and found.st_mode & OTHERS:
        with contextlib.suppress(OSError):
            state_dir.chmod(PRIVATE_FOLDER)
