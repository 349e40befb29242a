"""The training run: features first, then picture gradients; logged, checkpointed, resumable."""

from __future__ import annotations

import copy
import dataclasses
import math
import time
from pathlib import Path

import torch
from torch import Tensor

from .data import Pictures
from .evaluate import Case, evaluate
from .losses import (
    calmness,
    feature_errors,
    gradient_errors,
    gram_errors,
    student_targets,
    student_view,
    teacher_view,
)
from .muon import Muon
from .network import Convolutions, Student, forward, load_student, save_student, trained
from .records import Log
from .settings import Settings
from .triples import Pool, drawn_styles, started


class RunningReadout:
    """The best linear readout of a layer in closed form, from decaying moments of features."""

    def __init__(self, decay: float = 0.9, ridge: float = 1e-4) -> None:
        self.decay, self.ridge = decay, ridge
        self.own = self.cross = torch.zeros(())

    @torch.no_grad()
    def update(self, thin: Tensor, wanted: Tensor) -> Tensor:
        """Take in a batch and return the readout [A b], teacher channels x (width + 1)."""
        weight = calmness(wanted).sqrt().view(-1, 1, 1, 1)
        ones = torch.ones_like(thin[:, :1])
        flat = (torch.cat((thin, ones), 1) * weight).transpose(0, 1).flatten(1)
        target = (wanted * weight).transpose(0, 1).flatten(1)
        pixels = flat.shape[1]
        self.own = self.decay * self.own + (1 - self.decay) * (flat @ flat.t()) / pixels
        self.cross = self.decay * self.cross + (1 - self.decay) * (target @ flat.t()) / pixels
        size = self.own.diagonal().mean()
        damped = self.own + self.ridge * size * torch.eye(len(self.own), device=flat.device)
        return torch.linalg.solve(damped, self.cross.t()).t()


class Training:
    """One run; `run` goes on from the checkpoint if there is one."""

    def __init__(
        self,
        settings: Settings,
        pictures: Pictures,
        validation: list[Case],
        teacher: Convolutions,
        folder: Path,
        export: Path,
        source: str,
        begin: Path | None = None,
    ) -> None:
        self.settings, self.pictures, self.validation = settings, pictures, validation
        self.teacher, self.export, self.source = teacher, export, source
        self.checkpoint, self.log = folder / "checkpoint.pt", Log(folder / "log.jsonl")
        self.device = teacher[0][0].device
        self.random = torch.Generator().manual_seed(settings.seed)
        self.layer_weights = torch.tensor(settings.layer_weights, device=self.device)
        self.origin: object = "seeded random orthogonal initial values"
        self.student = self._initial().to(self.device)
        if begin is not None:
            self.origin, self.student = trained(begin), load_student(begin, self.device)
        self.averaged = copy.deepcopy(self.student)
        self.averaged.requires_grad_(False)
        self.muon = Muon(self.student.weights, settings.matching_rate)
        others = [*self.student.weights, *self.student.readouts]
        groups = [{"params": list(p)} for p in (self.student.biases, others)]
        self.adam = torch.optim.Adam(groups, lr=0.0, betas=(0.9, 0.99))
        self.running = [RunningReadout() for _ in settings.widths]
        self.pool: Pool | None = None
        self.switched: int | None = None
        """The step at which matching ended."""
        self.step, self.seconds, self.started = 0, 0.0, time.monotonic()

    def _initial(self) -> Student:
        channels = [len(bias) for _, bias in self.teacher]
        random = torch.Generator().manual_seed(self.settings.seed)
        return Student(self.settings.widths, channels, random)

    # Schedule

    @property
    def elapsed(self) -> float:
        return self.seconds + time.monotonic() - self.started

    @property
    def progress(self) -> float:
        """Share of the schedule behind us, by steps or by time, whichever is further on."""
        by_time = self.elapsed / self.settings.time_limit
        return min(1.0, max(self.step / self.settings.steps, by_time))

    def set_rates(self, progress: float, matching: bool) -> None:
        """Two falling cosines: Muon's while matching, Adam's for all parameters afterwards."""
        share = self.settings.matching_share
        done = progress / share if matching else (progress - share) / (1 - share)
        begun = 0 if self.switched is None else self.switched
        warm = min(1.0, (self.step - begun + 1) / self.settings.warm_up_steps)
        rate = warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
        of_biases, of_others = self.adam.param_groups
        self.muon.param_groups[0]["lr"] = rate * self.settings.matching_rate
        imitating = rate * self.settings.imitation_rate
        of_biases["lr"] = rate * self.settings.bias_rate if matching else imitating
        of_others["lr"] = 0.0 if matching else imitating

    def _begin_imitation(self) -> None:
        """Bring features to unit variance, so that one rate fits, and forget matching's moments.

        From here on the readouts learn by steps too. Solved for in closed form they would follow
        the features unseen by the gradients' loss, which is not stationary in them as the
        features' is, and the features would drift for ever.
        """
        self.student.balance(self.pictures.draw(16, self.random, textured=0.3).to(self.device))
        self.averaged.load_state_dict(self.student.state_dict())
        self.adam.state.clear()
        self.switched = self.step

    # Steps

    def match(self) -> tuple[Tensor, dict[str, object]]:
        """Feature matching alone, with the readouts solved for at every step."""
        count = self.settings.matching_batch
        content = self.pictures.draw(count, self.random, textured=0.1)
        style = drawn_styles(count, self.pictures, self.random)
        mixed = started(content, style, self.random).to(self.device)
        with torch.no_grad():
            wanted, _ = forward(mixed, self.teacher)
        thin, _ = forward(mixed, self.student.convolutions)
        readouts = []
        for position, (ours, theirs) in enumerate(zip(thin, wanted, strict=True)):
            readouts.append(self.running[position].update(ours.detach(), theirs))
            self.student.set_readout(position, readouts[-1])
        errors = feature_errors(thin, wanted, readouts)
        return (self.layer_weights * errors).sum(), {"features": errors}

    def _imitate(self) -> tuple[Tensor, dict[str, object]]:
        """Picture gradients, features and Gram differences on triples of the pool."""
        if self.pool is None:
            self.pool = Pool(self.pictures, self.teacher, self.settings, self.random)
        slots = self.pool.next_slots()
        targets, weight = self.pool.targets.rows(slots), self.pool.content_weight[slots]
        pictures = self.pool.picture[slots]
        theirs = teacher_view(pictures, targets, weight, self.teacher)
        asked = student_targets(self.pool.content[slots], self.pool.style[slots], self.student)
        ours = student_view(pictures, asked, weight, self.student)
        gradient = gradient_errors(ours.gradient, theirs.gradient)
        features = feature_errors(ours.features, theirs.features, self.student.all_readouts())
        grams = gram_errors(ours, theirs, targets, self.settings.gram_floor)
        # The logarithm keeps a nearly finished painting, whose gradient is small and hard to
        # match, from outweighing all others.
        loss = (
            self.settings.gradient_weight * torch.log1p(gradient).mean()
            + self.settings.feature_weight * (self.layer_weights * features).mean()
            + self.settings.gram_weight * (self.layer_weights[:, None] * torch.log1p(grams)).mean()
        )
        self.pool.paint(slots, theirs, ours, asked, self.student)
        return loss, {
            "gradient": gradient.mean(1).detach(),
            "features": features,
            "grams": grams.mean(1),
        }

    def update(self, loss: Tensor, matching: bool) -> None:
        self.student.zero_grad(set_to_none=True)
        loss.backward()
        if matching:
            self.muon.step()
        self.adam.step()
        decay = min(self.settings.averaging, (1 + self.step) / (20 + self.step))
        with torch.no_grad():
            pairs = zip(self.averaged.parameters(), self.student.parameters(), strict=True)
            for mean, value in pairs:
                mean.lerp_(value, 1 - decay)

    def prepare(self) -> None:
        """Data-dependent scales of the initial weights and of the readouts."""
        sample = self.pictures.draw(16, self.random, textured=0.3).to(self.device)
        self.student.balance(sample)
        with torch.no_grad():
            wanted, _ = forward(sample, self.teacher)
            self.student.rescale(torch.stack([f.pow(2).mean().sqrt() for f in wanted]))
        self.averaged.load_state_dict(self.student.state_dict())

    # Records

    def _log(self, **entry: object) -> None:
        self.log.add(step=self.step, seconds=round(self.elapsed, 1), **entry)

    def _save(self) -> None:
        state = {
            "settings": dataclasses.asdict(self.settings),
            "student": self.student.state_dict(),
            "averaged": self.averaged.state_dict(),
            "muon": self.muon.state_dict(),
            "adam": self.adam.state_dict(),
            "running": [(r.own, r.cross) for r in self.running],
            "random": self.random.get_state(),
            "switched": self.switched,
            "step": self.step,
            "seconds": self.elapsed,
        }
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self.checkpoint)

    def _resume(self) -> bool:
        """Go on from the checkpoint; the pool of half-finished paintings begins anew."""
        if not self.checkpoint.exists():
            return False
        state = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        if state["settings"] != dataclasses.asdict(self.settings):
            raise SystemExit(f"{self.checkpoint} was made with other settings: move it away.")
        self.student.load_state_dict(state["student"])
        self.averaged.load_state_dict(state["averaged"])
        self.muon.load_state_dict(state["muon"])
        self.adam.load_state_dict(state["adam"])
        for running, (own, cross) in zip(self.running, state["running"], strict=True):
            running.own, running.cross = own, cross
        self.random.set_state(state["random"].cpu())
        self.switched = state["switched"]
        self.step, self.seconds = state["step"], state["seconds"]
        return True

    def _validate(self) -> dict[str, object]:
        report = evaluate(self.averaged, self.teacher, self.validation)
        self._log(validation=report)
        told = {
            "from": self.origin,
            "on": self.source,
            "steps": self.step,
            "minutes": round(self.elapsed / 60, 1),
            "device": self.device.type,
            "settings": dataclasses.asdict(self.settings),
            "validation": report,
        }
        save_student(self.averaged, self.export, told)
        return report

    def run(self) -> dict[str, object]:
        """Train to the end of the schedule and return the last validation."""
        resumed = self._resume()
        if not resumed:
            self.prepare()
        self._log(
            resumed=resumed, settings=dataclasses.asdict(self.settings), torch=torch.__version__
        )
        self.started = time.monotonic()
        while (progress := self.progress) < 1:
            matching = progress < self.settings.matching_share
            if not matching and self.switched is None:
                self._begin_imitation()
            self.set_rates(progress, matching)
            loss, parts = self.match() if matching else self._imitate()
            self.update(loss, matching)
            self.step += 1
            if self.step % 20 == 0:
                self._log(loss=loss, rate=self.adam.param_groups[0]["lr"], **parts)
            if self.step % self.settings.validate_every == 0:
                self._validate()
            if self.step % self.settings.checkpoint_every == 0:
                self._save()
        self._save()
        return self._validate()
