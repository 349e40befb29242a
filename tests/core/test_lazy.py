"""Packages whose names are loaded on first use."""

from __future__ import annotations

import importlib

import pytest

PACKAGES = ("impasto", "impasto.testing", "impasto.testing.conformance", "impasto_playground")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_of_the_stub_is_there_and_no_other(package: str) -> None:
    module = importlib.import_module(package)
    assert module.__all__
    for name in module.__all__:
        assert getattr(module, name) is not None
    with pytest.raises(AttributeError, match=rf"module '{package}' has no attribute 'nothing'"):
        _ = module.nothing
