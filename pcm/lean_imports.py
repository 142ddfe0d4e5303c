"""Importing torch and Lightning without what no training needs, since every start has to."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

_SIGNAL = "scipy.signal"


@contextmanager
def lean_imports() -> Iterator[None]:
    """Around the first import of Lightning, which brings in torchmetrics.

    That loads `scipy.signal`, 580 modules, to give it a function that SciPy 1.13 has dropped and
    that only SRMRpy wants, which torchmetrics imports in its own tests alone (its pull request
    3459). Here it finds that the function is there. Without this and the garbage collector, which
    is most of it, what training needs is imported in 3.8 s of CPU in place of 5.0 s.
    """
    stand_in = _StandIn(_SIGNAL)
    sys.modules.setdefault(_SIGNAL, stand_in)
    try:
        yield
    finally:
        stand_in.leave()


class _StandIn(ModuleType):
    """Has the function that is looked for; who asks for more gets the real module."""

    hamming = None

    def leave(self) -> None:
        """Have the next import load the real module."""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]

    def __getattr__(self, name: str) -> object:
        # `inspect` asks every module for its file.
        if name.startswith("__") and name != "__path__":
            raise AttributeError(name)
        self.leave()
        return getattr(importlib.import_module(self.__name__), name)
