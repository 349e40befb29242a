"""What tests are made of: small pictures, settings, and plugins as a test names them."""

from __future__ import annotations

import io
import tomllib
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from impasto import hookspecs
from impasto.errors import PluginsFailed
from impasto.jobs.job import ChosenStyle, Job, JobState, TelegramPicture
from impasto.messages import Failure
from impasto.plugins import PluginHost
from impasto.plugins.finding import BUILT_IN, GIVEN, installed_plugins
from impasto.settings import Settings
from impasto.testing import tiny_network

Sections = Mapping[str, Mapping[str, Any]]
"""Settings by section."""
SIDE = 64
"""Pixels of the longer side of the pictures; painted with the tiny network within a second."""


def make_photo(width: int = SIDE, height: int = 48, seed: int = 0) -> Image.Image:
    """A small RGB picture with what photos have: a smooth background, and things with edges."""
    random = np.random.default_rng(seed)
    coarse = random.integers(60, 200, (3, 4, 3)).astype(np.uint8)
    picture = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    for _ in range(4):
        x, y = random.uniform(0, width), random.uniform(0, height)
        radius = random.uniform(0.1, 0.25) * min(width, height)
        color = tuple(int(value) for value in random.integers(0, 256, 3))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=color)
    return picture


def make_style(side: int = SIDE, seed: int = 1) -> Image.Image:
    """A square RGB picture with a style that is easily seen: colored strokes in one direction."""
    random = np.random.default_rng(seed)
    picture = Image.new("RGB", (side, side), (240, 220, 170))
    draw = ImageDraw.Draw(picture)
    for _ in range(side * 2):
        x, y = random.uniform(-side / 8, side, 2)
        color = tuple(int(value) for value in random.choice([[20, 40, 120], [200, 60, 30]]))
        draw.line((x, y, x + side / 8, y + side / 8), fill=color, width=max(1, side // 32))
    return picture


def jpeg(picture: Image.Image, quality: int = 90) -> bytes:
    """A picture as the bytes of a JPEG file."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def make_settings(
    network: Path | str = "embedded", state_dir: Path | None = None, **sections: Mapping[str, Any]
) -> Settings:
    """Settings for tests: few steps, few pixels, the CPU, no waiting; `sections` win over these.

    Environment variables, `.env` and settings files are not read.

    Raises:
        pydantic.ValidationError: a section is wrong.
    """
    values: dict[str, Any] = {
        "telegram": {
            "edit_seconds": 0,
            "messages_per_second": 0,
            "chat_messages_per_second": 0,
        },
        "painting": {
            "network": str(network),
            "device": "cpu",
            "steps": 8,
            "max_pixels_cpu": SIDE * SIDE,
            "preview_seconds": 0.1,
            "threads": 1,
            "enlarge": 1,
            "memory_mb": 0,  # the memory of the test's process says nothing about painting
        },
    }
    if state_dir is not None:
        values["state_dir"] = state_dir
    for name, section in sections.items():
        values[name] = {**values.get(name, {}), **section}
    return Settings.model_validate(values)


def make_job(state: JobState = JobState.ACCEPTED, **fields: Any) -> Job:
    """A job in a state, with what jobs in that state have."""
    if state in (JobState.FAILED, JobState.EXPLAINED):
        fields.setdefault("failure", Failure(code="painting_failed", sentence="It failed."))
    if state in (JobState.PAINTED, JobState.DELIVERED):
        fields.setdefault("seconds", 12.5)
    values: dict[str, Any] = {
        "person": 1,
        "chat": 1,
        "content": TelegramPicture(file_id="photo"),
        "styles": (ChosenStyle(preset="night"),),
        "state": state,
    }
    return Job(**{**values, **fields})


@dataclass
class Given:
    """Plugins of a test: files can be loaded in any process, objects in the test's own only."""

    files: list[Path] = field(default_factory=list)
    objects: dict[str, object] = field(default_factory=dict)

    def settings(self, sections: Sections, state_dir: Path) -> Settings:
        """Settings of the test kit with these sections, files and the tiny network."""
        plugins = {**sections.get("plugins", {})}
        plugins["files"] = [Path(tiny_network.__file__), *self.files, *plugins.get("files", [])]
        return make_settings(
            network=tiny_network.NAME, state_dir=state_dir, **{**sections, "plugins": plugins}
        )

    def objects_with(self, hooks: Iterable[str]) -> dict[str, object]:
        """The objects that have any of these hooks."""
        wanted = set(hooks)
        return {name: plugin for name, plugin in self.objects.items() if wanted & set(dir(plugin))}


def given(plugins: Iterable[object]) -> Given:
    """Sorts plugins by how they can be loaded. Modules of installed plugins are left out: they are
    loaded anyway.

    Raises:
        TypeError: something has no hook at all.
    """
    found = Given()
    installed = {point.value for point in installed_plugins()}
    for plugin in plugins:
        if isinstance(plugin, str | Path):
            found.files.append(Path(plugin).resolve())
        elif not set(dir(plugin)) & set(hookspecs.HOOKS):
            raise TypeError(f"{plugin!r} is no plugin: it has no hook, and is no path of a file")
        elif not isinstance(plugin, ModuleType):
            name = getattr(plugin, "__name__", type(plugin).__name__).lower()
            found.objects[name] = plugin
        elif plugin.__name__ not in installed and plugin.__file__ is not None:
            found.files.append(Path(plugin.__file__).resolve())
    return found


def check_tested(host: PluginHost) -> None:
    """Looks at what became of the plugins that a test is about: those that it gives, that of the
    project in the current folder, and the built-in ones. Others that are installed and do not work
    are warned of, as they are not this test's concern.

    Raises:
        PluginsFailed: one of them has failed.
    """
    tested = (BUILT_IN, GIVEN, project_here())
    concern: list[str] = []
    others: list[str] = []
    for record in host.records:
        is_ours = record.origin in tested or Path(record.origin).is_absolute()
        if record.error:
            told = f"{record.name} ({record.origin}): {record.error}"
            (concern if is_ours else others).append(told)
    for told in others:
        warnings.warn(f"an installed plugin does not work: {told}", stacklevel=2)
    if concern:
        raise PluginsFailed("plugins failed:\n" + "\n".join(concern))


def project_here() -> str:
    """Name of the distribution whose project the current folder is in; empty if it is in none."""
    for folder in (Path.cwd(), *Path.cwd().parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            project = tomllib.loads(file.read_text(encoding="utf-8")).get("project", {})
            return str(project.get("name", ""))
    return ""
