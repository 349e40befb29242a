"""What the doctor knows about the machine: file systems, the disk, the settings."""

from __future__ import annotations

from pathlib import Path

import pytest

import impasto_doctor as doctor
from impasto.settings import Settings, load_settings
from impasto_doctor import check_disk, check_settings, file_system_of, why_forgotten

MOUNTS = """\
22 1 254:0 / / rw,relatime - overlay overlay rw,lowerdir=/a
23 22 0:21 / /proc rw - proc proc rw
24 22 254:1 / /data rw,relatime shared:1 - ext4 /dev/vdb rw
25 24 0:30 / /data/fast\\040disk rw - tmpfs tmpfs rw
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    path = tmp_path / "mountinfo"
    path.write_text(MOUNTS)
    return path


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/home/bot", "overlay"),
        ("/data/state", "ext4"),
        ("/database", "overlay"),
        ("/data/fast disk/x", "tmpfs"),
    ],
)
def test_the_file_system_of_a_folder_is_that_of_the_nearest_mount(
    mounts: Path, folder: str, kind: str
) -> None:
    assert file_system_of(Path(folder), mounts) == kind


def test_where_there_is_no_such_file_nothing_is_known(tmp_path: Path) -> None:
    assert file_system_of(Path("/data"), tmp_path / "nothing") == ""


@pytest.mark.parametrize(
    ("kind", "told"), [("tmpfs", "memory"), ("overlay", "container's own layer"), ("ext4", "")]
)
def test_what_does_not_outlive_a_restart_is_told(
    kind: str, told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DYNO", raising=False)
    monkeypatch.setattr(doctor, "file_system_of", lambda folder: kind)
    assert told in why_forgotten(tmp_path)
    assert bool(why_forgotten(tmp_path)) == bool(told)
    finding = check_disk(tmp_path / "state")
    assert finding.verdict == ("warning" if told else "ok")
    assert not (tmp_path / "state").exists(), "looking leaves no trace"


def test_a_host_that_forgets_its_disk_is_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DYNO", "web.1")
    assert "every restart" in check_disk(tmp_path).says


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Usage:
        free = 1000

    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: Usage)
    assert check_disk(tmp_path).verdict == "problem"


def test_a_folder_that_cannot_be_written_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refused(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refused)
    finding = check_disk(tmp_path)
    assert (finding.verdict, finding.advice != "") == ("problem", True)
    assert "Permission denied" in finding.says


def test_settings_are_told_with_their_sources_and_without_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IMPASTO_TELEGRAM__TOKEN", "123456:EXAMPLE-TOKEN")
    monkeypatch.setenv("IMPASTO_PAINTING__STEPS", "7")
    says = check_settings(load_settings()).says
    assert says == "telegram.token, painting.steps = 7 from variable"
    assert check_settings(Settings()).says == "all at their defaults"
