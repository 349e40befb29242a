"""Times evaluations of the objective with the embedded network and with VGG-19, in turn.

Both are run in the same ways: with all features kept for the backward pass, and with none.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from statistics import median
from typing import Any

import torch

from impasto.painting.catalogue import load_catalogue
from impasto.painting.network import Network
from impasto.painting.strips.network import strip_grams
from impasto.painting.strips.objective import StripObjective
from impasto.painting.strips.plan import Plan, StripSize, plans
from impasto.settings import Settings

from .processes import answer_from

ROUNDS = 9
STYLE_WEIGHT = 1e6


def measure(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Seconds by way and network, all of them, in the order in which they were taken."""
    painting = {"threads": request["threads"], "memory_mb": 0}
    catalogue = load_catalogue(Settings.model_validate({"painting": painting}))
    device = catalogue.device("cpu")
    named = {"embedded": "embedded", "VGG": request["vgg"]}
    networks = {name: catalogue.network(file, device) for name, file in named.items()}
    torch.manual_seed(0)
    content, style, image = (torch.rand(1, 3, *request["size"]) for _ in range(3))

    def objective(network: Network, plan: Plan) -> StripObjective:
        grams = strip_grams(network, style, device.strip_bytes())
        return StripObjective(network, content, grams, STYLE_WEIGHT, plan)

    seconds: dict[str, dict[str, list[float]]] = {}
    for way in ("all kept", "nothing kept"):
        objectives = {
            name: objective(network, _plan(network, device.strip_bytes(), way))
            for name, network in networks.items()
        }
        taken: dict[str, list[float]] = {name: [] for name in networks}
        for number in range(ROUNDS + 1):
            for name, one in objectives.items():
                begin = time.perf_counter()
                one.evaluate(image)
                if number:  # the first warms up
                    taken[name].append(round(time.perf_counter() - begin, 4))
        seconds[way] = taken
    return {"seconds": seconds, "ratio": {way: _ratio(taken) for way, taken in seconds.items()}}


def _plan(network: Network, strip_bytes: int, way: str) -> Plan:
    fastest = next(plans(network, strip_bytes))
    if way == "all kept":
        return fastest
    return Plan(fastest.segments, frozenset(), StripSize(strip_bytes))


def _ratio(taken: Mapping[str, list[float]]) -> float:
    """How many times longer VGG-19 takes: the median over rounds."""
    pairs = zip(taken["VGG"], taken["embedded"], strict=True)
    return round(median(vgg / embedded for vgg, embedded in pairs), 3)


if __name__ == "__main__":
    answer_from(measure)
