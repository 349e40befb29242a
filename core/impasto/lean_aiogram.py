"""aiogram's models without what validates and serializes them, until one is used.

aiogram has all of its pydantic models built as it is imported: 80 MB of validators, serializers and
schemas for 600 models, each with a copy of whatever it nests. A bot uses some dozens.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from typing import Any, Final

from pydantic import BaseModel

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
        The models that were taken back.
    """
    models = [
        model
        for model in set(_subclasses(BaseModel))
        if model.__module__.partition(".")[0] == package and model.__pydantic_complete__
    ]
    for model in models:
        model.__pydantic_complete__ = False
        delattr(model, SCHEMA)
        for name in VALIDATOR_AND_SERIALIZER:
            setattr(model, name, _BuiltOnUse(model, name))
    gc.collect()
    return models


def _subclasses(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for subclass in model.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)
