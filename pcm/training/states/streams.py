"""Generators that a stream of batches has for itself, in the place of the process's."""

from dataclasses import dataclass
from types import TracebackType

import torch

from pcm import generators
from pcm.internals.twisters import NumpyTwister, PythonTwister, TwisterState

_PYTHON, _NUMPY = PythonTwister(), NumpyTwister()


@dataclass(frozen=True)
class _States:
    python: TwisterState
    numpy: TwisterState
    cpu: torch.Tensor
    cuda: torch.Tensor | None


class Stream:
    """Generators that are the process's as long as it is entered, and stay where they are left.

    They change places at each batch, so that is done without `pcm.generators`, whose states are
    for files and take twenty times as long.
    """

    def __init__(self, state: generators.State) -> None:
        present = generators.capture()
        generators.restore(state)
        self._own = _read(None)
        generators.restore(present)
        self._shared: _States | None = None

    def __enter__(self) -> None:
        self._shared = _read(self._shared)
        _write(self._own, self._shared)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._shared is not None, "it is left after it was entered"
        self._own = _read(self._own)
        _write(self._shared, self._own)


def _read(former: _States | None) -> _States:
    return _States(
        _PYTHON.read(None if former is None else former.python),
        _NUMPY.read(None if former is None else former.numpy),
        torch.default_generator.get_state(),
        torch.cuda.get_rng_state() if torch.cuda.is_initialized() else None,
    )


def _write(states: _States, present: _States) -> None:
    _PYTHON.write(states.python, present.python)
    _NUMPY.write(states.numpy, present.numpy)
    torch.default_generator.set_state(states.cpu)
    if states.cuda is not None:
        torch.cuda.set_rng_state(states.cuda)
