"""What a loader, its samplers and its dataset keep to themselves, but for the data."""

from collections.abc import Iterator
from typing import Any
from weakref import ref

import numpy as np
from torch import Tensor, device

from pcm.console import tell
from pcm.training.states import data_marks
from pcm.training.states.data_marks import MOST_BYTES, bytes_of
from pcm.training.states.objects import is_of_library
from pcm.training.states.plain import Keeper, Node, NotPlainError
from pcm.training.states.shared_memory import share
from pcm.training.states.unplain import Rebuilder

State = list[dict[str, Node]]

_SAMPLERS = ("sampler", "batch_sampler")
_PARTS = (*_SAMPLERS, "dataset", "datasets")
"""Attributes by which loaders, samplers and datasets hold one another."""

_DATA = "data_source"
"""The attribute by which torch's samplers, and those derived from them, hold the data."""

_LIGHTNINGS = "__pl_"
"""What Lightning notes of a loader's arguments, with which it makes another around a sampler."""

_FEW = 2_000
"""Values in one attribute that are kept wherever they are; of more, most are data."""

_MOST = 1_000_000
"""Values in one attribute, which take about 1 s."""

_told: set[str] = set()


class LoaderState:
    """Generators, positions, an epoch, an order: what may change from pass to pass.

    What a sampler of one's own has is kept as a whole, up to `MOST_BYTES` of each attribute. Of
    what others have, such as a dataset, more than a few values are data, unless they were changed.
    """

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        # Others may hold these too, such as those who weigh the items by what they have seen.
        self._first: dict[int, ref[Any]] = {}
        for holder, is_sampler in _holders(loader):
            if not is_sampler:
                data_marks.note(holder)
            for each in vars(holder).values():
                if isinstance(each, Tensor | np.ndarray):
                    self._first[id(each)] = ref(each)

    def capture(self) -> State:
        """Of each holder, its attributes."""
        lasting = {key: each for key, each in self._first.items() if each() is not None}
        keeper = Keeper(most=_FEW, largest=_FEW, lasting=lasting)
        state = [self._attributes(keeper, *each) for each in _holders(self._loader)]
        share(keeper.made, ())
        return state

    def restore(self, states: State) -> None:
        """Set what was captured."""
        rebuilder = Rebuilder({}, device("cpu"))
        for (holder, _), state in zip(_holders(self._loader), states, strict=False):
            for name, node in state.items():
                try:
                    vars(holder)[name] = rebuilder.rebuild(node, vars(holder).get(name))
                except (NotPlainError, KeyError):
                    continue

    def _attributes(self, keeper: Keeper, holder: Any, is_sampler: bool) -> dict[str, Node]:
        state: dict[str, Node] = {}
        for name, value in vars(holder).items():
            if name.startswith(_LIGHTNINGS):
                continue
            is_own = is_sampler and name != _DATA
            try:
                keeper.most = keeper.largest = _FEW
                state[name] = keeper.keep(value)
            except NotPlainError:
                if not bytes_of(value) or not (is_own or data_marks.is_changed(holder, name)):
                    continue
                try:
                    state[name] = _keep_large(keeper, value)
                except NotPlainError as error:
                    if is_own or data_marks.was_there(holder, name):
                        _tell_once(f"{type(holder).__qualname__}.{name} ({error})")
        return state


def _keep_large(keeper: Keeper, value: Any) -> Node:
    """The node of an order of the data."""
    if bytes_of(value) > MOST_BYTES:
        raise NotPlainError(f"more than {MOST_BYTES >> 20} MiB")
    keeper.most, keeper.largest = _MOST, MOST_BYTES
    return keeper.keep(value)


def _tell_once(what: str) -> None:
    if what not in _told:
        _told.add(what)
        tell(
            f"warning: not kept in checkpoints, so not there after a resume: {what}, of a loader;"
            " docs/your-own.md says what is kept"
        )


def _holders(loader: Any) -> list[tuple[Any, bool]]:
    """The loader and all that it holds, each once, and whether it is a sampler of one's own."""
    found: dict[int, tuple[Any, bool]] = {}

    def visit(holder: Any, *, is_sampler: bool) -> None:
        if id(holder) in found or not hasattr(holder, "__dict__") or isinstance(holder, type):
            return
        found[id(holder)] = holder, is_sampler
        for name, part in _parts(holder):
            visit(part, is_sampler=name in _SAMPLERS and not is_of_library(type(part)))

    visit(loader, is_sampler=False)
    return list(found.values())


def _parts(holder: Any) -> Iterator[tuple[str, Any]]:
    for name in _PARTS:
        part = vars(holder).get(name)
        if isinstance(part, list | tuple):
            yield from ((name, each) for each in part)
        elif part is not None:
            yield name, part
