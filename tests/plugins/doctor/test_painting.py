"""What the doctor makes of the probe's answer, and that the probe answers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from impasto.contracts import Finding
from impasto.messages import Entered, Probed
from impasto.settings import PaintingSettings, Settings, load_settings
from impasto_doctor import painting
from impasto_doctor.painting import (
    MEGABYTE,
    check,
    check_fine,
    check_memory,
    check_packages,
)

BOT = 130 * MEGABYTE
ROOM = 342  # beside the bot within 512 MB


def make_probed(**fields: Any) -> Probed:
    values: dict[str, Any] = {
        "torch": "2.13.0+cpu",
        "device": "cpu",
        "precision": "float32",
        "threads": 2,
        "network": "embedded",
        "optimizer": "lbfgs",
        "fitting_pixels": {300: 300_000, ROOM: 490_000},
    }
    return Probed(**{**values, **fields})


def told(limit_mb: int | None, probed: Probed | None = None, **fields: Any) -> Finding:
    limit = limit_mb * MEGABYTE if limit_mb is not None else None
    painting = PaintingSettings(**{"memory_mb": 300, "max_pixels_cpu": 230_400, **fields})
    return check_memory(painting, probed or make_probed(), limit, BOT)


class TestMemory:
    def test_what_fits_is_fine_and_the_largest_cap_is_named(self) -> None:
        finding = told(512)
        assert finding.verdict == "ok"
        assert "the largest safe painting.max_pixels_cpu is 490,000 (700 x 700)" in finding.says

    def test_more_than_there_is_may_be_ended_by_the_system(self) -> None:
        finding = told(512, memory_mb=900)
        assert finding.verdict == "warning"
        assert f"set painting.memory_mb to {ROOM} or less" in finding.advice
        assert told(512, memory_mb=0).verdict == "warning"

    def test_a_cap_that_does_not_fit_is_told(self) -> None:
        finding = told(512, max_pixels_cpu=1_000_000)
        assert finding.verdict == "warning"
        assert "300,000" in finding.says

    def test_too_small_a_host_is_a_problem(self) -> None:
        assert told(300).verdict == "problem"
        assert told(300, memory_mb="auto").verdict == "problem"

    def test_what_auto_comes_to_is_told_with_the_largest_picture(self) -> None:
        auto = make_probed(auto_mb=310, fitting_pixels={310: 360_000, ROOM: 490_000})
        finding = told(512, auto, memory_mb="auto", max_pixels_cpu=1_000_000)
        assert finding.verdict == "ok"
        assert "painting now up to 310 (auto)" in finding.says
        assert "the largest picture is 360,000 (600 x 600)" in finding.says

    def test_memory_that_other_programs_hold_is_told(self) -> None:
        auto = make_probed(auto_mb=260, fitting_pixels={260: 90_000, ROOM: 490_000})
        finding = told(512, auto, memory_mb="auto")
        assert finding.verdict == "warning"
        assert "90,000 (300 x 300), as no more memory is free" in finding.says
        assert "end other programs" in finding.advice

    def test_a_host_that_tells_nothing_is_taken_as_it_is(self) -> None:
        assert told(None).verdict == "ok"
        assert told(None, memory_mb="auto").verdict == "ok"


class TestFine:
    def test_whether_they_can_be_had(self) -> None:
        finding = check_fine(PaintingSettings(), make_probed())
        assert (finding.verdict, finding.says) == ("ok", "finished on vgg19: on request")
        everybody = check_fine(PaintingSettings(fine=True), make_probed())
        assert (everybody.verdict, everybody.says) == ("ok", "finished on vgg19: all of them")

    def test_that_there_are_none_matters_where_they_are_wanted(self) -> None:
        why = "fetch it with `impasto weights fetch vgg19`"
        finding = check_fine(PaintingSettings(), make_probed(why_not_fine=why))
        assert (finding.verdict, finding.says) == ("ok", f"none: {why}")
        wanted = check_fine(PaintingSettings(fine=True), make_probed(why_not_fine=why))
        assert (wanted.verdict, wanted.says) == ("warning", f"none: {why}")


class TestPackages:
    @pytest.fixture
    def wants(self, monkeypatch: pytest.MonkeyPatch) -> None:
        metadata = painting.importlib.metadata
        monkeypatch.setattr(metadata, "version", lambda name: "1.0")
        monkeypatch.setattr(metadata, "requires", lambda name: ["numpy", "torch==2.13.0"])

    @pytest.mark.usefixtures("wants")
    def test_torchvision_goes_with_one_torch(self) -> None:
        assert check_packages("2.13.0+cpu").verdict == "ok"
        other = check_packages("2.12.1")
        assert other.verdict == "warning"
        assert "goes with torch 2.13.0" in other.says

    def test_without_torchvision_only_fetching_fails(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def absent(name: str) -> list[str]:
            raise painting.importlib.metadata.PackageNotFoundError(name)

        monkeypatch.setattr(painting.importlib.metadata, "requires", absent)
        assert check_packages("2.13.0").verdict == "warning"


class TestProbe:
    def test_finds_what_painting_needs(self) -> None:
        findings = {finding.name: finding for finding in check(Settings())}
        assert {"packages", "device", "painting", "fine pictures", "memory"} <= set(findings)
        assert {f.verdict for f in findings.values()} <= {"ok", "warning"}
        assert "(auto); the largest picture is" in findings["memory"].says
        assert "network embedded" in findings["painting"].says

    @pytest.mark.slow
    def test_what_is_not_there_is_a_problem(self) -> None:
        settings = Settings(painting=PaintingSettings(optimizer="magic"))
        [*_, last] = check(settings)
        assert (last.name, last.verdict) == ("painting", "problem")
        assert "'magic' is not available" in last.says

    @pytest.mark.parametrize("program", ["import nothing_of_that_name", "print('hello')"])
    def test_a_probe_that_fails_is_told_by_its_last_line(
        self, program: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(painting, "PROBE", (sys.executable, "-c", program))
        [finding] = check(Settings())
        assert (finding.name, finding.verdict) == ("torch", "problem")

    def test_a_plugin_that_brings_it_down_is_named_and_the_rest_is_told_without_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        entered = Entered(thread=1, plugin="smudge", what="import").model_dump_json()
        answer = make_probed(failed_plugins={"crisp": "of its own"}).model_dump_json()
        program = (
            "import json, os, sys\n"
            "denied = json.load(sys.stdin)['settings']['plugins']['deny']\n"
            f"print('{answer}' if 'smudge' in denied else '{entered}', flush=True)\n"
            "'smudge' in denied or os.abort()\n"
        )
        monkeypatch.setattr(painting, "PROBE", (sys.executable, "-c", program))
        found = {finding.name: finding for finding in check(Settings())}
        assert found["plugin smudge"].says == "the process was ended by SIGABRT, in 'import'"
        assert found["plugin crisp"].says == "of its own"
        assert found["device"].verdict == "ok"

    @pytest.mark.parametrize(
        ("problem", "says", "advice"),
        [
            (
                "plugins.crisp.percent = 999: too large; plugins.crisp.hue = 1: too small",
                "plugins.crisp.percent ({file}, line 2) = 999: too large; "
                "plugins.crisp.hue ({file}, line 3) = 1: too small",
                "correct the setting",
            ),
            (
                "ValueError: of its own",
                "ValueError: of its own",
                "update it, report it to its author, or name it in plugins.deny",
            ),
        ],
    )
    def test_a_wrong_setting_is_told_with_its_line_and_advice_is_for_the_owner(
        self,
        problem: str,
        says: str,
        advice: str,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        file = tmp_path / "impasto.toml"
        file.write_text("[plugins.crisp]\npercent = 999\nhue = 1\n")
        answer = make_probed(failed_plugins={"crisp": problem}).model_dump_json()
        program = f"import sys; sys.stdin.read(); print({answer!r})"
        monkeypatch.setattr(painting, "PROBE", (sys.executable, "-c", program))
        found = {finding.name: finding for finding in check(load_settings(file))}
        assert found["plugin crisp"].says == says.format(file=file)
        assert found["plugin crisp"].advice == advice

    def test_one_that_hangs_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        program = "import sys; sys.stdin.read(); sys.stdout.close(); import time; time.sleep(600)"
        monkeypatch.setattr(painting, "PROBE", (sys.executable, "-c", program))
        monkeypatch.setattr(painting, "PROBE_SECONDS", 0.5)
        [finding] = check(Settings())
        assert "took longer" in finding.says
