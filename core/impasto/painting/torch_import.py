"""torch without what only its compiler needs.

`import torch` ends with 18 MB of Python that tells torch.compile and torch.export what shapes
operators give (torch._meta_registrations and the decompositions behind it). Painting runs operators
and traces none, so in the painting process that module stays empty until somebody wants it: takes a
name from it, or imports the tracers, as a plugin does that compiles functions of its own. Only who
makes tensors on the device "meta" by hand has to import `meta_mm`, say, from it first.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Final

META_KERNELS: Final = "torch._meta_registrations"
TRACERS: Final = frozenset({"torch._dynamo", "torch.fx.experimental.symbolic_shapes"})
"""What torch.compile and torch.export import before they trace, and `import torch` does not."""


def postpone_meta_kernels() -> None:
    """Has torch's meta kernels loaded when they are needed; to be called before torch is imported,
    afterwards it changes nothing."""
    sys.meta_path.insert(0, _Postponing())


class _Postponing(MetaPathFinder):
    def __init__(self) -> None:
        self._loader: _OnFirstUse | None = None

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in TRACERS and self._loader is not None:
            self._loader.run()
        if fullname != META_KERNELS:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = self._loader = _OnFirstUse(spec.loader)
        return spec


class _OnFirstUse(Loader):
    """Runs a module when a name is first asked of it (PEP 562). importlib's LazyLoader would run it
    in `from torch import _meta_registrations` already."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._postponed: ModuleType | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        def run_and_get(name: str) -> object:
            if name.startswith("__"):  # the import system looks whether there are some
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            self.run()
            return getattr(module, name)

        self._postponed = module
        vars(module)["__getattr__"] = run_and_get

    def run(self) -> None:
        """Runs the module, unless it has been."""
        module, self._postponed = self._postponed, None
        if module is not None:
            del vars(module)["__getattr__"]
            self._loader.exec_module(module)
