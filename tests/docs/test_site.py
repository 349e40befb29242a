"""The docs site: it builds without a warning, has a place for each page, and is current."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from prometheus_client import Counter, Gauge, Histogram

from impasto.telegram import web, webhook
from impasto_metrics import meters

from ..environments import ROOT
from .pages import DOCS, PAGES, name_of


def program(name: str) -> ModuleType:
    """A program in docs/."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_settings_page_and_file_are_as_generated_from_the_models() -> None:
    made = program("make_settings_docs")
    how = "run: python docs/make_settings_docs.py"
    assert made.PAGE.read_text(encoding="utf-8") == made.page(), how
    assert made.CONFIG.read_text(encoding="utf-8") == made.config(), how


def test_the_metrics_page_names_every_metric() -> None:
    text = (DOCS / "watching.md").read_text(encoding="utf-8")
    found = vars(meters).values()
    metrics = [item for item in found if isinstance(item, Counter | Gauge | Histogram)]
    names = {family.name for metric in metrics for family in metric.describe()}
    assert len(names) > 8
    documented = set(re.findall(r"^\| `(impasto_\w+?)(?:_total)?` \|", text, re.MULTILINE))
    assert documented == names


def test_paths_are_those_of_the_code() -> None:
    text = (DOCS / "deploying.md").read_text(encoding="utf-8")
    assert f"for `{webhook.PATH}`" in text
    assert f"`server.port` ({web.DEFAULT_PORT} by default)" in text


@pytest.mark.parametrize("page", PAGES[1:], ids=name_of)
def test_each_page_has_a_place_in_the_navigation(page: Path) -> None:
    """`docs/site_hook.py` puts the others behind all others."""
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    placed = re.findall(r"(\S+\.md)$", navigation, re.MULTILINE)
    assert str(page.relative_to(DOCS)) in placed


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
