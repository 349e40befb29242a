"""aiogram's models without their validators and serializers until one of them is used.

When aiogram is imported it has pydantic build all of its 600 models: 80 MB of validators,
serializers and schemas, as each holds a copy of whatever it nests. A bot uses some dozens. Here the
built parts are replaced by descriptors that have a model built again when it is used.

pydantic promises none of what this relies on:

- a model that is built keeps its parts in its own `__pydantic_core_schema__`,
  `__pydantic_validator__` and `__pydantic_serializer__`, and `__pydantic_complete__` says so;
- whoever needs a part, pydantic-core included, asks the class for the attribute, at each use;
- `model_rebuild()` of a model that is not complete builds the parts from its fields alone, in which
  forward references stay resolved once they were.

So it is tried out on two small models first (`_works`). Where that fails, or where the environment
has IMPASTO_LEAN_AIOGRAM=0, aiogram stays as it is, and the log says so once.
"""

from __future__ import annotations

import functools
import gc
import os
import threading
from collections.abc import Iterable, Iterator
from typing import Any, Final

import pydantic
import structlog
from pydantic import BaseModel, TypeAdapter, create_model

from impasto.errors import described

log = structlog.get_logger(__name__)

SWITCH: Final = "IMPASTO_LEAN_AIOGRAM"
"""Environment variable; 0 leaves aiogram's models built."""
SCHEMA: Final = "__pydantic_core_schema__"
VALIDATOR_AND_SERIALIZER: Final = ("__pydantic_validator__", "__pydantic_serializer__")

_building = threading.RLock()


class _BuiltOnUse:
    """Stands for the validator or the serializer of a model and has the model built once somebody
    asks for it: Python that makes or dumps an instance, or pydantic-core that meets an instance
    inside another. (The latter is where the placeholders of pydantic's own `defer_build` fail.)"""

    def __init__(self, model: type[BaseModel], name: str) -> None:
        self._model = model
        self._name = name

    def __get__(self, instance: BaseModel | None, owner: type[BaseModel]) -> Any:
        with _building:
            # While another thread builds a model, those of the model's base are found in its place.
            if owner is not self._model and self._name in vars(owner):
                return getattr(owner, self._name)
            if vars(self._model).get(self._name) is self:
                for name in VALIDATOR_AND_SERIALIZER:  # model_rebuild() would ask for these
                    delattr(self._model, name)
                self._model.model_rebuild()
            return getattr(self._model, self._name)


def build_models_on_use(package: str = "aiogram") -> list[type[BaseModel]]:
    """Takes the pydantic models of an imported package back to before they were built. The first
    use of each builds it again, in milliseconds; in a tenth of a second where it nests half of the
    others.

    Returns:
        The models that were taken back; none where this is switched off or does not work.
    """
    if not can_be_used():
        return []
    models = [
        model
        for model in set(_subclasses(BaseModel))
        if model.__module__.partition(".")[0] == package and model.__pydantic_complete__
    ]
    _take_back(models)
    gc.collect()
    return models


@functools.cache
def can_be_used() -> bool:
    """Whether models may be taken back here; why not is logged."""
    if os.environ.get(SWITCH, "1") in ("", "0"):
        log.info("aiogram_models_stay_built", why=f"{SWITCH} is 0")
        return False
    try:
        works, why = _works(), "a rebuilt model differs"
    except Exception as error:  # whatever another pydantic makes of it
        works, why = False, described(error)
    if not works:
        log.warning("aiogram_models_stay_built", pydantic=pydantic.VERSION, why=why)
    return works


def _works() -> bool:
    """Whether two models that were taken back are what they were: one with a forward reference, as
    aiogram has them, and an instance of the other in a field that does not know its type."""
    leaf = create_model("Leaf", x=(int, ...))
    tree = create_model("Tree", leaf=("LeafOfTree", ...), anything=(Any, None))
    tree.model_rebuild(_types_namespace={"LeafOfTree": leaf})
    value = leaf(x=1)
    dumped = {"leaf": {"x": 1}, "anything": {"x": 1}}
    _take_back([leaf, tree])
    made: Any = tree.model_validate({"leaf": {"x": "1"}, "anything": value})
    is_postponed = not leaf.__pydantic_complete__
    return is_postponed and made.model_dump() == dumped == TypeAdapter(Any).dump_python(made)


def _take_back(models: Iterable[type[BaseModel]]) -> None:
    for model in models:
        model.__pydantic_complete__ = False
        delattr(model, SCHEMA)
        for name in VALIDATOR_AND_SERIALIZER:
            setattr(model, name, _BuiltOnUse(model, name))


def _subclasses(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for subclass in model.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)
