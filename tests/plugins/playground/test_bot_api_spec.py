"""The methods' fields against a published description of the Bot API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from impasto_playground.bot_api import METHODS
from impasto_playground.messages import MAX_CALLBACK_DATA_BYTES

SPEC = Path(__file__).parents[4] / "shared" / "data" / "botapi" / "api-9.2.json"


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    if not SPEC.exists():
        pytest.skip(f"no description of the Bot API at {SPEC}")
    return json.loads(SPEC.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", METHODS)
def test_every_field_of_the_method_is_taken(spec: dict[str, Any], name: str) -> None:
    model, _ = METHODS[name]
    published = {field["name"]: field for field in spec["methods"][name].get("fields", [])}
    assert published.keys() <= model.model_fields.keys()
    # A newer version may have made a field optional, never the other way round.
    required = {field for field, about in published.items() if about["required"]}
    assert {field for field, about in model.model_fields.items() if about.is_required()} <= required


def test_the_limit_of_callback_data_is_the_published_one(spec: dict[str, Any]) -> None:
    fields = {field["name"]: field for field in spec["types"]["InlineKeyboardButton"]["fields"]}
    assert f"1-{MAX_CALLBACK_DATA_BYTES} bytes" in fields["callback_data"]["description"]
