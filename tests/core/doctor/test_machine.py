"""What the doctor knows about the machine: file systems, memory limits, the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from impasto.cli import doctor
from impasto.cli.doctor import check_disk, check_settings, file_system_of, why_forgotten
from impasto.memory import group_limits, memory_limit, unreclaimable_bytes
from impasto.settings import Settings, load_settings

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


class TestMemory:
    def limits(self, tmp_path: Path, groups: str, files: dict[str, str]) -> list[int]:
        (tmp_path / "cgroup").write_text(groups)
        for name, text in files.items():
            path = tmp_path / "fs" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return sorted(group_limits(tmp_path / "cgroup", tmp_path / "fs"))

    def test_of_version_2_the_limits_of_all_groups_around_count(self, tmp_path: Path) -> None:
        files = {
            "memory.max": "max\n",
            "system.slice/memory.max": "536870912\n",
            "system.slice/bot.service/memory.max": "1073741824\n",
        }
        found = self.limits(tmp_path, "0::/system.slice/bot.service\n", files)
        assert found == [536870912, 1073741824]

    def test_of_version_1_the_memory_controller_counts(self, tmp_path: Path) -> None:
        groups = "5:cpu,cpuacct:/\n4:memory:/docker/abc\n0::/\n"
        files = {"memory/docker/abc/memory.limit_in_bytes": "268435456\n", "memory.max": "7\n"}
        assert self.limits(tmp_path, groups, files) == [7, 268435456]

    def test_without_limits_there_are_none(self, tmp_path: Path) -> None:
        assert self.limits(tmp_path, "0::/gone\nnonsense:x:/\n", {}) == []

    def test_this_machine_has_some(self) -> None:
        limit, now = memory_limit(), unreclaimable_bytes()
        assert limit is not None
        assert now is not None
        assert 2**20 < now < limit


def test_settings_are_told_with_their_sources_and_without_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IMPASTO_TELEGRAM__TOKEN", "123456:EXAMPLE-TOKEN")
    monkeypatch.setenv("IMPASTO_PAINTING__STEPS", "7")
    says = check_settings(load_settings()).says
    assert says == "telegram.token, painting.steps = 7 from variable"
    assert check_settings(Settings()).says == "all at their defaults"
