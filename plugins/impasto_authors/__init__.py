"""For authors of plugins: `impasto new-plugin` writes one that works, as a project of its own or as
one file."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from string import Template
from typing import Annotated, Final

import typer

from impasto import __version__, hookimpl
from impasto.errors import OwnerError
from impasto.hookspecs import BOT_GROUP, PAINTING_GROUP
from impasto.plugins.finding import installed_plugins

TEMPLATES: Final = Path(__file__).with_name("templates")
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
    PRESENTER = "presenter"
    QUEUE = "queue"
    STORAGE = "storage"
    OBSERVER = "observer"
    WEB = "web"
    CHECK = "check"
    COMMAND = "command"


SUMMARIES: Final = {
    Kind.STYLE: "A pack of preset styles",
    Kind.PREPROCESS: "A step before painting",
    Kind.POSTPROCESS: "A step after painting",
    Kind.OPTIMIZER: "An optimizer",
    Kind.DEVICE: "A device to paint on",
    Kind.NETWORK: "A feature network",
    Kind.DIALOG: "A part of the conversation",
    Kind.PRESENTER: "The words about a job",
    Kind.QUEUE: "A job queue",
    Kind.STORAGE: "A storage",
    Kind.OBSERVER: "An observer of jobs",
    Kind.WEB: "A page of the bot's web server",
    Kind.CHECK: "A check for impasto doctor",
    Kind.COMMAND: "A command",
}
IN_THE_PAINTING: Final = {
    Kind.PREPROCESS,
    Kind.POSTPROCESS,
    Kind.OPTIMIZER,
    Kind.DEVICE,
    Kind.NETWORK,
}


@hookimpl
def impasto_commands(cli: typer.Typer) -> None:
    cli.command("new-plugin")(new_plugin)


def new_plugin(
    name: Annotated[str, typer.Argument(help="Its name in settings and listings.")],
    kind: Annotated[Kind, typer.Option(help="What the plugin adds.")],
    *,
    single_file: Annotated[
        bool, typer.Option("--single-file", help="One file for the plugin folder, no project.")
    ] = False,
    into: Annotated[
        Path,
        typer.Option(help="Folder to write it into; created if missing.", file_okay=False),
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
    if name in {point.name for point in installed_plugins()}:
        raise OwnerError(f"there is an installed plugin {name!r} already; choose another name")


def _distribution(name: str) -> str:
    return f"impasto-{name.replace('_', '-')}"


def _words(name: str, kind: Kind) -> dict[str, str]:
    """The values of the templates' placeholders."""
    return {
        "name": name,
        "stem": _stem(name),
        "title": name.replace("_", " ").capitalize(),
        "class_name": "".join(part.capitalize() for part in name.split("_")),
        "module": f"impasto_{name}",
        "distribution": _distribution(name),
        "summary": SUMMARIES[kind],
        "group": PAINTING_GROUP if kind in IN_THE_PAINTING else BOT_GROUP,
        "version": __version__,
        "year": str(datetime.now(UTC).year),
    }


def _single_file(name: str, kind: Kind) -> dict[str, bytes]:
    """Contents by path."""
    files = {f"{name}.py": _filled(f"kinds/{kind}.py.txt", _words(name, kind))}
    return files | (_style_pictures(name, name) if kind is Kind.STYLE else {})


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
        ".github/workflows/release.yml": "project/release.yml.txt",
        f"{package}/__init__.py": f"kinds/{kind}.py.txt",
        f"tests/test_{name}.py": f"kinds/{kind}_test.py.txt",
    }
    files = {path: _filled(template, words) for path, template in templates.items()}
    files[f"{package}/py.typed"] = b""
    if kind is Kind.STYLE:
        files |= _style_pictures(f"{package}/{name}", name)
    return files


def _filled(template: str, words: Mapping[str, str]) -> bytes:
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    return Template(text).substitute(words).encode()


def _stem(name: str) -> str:
    """What the names of the plugin's styles begin with: they are no longer than one of a plugin."""
    return name[:18]


def _style_pictures(folder: str, name: str) -> dict[str, bytes]:
    """Two pictures of strokes, other ones for each name."""
    from impasto.testing import make_style

    pictures = {}
    for style in (f"{_stem(name)}_1", f"{_stem(name)}_2"):
        file = io.BytesIO()
        make_style(STYLE_SIDE, seed=zlib.crc32(style.encode())).save(file, "PNG")
        pictures[f"{folder}/{style}.png"] = file.getvalue()
    return pictures


def _write(home: Path, files: Mapping[str, bytes]) -> None:
    for path in files:
        if (home / path).exists():
            raise OwnerError(f"{home / path} is there already; nothing was written")
    for path, content in files.items():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_bytes(content)
