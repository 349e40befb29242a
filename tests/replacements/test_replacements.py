"""A built-in is only a plugin: without one it is said what is missing, others take its place."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

import pytest

from impasto.cli import main
from impasto.errors import NotAvailable, OwnerError
from impasto.hookspecs import BOT_GROUP, PAINTING_GROUP
from impasto.testing import App, make_photo, make_style

from ..environments import checked, environment, install_projects

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
PROJECTS = ("dialog", "network", "optimizer", "queue")

NO_BOT_WITHOUT = {
    "dialog": "no plugin has words for the messages about a job (hook impasto_presenters)",
    "local_queue": "queue 'local' is not available: no plugin offers it; there is saq",
    "sqlite": "storage 'sqlite' is not available: no plugin offers it; there is redis",
}
NO_PAINTING_WITHOUT = {
    "cpu": "device 'auto' is not available: no device works here",
    "lbfgs": "optimizer 'lbfgs' is not available: no plugin offers it; there is adam",
    "networks": "no plugin offers impasto_networks; see `impasto plugins`",
}
A_BOT_DOES_WITHOUT = (
    *("authors", "doctor", "log_jobs", "metrics", "networks", "paint", "playground"),
    *("saq", "sentry", "styles"),
)
PAINTING_DOES_WITHOUT = ("adam", "cuda", "preprocess", "simplify")


def test_all_built_in_plugins_are_tried() -> None:
    def built_in(group: str) -> set[str]:
        points = importlib.metadata.entry_points(group=group)
        return {p.name for p in points if p.dist is not None and p.dist.name == "impasto"}

    assert {*NO_BOT_WITHOUT, *A_BOT_DOES_WITHOUT} == built_in(BOT_GROUP)
    assert {*NO_PAINTING_WITHOUT, *PAINTING_DOES_WITHOUT} == built_in(PAINTING_GROUP)


@pytest.mark.parametrize("name", NO_BOT_WITHOUT)
def test_without_it_a_bot_says_what_is_missing(name: str, tmp_path: Path) -> None:
    with (
        pytest.raises((OwnerError, NotAvailable)) as caught,
        App([], {"plugins": {"deny": [name]}}, tmp_path),
    ):
        pass
    assert str(caught.value) == f"{NO_BOT_WITHOUT[name]}; not loaded: {name}: denied"


@pytest.mark.parametrize("name", A_BOT_DOES_WITHOUT)
async def test_a_bot_does_without_it(name: str, tmp_path: Path) -> None:
    with App([], {"plugins": {"deny": [name]}}, tmp_path) as app:
        chat = app.chat()
        await chat.send_text("/start")
        assert (await chat.reply()).text


def painted(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit code of `impasto paint` without a plugin."""
    make_photo().save(folder / "photo.png")
    make_style().save(folder / "style.png")
    monkeypatch.setenv("IMPASTO_PLUGINS__DENY", json.dumps([name]))
    monkeypatch.setenv("IMPASTO_PAINTING__MEMORY_MB", "0")
    monkeypatch.chdir(folder)
    options = ["--style", "style.png", "-o", "out.png", "--steps", "1", "--device", "auto"]
    with pytest.raises(SystemExit) as ended:
        main(["paint", "photo.png", *options])
    return int(ended.value.code or 0)


@pytest.mark.parametrize("name", NO_PAINTING_WITHOUT)
def test_without_it_painting_says_what_is_missing(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert painted(name, tmp_path, monkeypatch) == 1
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last == f"impasto: {NO_PAINTING_WITHOUT[name]}; not loaded: {name}: denied"


@pytest.mark.parametrize("name", PAINTING_DOES_WITHOUT)
def test_painting_does_without_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert painted(name, tmp_path, monkeypatch) == 0
    assert (tmp_path / "out.png").is_file()


async def test_a_bot_whose_painter_lacks_something_ends_and_says_so(tmp_path: Path) -> None:
    with (
        pytest.raises(OwnerError, match="painting process cannot start"),
        App([], {"plugins": {"deny": ["lbfgs"]}}, tmp_path) as app,
    ):
        app.ended.result(120)


def test_replacements_by_others_work(tmp_path: Path) -> None:
    python = environment(tmp_path / "venv", with_impasto=True)
    install_projects(python, [HERE / name for name in PROJECTS])
    options = ("-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, "-o", "asyncio_mode=auto")
    scene = tmp_path / "test_scene.py"
    scene.write_text((HERE / "scene.py").read_text())
    assert " passed" in checked(python, "-m", "pytest", *options, scene, cwd=tmp_path)
