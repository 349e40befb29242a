"""How many CPUs there are to paint on, and that strips shared out between threads give the same."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future, wait
from pathlib import Path

import pytest
import torch

from impasto.painting import threads as painting_threads
from impasto.painting.threads import (
    at_once,
    end_threads,
    share_out,
    side_by_side,
    thread_count,
    usable_cpus,
    use_threads,
)

CPU = torch.device("cpu")


pytestmark = pytest.mark.usefixtures("threads_as_before")


class TestUsableCpus:
    @pytest.fixture(autouse=True)
    def six_cpus(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)), raising=False)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("max 100000", 6),
            ("nonsense", 6),
            ("100000 0", 6),
            ("150000 100000", 1),
            ("250000 100000", 2),
            ("30000 100000", 1),
            ("100000000 100000", 6),
        ],
    )
    def test_the_quota_counts_but_never_more_than_allowed_and_never_none(
        self, tmp_path: Path, text: str, expected: int
    ) -> None:
        write(tmp_path / "proc/self/cgroup", "0::/")
        write(tmp_path / "cgroup/cpu.max", text)
        assert usable_cpus(tmp_path / "proc", tmp_path / "cgroup") == expected

    @pytest.mark.parametrize("limited", ["system.slice", "system.slice/bot.service"])
    def test_that_of_a_nested_group_counts_and_that_of_the_groups_around_it(
        self, tmp_path: Path, limited: str
    ) -> None:
        write(tmp_path / "proc/self/cgroup", "0::/system.slice/bot.service")
        for group in ("system.slice", "system.slice/bot.service"):
            quota = "200000" if group == limited else "max"
            write(tmp_path / "cgroup" / group / "cpu.max", f"{quota} 100000\n")
        assert usable_cpus(tmp_path / "proc", tmp_path / "cgroup") == 2

    def test_that_of_a_version_1_group_counts(self, tmp_path: Path) -> None:
        write(tmp_path / "proc/self/cgroup", "5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n")
        group = tmp_path / "cgroup/cpu/docker/abc"
        write(group / "cpu.cfs_quota_us", "300000\n")
        write(group / "cpu.cfs_period_us", "100000\n")
        write(group.parent / "cpu.cfs_quota_us", "-1\n")
        write(group.parent / "cpu.cfs_period_us", "100000\n")
        assert usable_cpus(tmp_path / "proc", tmp_path / "cgroup") == 3

    def test_without_control_groups_all_cpus_count(self, tmp_path: Path) -> None:
        assert usable_cpus(tmp_path / "proc", tmp_path / "cgroup") == 6


class TestShareOut:
    def test_two_items_are_worked_on_at_the_same_time(self) -> None:
        use_threads(2)
        both = threading.Barrier(2, timeout=60)
        share_out(range(2), lambda _: both.wait() and None, CPU)

    def test_all_is_done_in_the_end(self) -> None:
        use_threads(3)
        done: set[int] = set()
        share_out(range(100), done.add, CPU)
        assert done == set(range(100))

    def test_what_fails_is_raised_once_the_others_are_done(self) -> None:
        use_threads(2)
        done: set[int] = set()

        def work(item: int) -> None:
            if item == 3:
                raise MemoryError("item 3")
            done.add(item)

        with pytest.raises(MemoryError, match="item 3"):
            share_out(range(20), work, CPU)
        assert done == set(range(20)) - {3}

    def test_gradients_are_kept_where_the_caller_keeps_them(self) -> None:
        use_threads(2)
        kept: list[bool] = []
        share_out([1], lambda _: kept.append(torch.is_grad_enabled()), CPU)
        with torch.no_grad():
            share_out([1], lambda _: kept.append(torch.is_grad_enabled()), CPU)
        assert kept == [True, False]

    @pytest.mark.parametrize(("count", "strips", "for_each"), [(1, 1, 1), (3, 3, 1), (9, 4, 2)])
    def test_with_many_cpus_torch_shares_out_each_item(
        self, count: int, strips: int, for_each: int
    ) -> None:
        use_threads(count)
        used: set[int] = set()
        share_out(range(8), lambda _: used.add(torch.get_num_threads()), CPU)
        assert (thread_count(), at_once(CPU)) == (count, strips)
        assert used == {for_each} == {torch.get_num_threads()}

    def test_a_gpu_has_one_item_after_the_other(self) -> None:
        use_threads(2)
        assert at_once(torch.device("cuda")) == 1


class TestSideBySide:
    def test_results_come_as_they_are_ready(self) -> None:
        use_threads(2)
        is_second_here = threading.Event()

        def work(item: int) -> int:
            if item == 1:
                assert is_second_here.wait(60)
            return item

        found = side_by_side([1, 2], work, CPU)
        assert next(found) == 2
        is_second_here.set()
        assert list(found) == [1]

    def test_nothing_is_shared_out_within_an_item(self) -> None:
        """Its thread would wait for others that wait as well."""
        use_threads(2)

        def work(_: int) -> set[int]:
            used: set[int] = set()
            share_out(range(4), lambda _: used.add(threading.get_ident()), CPU)
            return used if at_once(CPU) == 1 else set()

        found = list(side_by_side(range(6), work, CPU))
        assert [len(used) for used in found] == [1] * 6
        assert at_once(CPU) == 2

    @pytest.mark.parametrize("threads", [1, 2])
    def test_what_fails_is_raised(self, threads: int) -> None:
        use_threads(threads)

        def work(item: int) -> int:
            raise MemoryError(f"item {item}")

        with pytest.raises(MemoryError, match="item 3"):
            next(side_by_side([3], work, CPU))

    @pytest.mark.parametrize("threads", [1, 2])
    def test_closed_early_it_begins_no_more(
        self, threads: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        use_threads(threads)
        may_go_on = threading.Event()
        begun: list[int] = []

        def work(item: int) -> int:
            begun.append(item)
            if item:
                assert may_go_on.wait(60)
            return item

        def closing(results: list[Future[int]]) -> None:
            may_go_on.set()
            wait(results)

        monkeypatch.setattr(painting_threads, "wait", closing)
        found = side_by_side(range(9), work, CPU)
        next(found)
        found.close()
        assert len(begun) <= 1 + threads


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_threads_that_were_ended_are_gone_and_the_next_picture_has_new_ones() -> None:
    use_threads(2)
    ran: list[threading.Thread] = []
    note = lambda _: ran.append(threading.current_thread())  # noqa: E731
    share_out([1], note, CPU)
    end_threads()
    assert not ran[0].is_alive()
    share_out([1], note, CPU)
    assert ran[1].is_alive()
    assert ran[1] is not threading.main_thread()
