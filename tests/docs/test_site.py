"""The docs site: it builds without a warning, it is current, and its commands do what it says."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image
from prometheus_client import Counter, Gauge, Histogram

from impasto.playground import Playground
from impasto.telegram import web, webhook
from impasto_metrics import meters, page

from ..environments import ROOT
from .pages import DOCS, commands, programs, run_script

PAGES = ("index.md", "settings.md", "deploying.md", "watching.md")
TOKEN = "123456:EXAMPLE-TOKEN"


def program(name: str) -> ModuleType:
    """A program in docs/."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_settings_page_is_current() -> None:
    written = (DOCS / "settings.md").read_text(encoding="utf-8")
    assert written == program("make_settings_docs").page(), "run: python docs/make_settings_docs.py"


def test_the_metrics_page_names_every_metric() -> None:
    text = (DOCS / "watching.md").read_text(encoding="utf-8")
    found = [*vars(meters).values(), *vars(page).values()]
    metrics = [item for item in found if isinstance(item, Counter | Gauge | Histogram)]
    names = {family.name for metric in metrics for family in metric.describe()}
    assert len(names) > 8
    documented = set(re.findall(r"^\| `(impasto_\w+?)(?:_total)?` \|", text, re.MULTILINE))
    assert documented == names


def test_paths_are_those_of_the_code() -> None:
    text = (DOCS / "deploying.md").read_text(encoding="utf-8")
    assert f"for `{webhook.PATH}`" in text
    assert f"`server.port` ({web.DEFAULT_PORT} if nothing else is said)" in text


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    ended = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "WARNING" not in ended.stderr
    page = (tmp_path / "how-it-works" / "index.html").read_text(encoding="utf-8")
    assert "../core/impasto" not in page, "links to the repository's files lead nowhere on a site"
    for file in DOCS.rglob("*.md"):
        place = file.relative_to(DOCS).with_suffix("")
        place = place.parent if place.name in {"index", "README"} else place
        assert (tmp_path / place / "index.html").is_file(), file


@pytest.fixture
async def playground() -> AsyncIterator[Playground]:
    async with Playground(port=0, token=TOKEN) as playground:
        yield playground


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
async def test_every_command_of_a_page_can_be_run(
    name: str, playground: Playground, tmp_path: Path
) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    Image.effect_mandelbrot((200, 150), (-2, -1.5, 1, 1.5), 40).convert("RGB").save(
        folder / "photo.jpg"
    )
    environment = {n: v for n, v in os.environ.items() if "IMPASTO_" not in n and n != "PORT"}
    environment |= {
        "PATH": f"{programs(tmp_path / 'bin')}{os.pathsep}{os.environ['PATH']}",
        "IMPASTO_TELEGRAM__API_BASE": playground.url,
        "OMP_NUM_THREADS": "1",
    }
    script, _ = commands(DOCS / name)
    assert "impasto" in script
    await asyncio.to_thread(run_script, script, folder, environment)
    if name == "index.md":
        assert (folder / "painting.png").is_file()


def test_what_is_not_run_says_why() -> None:
    for name in PAGES:
        script, reasons = commands(DOCS / name)
        assert all(reasons)
        for word in ("pip ", "sudo ", "docker ", "systemctl "):
            assert word not in script, f"{name} has {word} where a test would run it"
