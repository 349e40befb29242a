"""`impasto new-plugin`: a plugin that works, as a project of its own or as one file."""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import re
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from string import Template
from typing import Annotated, Final

import typer

from impasto import __version__
from impasto.errors import OwnerError
from impasto.hookspecs import BOT_GROUP, PAINTING_GROUP

_NAME: Final = re.compile("[a-z][a-z0-9_]{0,19}")
STYLE_SIDE: Final = 512


class Kind(StrEnum):
    """What a new plugin can add."""

    STYLE = "style"
    PREPROCESS = "preprocess"
    POSTPROCESS = "postprocess"
    OPTIMIZER = "optimizer"
    DEVICE = "device"
    NETWORK = "network"
    DIALOG = "dialog"
    QUEUE = "queue"
    OBSERVER = "observer"


SUMMARIES: Final = {
    Kind.STYLE: "A preset style",
    Kind.PREPROCESS: "A step before painting",
    Kind.POSTPROCESS: "A step after painting",
    Kind.OPTIMIZER: "An optimizer",
    Kind.DEVICE: "A device to paint on",
    Kind.NETWORK: "A feature network",
    Kind.DIALOG: "A part of the conversation",
    Kind.QUEUE: "A job queue",
    Kind.OBSERVER: "An observer of jobs",
}
IN_THE_BOT: Final = {Kind.STYLE, Kind.DIALOG, Kind.QUEUE, Kind.OBSERVER}


def new_plugin(
    name: Annotated[str, typer.Argument(help="Its name in settings and listings.")],
    kind: Annotated[Kind, typer.Option(help="What the plugin adds.")],
    *,
    single_file: Annotated[
        bool, typer.Option("--single-file", help="One file for the plugin folder, no project.")
    ] = False,
    into: Annotated[
        Path, typer.Option(help="Folder to write it into.", file_okay=False, exists=True)
    ] = Path(),
) -> None:
    """Write a working plugin with tests, for you to build on."""
    name = name.replace("-", "_")
    _check_name(name)
    if single_file:
        home, files = into, _single_file(name, kind)
        next_steps = f"impasto play --plugin {home / name}.py --reload"
    else:
        home, files = into / _distribution(name), _project(name, kind)
        next_steps = f"cd {home} && pip install -e '.[dev]' && pytest && impasto play --reload"
    _write(home, files)
    for path in files:
        typer.echo(home / path)
    typer.echo(f"\nTry it: {next_steps}", err=True)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise OwnerError(
            f"{name!r} cannot be the name of a plugin: up to 20 lower-case letters, digits and "
            "underscores, a letter first"
        )
    for group in (BOT_GROUP, PAINTING_GROUP):
        if name in importlib.metadata.entry_points(group=group).names:
            raise OwnerError(f"there is an installed plugin {name!r} already; choose another name")


def _distribution(name: str) -> str:
    return f"impasto-{name.replace('_', '-')}"


def _words(name: str, kind: Kind) -> dict[str, str]:
    """The values of the templates' placeholders."""
    return {
        "name": name,
        "title": name.replace("_", " ").capitalize(),
        "class_name": "".join(part.capitalize() for part in name.split("_")),
        "module": f"impasto_{name}",
        "distribution": _distribution(name),
        "summary": SUMMARIES[kind],
        "group": BOT_GROUP if kind in IN_THE_BOT else PAINTING_GROUP,
        "version": __version__,
        "year": str(datetime.now(UTC).year),
    }


def _single_file(name: str, kind: Kind) -> dict[str, bytes]:
    """Contents by path."""
    files = {f"{name}.py": _filled(f"kinds/{kind}.py.txt", _words(name, kind))}
    if kind is Kind.STYLE:
        files[f"{name}.png"] = _style_picture(name)
    return files


def _project(name: str, kind: Kind) -> dict[str, bytes]:
    """Contents by path."""
    words = _words(name, kind)
    package = f"src/{words['module']}"
    templates = {
        "pyproject.toml": "project/pyproject.toml.txt",
        "README.md": "project/README.md.txt",
        "LICENSE": "project/LICENSE.txt",
        ".gitignore": "project/gitignore.txt",
        ".github/workflows/test.yml": "project/ci.yml.txt",
        f"{package}/__init__.py": f"kinds/{kind}.py.txt",
        f"tests/test_{name}.py": f"kinds/{kind}_test.py.txt",
    }
    files = {path: _filled(template, words) for path, template in templates.items()}
    files[f"{package}/py.typed"] = b""
    if kind is Kind.STYLE:
        files[f"{package}/{name}.png"] = _style_picture(name)
    return files


def _filled(template: str, words: Mapping[str, str]) -> bytes:
    folder = importlib.resources.files("impasto.cli") / "templates"
    text = folder.joinpath(template).read_text(encoding="utf-8")
    return Template(text).substitute(words).encode()


def _style_picture(name: str) -> bytes:
    """A picture of strokes, another one for each name."""
    import io

    from impasto.testing import make_style

    file = io.BytesIO()
    make_style(STYLE_SIDE, seed=zlib.crc32(name.encode())).save(file, "PNG")
    return file.getvalue()


def _write(home: Path, files: Mapping[str, bytes]) -> None:
    for path in files:
        if (home / path).exists():
            raise OwnerError(f"{home / path} is there already; nothing was written")
    for path, content in files.items():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_bytes(content)
