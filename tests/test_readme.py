"""What README.md promises is so: settings are explained, its plugin works, links lead somewhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
from PIL import Image
from pydantic import BaseModel

from impasto.contracts import PaintOptions
from impasto.painting.catalogue import load_catalogue
from impasto.settings import PluginsSettings, Settings

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def fields(model: type[BaseModel], prefix: str = "") -> dict[str, str]:
    """Names of all settings with their descriptions."""
    found: dict[str, str] = {}
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= fields(field.annotation, f"{prefix}{name}.")
        else:
            found[prefix + name] = field.description or ""
    return found


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("model", [Settings, PluginsSettings])
def test_every_setting_is_described(model: type[BaseModel]) -> None:
    assert all(fields(model).values())


def test_the_style_entry_is_one_that_the_gallery_takes(tmp_path: Path) -> None:
    from impasto_styles import read_presets

    (block,) = code_blocks("toml")
    ((name, entry),) = tomllib.loads(block)["styles"].items()
    (tmp_path / "styles.toml").write_text(block, encoding="utf-8")
    Image.effect_mandelbrot((800, 800), (-2, -1.5, 1, 1.5), 40).convert("RGB").save(
        tmp_path / entry["file"]
    )
    assert [preset.name for preset in read_presets(tmp_path)] == [name]


def test_the_plugin_of_ten_lines_works(tmp_path: Path) -> None:
    (plugin,) = (block for block in code_blocks("python") if "hookimpl" in block)
    folder = tmp_path / "my_plugins"
    folder.mkdir()
    (folder / "sepia.py").write_text(plugin)
    settings = Settings.model_validate({"plugins": {"folder": str(folder)}})
    catalogue = load_catalogue(settings, strict=True)
    assert "sepia" in [step.name for step in catalogue.steps.after]
    photo = Image.new("RGB", (64, 48), (10, 90, 200))
    red, green, blue = catalogue.steps.finish(photo, PaintOptions(), photo, []).getpixel((0, 0))
    assert red > green > blue


@pytest.mark.slow
def test_the_example_in_python_paints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = (block for block in code_blocks("python") if "PaintRequest" in block)
    for name in ("photo.jpg", "style.jpg"):
        Image.effect_mandelbrot((64, 48), (-2, -1.5, 1, 1.5), 40).convert("RGB").save(
            tmp_path / name
        )
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})
    assert (tmp_path / "painting.png").is_file()


def test_there_is_one_way_to_try_it() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    ways = [
        re.findall(r"^```sh\n.*?^```$", text[text.index("## Try it") :], re.MULTILINE | re.DOTALL)
        for text in (README, index)
    ]
    assert ways[0][:2] == ways[1][:2]


@pytest.mark.parametrize("target", ["play", "install"])
def test_make_says_what_it_installs(target: str) -> None:
    commands = subprocess.run(
        ["make", "--dry-run", "--what-if", "pyproject.toml", target],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    what, silence = [shlex.split(line)[1] for line in commands if line.startswith("echo")]
    assert what.startswith("Installing")
    assert "silent" in silence
    assert max(len(what), len(silence)) <= 80
    assert not any("pip install" in line and "--quiet" in line for line in commands)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(page: str) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", (ROOT / page).read_text(encoding="utf-8"))
    assert len(targets) > 3
    for target in targets:
        # Of a workflow GitHub shows the runs and a badge beside the page.
        file = re.sub(r"^\.\./\.\./actions/(workflows/[^/]+).*", r".github/\1", target)
        assert target.startswith("http") or (ROOT / file).exists(), target


def test_the_places_that_contributors_are_shown_are_there() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| .* \| (`.*`) \|$", page, re.MULTILINE)
    places = [place for cell in cells for place in re.findall(r"`([^`]+)`", cell)]
    assert len(places) > 10
    assert [place for place in places if not (ROOT / place).exists()] == []
