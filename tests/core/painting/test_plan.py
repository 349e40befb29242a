"""Budgets: what fits is planned, the faster way first; what does not fit is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from impasto.painting.network import Network, load_network
from impasto.painting.strips.plan import budget, least_bytes, most_pixels, plans
from impasto.sizes import size_within

STRIP = 100_000
MEGABYTES = 1_000_000


@pytest.fixture(scope="module")
def network(tiny_network: Path) -> Network:
    return load_network(tiny_network)


def test_without_a_limit_everything_is_kept(network: Network) -> None:
    found = budget(network, (480, 480), None, STRIP)
    assert found
    assert found.plan.keep == {"conv1_2", "conv2_1", "conv2_2", "conv3_1"}
    assert found.optimizer is None


def test_less_memory_means_that_less_is_kept(network: Network) -> None:
    found = [budget(network, (480, 480), mb * MEGABYTES, STRIP) for mb in range(90, 20, -1)]
    kept = [len(b.plan.keep) for b in found if b is not None]
    assert kept[0] == 4
    assert kept[-1] == 0
    assert found[-1] is None


def test_each_way_to_run_a_network_takes_less_whole_maps_than_the_one_before(
    network: Network,
) -> None:
    ways = list(plans(network, STRIP))
    taken = [plan.whole_map_bytes(480, 640) for plan in ways]
    assert taken == sorted(taken, reverse=True)
    assert taken[-1] == 3 * 480 * 640 * 4  # the image alone
    assert len(ways[-1].segments) == 1


@given(st.integers(32, 4000), st.integers(32, 4000), st.floats(0.05, 1))
@example(1500, 150, 0.95)
def test_what_is_said_to_fit_fits(network: Network, width: int, height: int, share: float) -> None:
    """As a picture of these sides is then scaled, whichever way its sides are rounded."""
    aspect = max(width, height) / min(width, height)
    assume(aspect <= 20)
    available = int(200 * width * height * share)
    most = most_pixels(network, aspect, available, STRIP)
    assert most is not None
    assume(most >= 20 * 32 * 32)  # below, the shorter side stays 32 and breaks the cap
    scaled_width, scaled_height = size_within((width, height), most)
    assert budget(network, (scaled_height, scaled_width), available, STRIP)


@given(st.integers(32, 2000), st.integers(32, 2000))
def test_the_least_memory_is_just_enough(network: Network, height: int, width: int) -> None:
    least = least_bytes(network, (height, width), STRIP)
    assert budget(network, (height, width), least, STRIP)
    assert budget(network, (height, width), least - 1, STRIP) is None


def test_more_memory_never_means_a_smaller_picture(network: Network) -> None:
    sizes = [most_pixels(network, 1.5, mb * MEGABYTES, STRIP) for mb in (1, 30, 60, 300, 3000)]
    assert sizes == sorted(sizes)
    assert most_pixels(network, 1.5, None, STRIP) is None
