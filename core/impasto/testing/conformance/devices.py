"""What painting relies on in a device."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from impasto.contracts import Device


class DeviceConformance:
    """Inherit it and override the fixture `device`. Where the device does not work on the machine
    of the test, only its excuse is looked at."""

    @pytest.fixture
    def device(self) -> Device:
        raise NotImplementedError("override the fixture `device`")

    @pytest.fixture
    def working(self, device: Device) -> Device:
        why_not = device.why_not()
        if why_not is not None:
            pytest.skip(why_not)
        return device

    def test_keeps_the_contract(self, device: Device) -> None:
        assert isinstance(device, Device)
        assert isinstance(device.order, int)

    def test_says_in_a_sentence_why_it_does_not_work(self, device: Device) -> None:
        why_not = device.why_not()
        assert why_not is None or len(why_not.split()) >= 3

    def test_has_a_pixel_cap(self, device: Device) -> None:
        assert device.max_pixels() >= 1024

    def test_says_how_much_memory_there_is(self, working: Device) -> None:
        memory = working.memory()
        assert memory is None or memory >= 0
        assert working.strip_bytes() > 0

    def test_computes_features_in_its_precision(self, working: Device) -> None:
        where, precision = working.torch_device(), working.feature_dtype()
        assert precision.is_floating_point
        image = torch.rand(1, 3, 16, 16, device=where).to(precision)
        weight = torch.rand(4, 3, 3, 3, device=where).to(precision)
        maps = F.max_pool2d(F.relu(F.conv2d(image, weight, padding=1)), 2)
        assert maps.dtype == precision
        expected = F.max_pool2d(F.relu(F.conv2d(image.float(), weight.float(), padding=1)), 2)
        assert torch.allclose(maps.float().cpu(), expected.cpu(), rtol=0.05, atol=0.05)

    def test_keeps_images_in_float32(self, working: Device) -> None:
        image = torch.rand(1, 3, 8, 8, dtype=torch.float32, device=working.torch_device())
        gradient = torch.autograd.grad(image.requires_grad_().square().sum(), image)
        assert gradient[0].dtype == torch.float32
