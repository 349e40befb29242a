"""aiogram's models are built when they are used, and are then what they were."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model

from impasto.lean_aiogram import build_models_on_use

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
