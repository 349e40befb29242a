"""What painting relies on in a feature network."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from impasto import hookimpl
from impasto.contracts import NetworkSource
from impasto.painting.network import Network
from impasto.testing.painting import paint_small


class NetworkConformance:
    """Inherit it and override the fixture `network` with the source of a network. Where it cannot
    be loaded, as when it was not fetched, only its excuse is looked at."""

    @pytest.fixture
    def network(self) -> NetworkSource:
        raise NotImplementedError("override the fixture `network`")

    @pytest.fixture
    def loaded(self, network: NetworkSource) -> Network:
        why_not = network.why_not()
        if why_not is not None:
            pytest.skip(why_not)
        return network.load()

    def test_keeps_the_contract(self, network: NetworkSource) -> None:
        assert isinstance(network, NetworkSource)
        assert network.description

    def test_says_in_a_sentence_why_it_cannot_be_loaded(self, network: NetworkSource) -> None:
        why_not = network.why_not()
        assert why_not is None or len(why_not.split()) >= 3

    def test_has_layers_for_style_and_content(self, loaded: Network) -> None:
        names = {convolution.name for convolution in loaded.convolutions}
        assert loaded.style_layers
        assert loaded.content_layers
        assert names >= set(loaded.style_layers) | set(loaded.content_layers)
        assert all(weight > 0 for weight in loaded.style_layers.values())

    def test_sees_pictures_as_different(self, loaded: Network) -> None:
        random = torch.Generator().manual_seed(0)
        one, other = torch.rand(2, 1, 3, 48, 48, generator=random)
        seen, seen_otherwise = loaded.features(one), loaded.features(other)
        for layer in loaded.style_layers:
            assert torch.isfinite(seen[layer]).all()
            assert not torch.allclose(seen[layer], seen_otherwise[layer])

    def test_is_the_same_each_time(self, network: NetworkSource, loaded: Network) -> None:
        again = network.load()
        for one, other in zip(loaded.convolutions, again.convolutions, strict=True):
            assert torch.equal(one.weight, other.weight)

    def test_paints(self, network: NetworkSource, loaded: Network) -> None:
        class Plugin:
            @hookimpl
            def impasto_networks(self, settings: object) -> list[NetworkSource]:
                return [SimpleNamespace(**{n: getattr(network, n) for n in MEMBERS}, name="tested")]

        painting = paint_small(plugins=[Plugin()], network="tested", steps=3)
        assert painting.losses.total > 0


MEMBERS = ("description", "load", "why_not")
