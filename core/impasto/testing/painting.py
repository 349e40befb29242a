"""Paints small pictures in the test's own process, with its plugins."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from impasto.contracts import PaintOptions
from impasto.hookspecs import PAINTING_GROUP, PAINTING_HOOKS
from impasto.painting.catalogue import Catalogue
from impasto.painting.painter import Painting, PaintRequest, paint
from impasto.plugins import PluginHost
from impasto.testing.factories import Sections, check_tested, given, make_photo, make_style


def paint_small(
    photo: Image.Image | None = None,
    style: Image.Image | None = None,
    *,
    plugins: Sequence[object] = (),
    settings: Sections | None = None,
    **options: Any,
) -> Painting:
    """Paints a picture of 64 pixels with a tiny network, in less than a second.

    Args:
        photo, style: RGB pictures; by default those of `make_photo` and `make_style`.
        plugins: modules, objects with hooks or paths of one-file plugins, besides those installed.
        settings: sections that differ from those of `make_settings`.
        options: fields of `impasto.PaintOptions`, such as `optimizer="mine"`.

    Raises:
        PluginsFailed: a plugin cannot be loaded.
        PluginError: a plugin failed while painting.
    """
    request = PaintRequest(
        content=photo or make_photo(),
        styles=[(style or make_style(), 1.0)],
        options=PaintOptions(**options),
    )
    painting = list(paint(request, small_catalogue(plugins, settings)))[-1]
    if not isinstance(painting, Painting):
        raise AssertionError(f"painting ended with {painting!r}")
    return painting


def small_catalogue(plugins: Sequence[object] = (), settings: Sections | None = None) -> Catalogue:
    """The installed painting plugins and these, with the tiny network.

    Raises:
        PluginsFailed: a plugin cannot be loaded.
    """
    found = given(plugins)
    state_dir = Path(tempfile.gettempdir()) / "impasto-testing"  # nothing is fetched, none written
    host = PluginHost(
        PAINTING_GROUP,
        found.settings(settings or {}, state_dir),
        more=found.objects_with(PAINTING_HOOKS),
    ).load()
    catalogue = Catalogue(host)
    check_tested(host)
    return catalogue
