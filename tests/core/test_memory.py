"""Memory that the kernel tells of: limits of control groups, and what is left for painting. The
files of the kernel are written into a folder, in the form that each version has them in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from impasto import memory
from impasto.memory import (
    ENOUGH_FOR_PAINTING,
    LEAST_FOR_PAINTING,
    MemoryGroup,
    memory_for_painting,
    memory_groups,
    memory_limit,
    unreclaimable_bytes,
)

MB = 2**20
GB = 1024 * MB
OWN = 200
"""MB that the painting process of these machines holds."""
V1_NO_LIMIT = 9223372036854771712


class Machine:
    """A folder with what the kernel would tell; sizes in MB."""

    def __init__(self, folder: Path) -> None:
        self.proc, self.groups = folder / "proc", folder / "cgroup"
        self.write(
            "proc/self/status", f"Name:\tpython\nRssAnon:\t{OWN * 1024} kB\nRssFile:\t9 kB\n"
        )

    def write(self, name: str, text: str) -> None:
        path = self.proc.parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def has(self, *, total: int, available: int) -> None:
        lines = f"MemTotal:  {total * 1024} kB\nMemAvailable:  {available * 1024} kB\n"
        self.write("proc/meminfo", f"{lines}HugePages_Total:  0\n")

    def is_in(self, line: str) -> None:
        self.write("proc/self/cgroup", line + "\n")

    def group_2(self, path: str, *, limit: str, used: int, cached: int, high: str = "max") -> None:
        folder = f"cgroup/{path}"
        self.write(f"{folder}/memory.max", f"{limit}\n")
        self.write(f"{folder}/memory.high", f"{high}\n")
        self.write(f"{folder}/memory.current", f"{used * MB}\n")
        stat = {"inactive_file": 1, "active_file": cached - 2, "slab_reclaimable": 1}
        self.write(f"{folder}/memory.stat", _stat(stat))

    def group_1(self, path: str, *, limit: int, used: int, cached: int) -> None:
        folder = f"cgroup/memory/{path}"
        self.write(f"{folder}/memory.limit_in_bytes", f"{limit}\n")
        self.write(f"{folder}/memory.usage_in_bytes", f"{used * MB}\n")
        stat = {"active_file": 0, "total_inactive_file": 1, "total_active_file": cached - 1}
        self.write(f"{folder}/memory.stat", _stat(stat))

    @property
    def limits(self) -> list[int]:
        return sorted(group.limit for group in memory_groups(self.proc, self.groups))

    @property
    def megabytes(self) -> int:
        found = memory_for_painting(self.proc, self.groups)
        assert found is not None
        return found // MB


def _stat(megabytes: Mapping[str, int]) -> str:
    return "".join(f"{name} {size * MB}\n" for name, size in megabytes.items())


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


class TestGroups:
    def test_of_version_2_all_groups_around_count(self, machine: Machine) -> None:
        machine.is_in("0::/system.slice/bot.service")
        machine.write("cgroup/memory.max", "max\n")
        machine.group_2("system.slice", limit=str(512 * MB), used=300, cached=40)
        machine.group_2("system.slice/bot.service", limit=str(GB), used=250, cached=30)
        own, around = memory_groups(machine.proc, machine.groups)
        assert own == MemoryGroup(limit=GB, held=220 * MB)
        assert around == MemoryGroup(limit=512 * MB, held=260 * MB)

    def test_of_version_1_the_memory_controller_counts(self, machine: Machine) -> None:
        machine.is_in("5:cpu,cpuacct:/\n4:memory:/docker/abc\n0::/")
        machine.group_1("docker/abc", limit=256 * MB, used=250, cached=30)
        [group] = memory_groups(machine.proc, machine.groups)
        assert group == MemoryGroup(limit=256 * MB, held=220 * MB)

    def test_a_container_may_see_its_own_group_as_the_root(self, machine: Machine) -> None:
        machine.is_in("4:memory:/docker/abc")
        machine.group_1(".", limit=256 * MB, used=250, cached=30)
        assert machine.limits == [256 * MB]

    def test_beyond_high_processes_are_slowed_down(self, machine: Machine) -> None:
        machine.is_in("0::/bot")
        machine.group_2("bot", limit=str(512 * MB), high=str(400 * MB), used=250, cached=30)
        assert machine.limits == [400 * MB]

    def test_without_limits_there_are_none(self, machine: Machine) -> None:
        assert machine.limits == []
        machine.is_in("0::/gone\nnonsense:x:/")
        assert machine.limits == []

    def test_a_limit_alone_is_known_as_such(self, machine: Machine) -> None:
        machine.is_in("0::/")
        machine.write("cgroup/memory.max", f"{512 * MB}\n")
        assert list(memory_groups(machine.proc, machine.groups)) == [MemoryGroup(512 * MB, None)]


class TestForPainting:
    def test_beside_a_bot_within_512_mb(self, machine: Machine) -> None:
        """Of 512 MB the bot and the kernel hold 135, and an eighth stays free."""
        machine.is_in("0::/bot")
        machine.has(total=16_000, available=12_000)
        machine.group_2("bot", limit=str(512 * MB), used=135 + OWN + 80, cached=80)
        assert machine.megabytes == 512 - 135 - 64

    def test_it_is_the_same_however_much_the_process_holds_already(self, machine: Machine) -> None:
        machine.is_in("4:memory:/bot")
        machine.group_1("bot", limit=512 * MB, used=135 + OWN + 80, cached=80)
        before = machine.megabytes
        machine.write("proc/self/status", f"RssAnon: {300 * 1024} kB\nRssShmem: 0 kB\n")
        machine.group_1("bot", limit=512 * MB, used=135 + 300 + 20, cached=20)
        assert machine.megabytes == before == 512 - 135 - 64

    def test_the_tightest_of_all_limits_holds(self, machine: Machine) -> None:
        machine.is_in("0::/outer/inner")
        machine.has(total=8000, available=4000)
        machine.group_2("outer", limit=str(1000 * MB), used=500, cached=100)
        machine.group_2("outer/inner", limit=str(800 * MB), used=OWN + 50, cached=50)
        assert machine.megabytes == 1000 - 400 + OWN - 125  # siblings hold 200 of the outer one

    def test_a_machine_without_groups(self, machine: Machine) -> None:
        machine.has(total=480, available=150)
        assert machine.megabytes == 150 + OWN - 60

    def test_an_endless_group_leaves_it_to_the_machine(self, machine: Machine) -> None:
        machine.is_in("4:memory:/")
        machine.group_1(".", limit=V1_NO_LIMIT, used=5000, cached=100)
        machine.has(total=480, available=150)
        assert machine.megabytes == 150 + OWN - 60

    def test_the_reserve_of_a_tiny_limit_does_not_shrink_with_it(self, machine: Machine) -> None:
        machine.is_in("0::/bot")
        machine.group_2("bot", limit=str(360 * MB), used=OWN + 40, cached=10)
        assert machine.megabytes == 360 - 30 - 48

    def test_a_small_picture_is_tried_also_where_nothing_is_left(self, machine: Machine) -> None:
        machine.has(total=480, available=10)
        assert machine.megabytes == LEAST_FOR_PAINTING // MB

    def test_a_large_machine_keeps_half_of_what_it_has_left(self, machine: Machine) -> None:
        machine.has(total=24_000, available=20_000 - OWN)
        assert machine.megabytes == 10_000
        machine.has(total=4000, available=3000 - OWN)
        assert machine.megabytes == ENOUGH_FOR_PAINTING // MB

    @pytest.mark.parametrize("meminfo", [None, "MemTotal: 999 kB\n"])
    def test_where_it_is_not_known_what_others_hold_it_is_half(
        self, meminfo: str | None, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        physical = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 2 * GB // 4096}
        monkeypatch.setattr(memory.os, "sysconf", physical.__getitem__)
        if meminfo is not None:
            machine.write("proc/meminfo", meminfo)
        assert machine.megabytes == 1024
        machine.is_in("0::/")
        machine.write("cgroup/memory.max", f"{1000 * MB}\n")
        assert machine.megabytes == 500

    def test_where_nothing_is_known_there_is_no_limit(
        self, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delattr(memory.os, "sysconf")  # as on Windows
        assert memory_for_painting(machine.proc, machine.groups) is None


def test_this_machine_has_some() -> None:
    limit, now, share = memory_limit(), unreclaimable_bytes(), memory_for_painting()
    assert limit is not None
    assert now is not None
    assert share is not None
    assert 2**20 < now < limit
    assert LEAST_FOR_PAINTING <= share < limit


def test_a_name_cut_within_a_letter_does_not_hide_the_memory(machine: Machine) -> None:
    status = machine.proc / "self" / "status"
    status.write_bytes(b"Name:\t\xd0\xbc\xd0\n" + status.read_bytes())
    assert unreclaimable_bytes(proc=machine.proc) == OWN * MB
