"""Hooks of MkDocs (https://www.mkdocs.org/user-guide/configuration/#hooks): every page has a place
on the site, and links to files of the repository lead there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s#]+)(#[^)\s]*)?\)")


def on_config(config: Any) -> Any:
    """Pages that nobody has given a place in mkdocs.yml yet are found at the end."""
    placed = set(_pages(config.nav))
    rest = sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))
    left = [page for page in rest if page not in placed]
    if left:
        config.nav.append({"More": left})
    return config


def _pages(nav: Any) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
        return
    for item in nav.values() if isinstance(nav, dict) else nav:
        yield from _pages(item)


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: Any) -> str:
    """Links to what is not below docs/ lead to the repository, or are plain text where its address
    is not known."""
    folder = Path(page.file.abs_src_path).parent
    repository = config.repo_url

    def link(match: re.Match[str]) -> str:
        text, target = match[1], match[2]
        path = (folder / target).resolve()
        if "://" in target or path.is_relative_to(DOCS) or not path.exists():
            return match[0]
        if not repository:
            return text
        return f"[{text}]({repository.rstrip('/')}/blob/main/{path.relative_to(DOCS.parent)})"

    return LINK.sub(link, markdown)
