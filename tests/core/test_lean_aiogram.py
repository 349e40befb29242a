"""aiogram's models are built when they are used, and are then what they were."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model

from impasto import lean_aiogram
from impasto.lean_aiogram import SWITCH, build_models_on_use, can_be_used

IN_AIOGRAM = """
import aiogram
import aiogram.methods as methods
from aiogram.types import Message, Update
from impasto.lean_aiogram import build_models_on_use
from impasto.memory import return_free_memory

def megabytes():
    rollup = dict(line.split(":") for line in open("/proc/self/smaps_rollup").readlines()[1:])
    return int(rollup["Anonymous"].split()[0]) / 1000

update = {
    "update_id": 1,
    "message": {
        "message_id": 2, "date": 3, "chat": {"id": 4, "type": "private"}, "text": "hi",
        "entities": [{"type": "bold", "offset": 0, "length": 2}],
    },
}
message = Update.model_validate(update).message
dumped = message.model_dump()
return_free_memory()
before = megabytes()
models = build_models_on_use()
assert {Message, Update, methods.SendMessage} <= set(models)
return_free_memory()
assert megabytes() < before - 25, (before, megabytes())
"""


def run(program: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", IN_AIOGRAM + program], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="reads what the process takes as Linux tells")
@pytest.mark.slow
def test_the_memory_of_unused_models_comes_back_and_used_ones_are_what_they_were() -> None:
    run("""
assert message.model_dump() == dumped  # an instance of before
assert Update.model_validate(update).message == message
assert not methods.SendPoll.__pydantic_complete__
sent = methods.SendMessage(chat_id=1, text="x", entities=message.entities)
assert sent.model_dump()["entities"][0]["type"] == "bold"
return_free_memory()
assert megabytes() < before - 25, (before, megabytes())
""")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads what the process takes as Linux tells")
def test_every_model_can_be_built_again() -> None:
    run("""
for model in models:
    model.__pydantic_validator__.validate_python
    assert model.__pydantic_complete__, model
assert build_models_on_use() and not any(model.__pydantic_complete__ for model in models)
""")


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    anything: Any = None


def leaf_and_tree() -> tuple[type[BaseModel], type[BaseModel]]:
    leaf = create_model("Leaf", x=(int, ...), __module__="forest.leaves")
    tree = create_model("Tree", leaf=(leaf, ...), __module__="forest")
    return leaf, tree


def test_only_models_of_the_package_are_taken_back() -> None:
    leaf, tree = leaf_and_tree()
    stranger = create_model("Stranger", x=(int, ...), __module__="forestry")
    assert set(build_models_on_use("forest")) == {leaf, tree}
    assert stranger.__pydantic_complete__
    assert build_models_on_use("forest") == []  # they are already


def test_a_model_validates_as_before_by_its_first_use() -> None:
    leaf, tree = leaf_and_tree()
    build_models_on_use("forest")
    with pytest.raises(ValidationError):
        tree(leaf={"x": "no number"})
    assert tree(leaf={"x": "1"}).model_dump() == {"leaf": {"x": 1}}
    assert not leaf.__pydantic_complete__  # Tree has a copy of its own of it


def test_an_instance_inside_something_else_can_be_dumped() -> None:
    """With pydantic's own placeholders this is a TypeError."""
    _leaf, tree = leaf_and_tree()
    build_models_on_use("forest")
    leaf = tree.model_validate({"leaf": {"x": 1}}).leaf  # type: ignore[attr-defined]
    assert Open(anything=leaf, more=leaf).model_dump() == {"anything": {"x": 1}, "more": {"x": 1}}
    assert TypeAdapter(Any).dump_json([leaf]) == b'[{"x":1}]'


def test_a_subclass_made_later_builds_itself() -> None:
    leaf, _tree = leaf_and_tree()
    build_models_on_use("forest")
    lobed = create_model("Lobed", __base__=leaf, lobes=(int, 3), __module__="elsewhere")
    assert lobed(x=1).model_dump() == {"x": 1, "lobes": 3}
    assert not leaf.__pydantic_complete__
    assert leaf(x=2).model_dump() == {"x": 2}


def test_a_thread_waits_for_what_another_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    leaf, _tree = leaf_and_tree()
    lobed = create_model("Lobed", __base__=leaf, lobes=(int, 3), __module__="forest")
    build_models_on_use("forest")
    begun, go_on = threading.Event(), threading.Event()
    rebuild = lobed.model_rebuild

    def slow_rebuild(**options: Any) -> bool | None:
        begun.set()
        assert go_on.wait(10)
        return rebuild(**options)

    monkeypatch.setattr(lobed, "model_rebuild", slow_rebuild)
    made: list[BaseModel] = []
    threads = [threading.Thread(target=lambda: made.append(lobed(x=1, lobes=5))) for _ in range(2)]
    threads[0].start()
    assert begun.wait(10)
    threads[1].start()
    threads[1].join(0.2)  # long enough for it to go wrong if it does not wait
    assert not made
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert [instance.model_dump() for instance in made] == [{"x": 1, "lobes": 5}] * 2


class TestSwitchedOff:
    """Where it is not wanted, or another pydantic works otherwise, models stay as they are."""

    @pytest.fixture(autouse=True)
    def undecided(self) -> Iterator[None]:
        can_be_used.cache_clear()
        yield
        can_be_used.cache_clear()

    def check_that_models_stay_built(self, level: str) -> str:
        """Returns why, as the log has it."""
        _leaf, tree = leaf_and_tree()
        with structlog.testing.capture_logs() as logged:
            assert build_models_on_use("forest") == build_models_on_use("forest") == []
        assert tree.__pydantic_complete__
        assert tree.model_validate({"leaf": {"x": 1}}).model_dump() == {"leaf": {"x": 1}}
        [told] = logged
        assert (told["event"], told["log_level"]) == ("aiogram_models_stay_built", level)
        return str(told["why"])

    def test_by_hand(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(SWITCH, "0")
        assert self.check_that_models_stay_built("info") == f"{SWITCH} is 0"

    def test_where_parts_have_other_names(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lean_aiogram, "SCHEMA", "__pydantic_of_another_version__")
        assert "AttributeError" in self.check_that_models_stay_built("warning")

    def test_where_a_model_is_not_rebuilt_by_its_use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rebuild = BaseModel.model_rebuild.__func__  # type: ignore[attr-defined]

        def first_time_only(model: type[BaseModel], **options: Any) -> bool | None:
            is_asked_by_pydantic = "_types_namespace" in options
            return rebuild(model, **options) if is_asked_by_pydantic else False

        monkeypatch.setattr(BaseModel, "model_rebuild", classmethod(first_time_only))
        assert self.check_that_models_stay_built("warning")

    def test_where_a_rebuilt_model_differs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patched, structlog.testing.capture_logs() as logged:
            patched.setattr(BaseModel, "model_dump", lambda self: {})
            assert not can_be_used()
        assert [told["why"] for told in logged] == ["a rebuilt model differs"]
