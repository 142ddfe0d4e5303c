"""Importing torch and Lightning without what no training needs, since every start has to."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from pcm.garbage_collection import no_garbage_collection

_SIGNAL = "scipy.signal"


@contextmanager
def lean_imports() -> Iterator[None]:
    """Around the first import of Lightning, which brings in torchmetrics.

    That loads `scipy.signal`, 580 modules, to give it a function that SciPy 1.13 has dropped and
    that only SRMRpy wants, which torchmetrics imports in its own tests alone (its pull request
    3459). Here it finds that the function is there: 3.8 s of CPU in place of 5.0 s, most of the
    difference being the collector's.
    """
    stand_in = _StandIn(_SIGNAL)
    sys.modules.setdefault(_SIGNAL, stand_in)
    try:
        with no_garbage_collection():
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
