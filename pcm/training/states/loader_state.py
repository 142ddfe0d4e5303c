"""What a loader, its samplers and its dataset keep to themselves, as far as it is small."""

from collections.abc import Iterator
from typing import Any

from torch import device

from pcm.training.states.plain import Keeper, Node, NotPlainError
from pcm.training.states.unplain import Rebuilder

State = list[dict[str, Node]]

_PARTS = ("sampler", "batch_sampler", "dataset", "datasets")
"""Attributes by which loaders, samplers and datasets hold one another."""

_LIGHTNINGS = "__pl_"
"""What Lightning notes of a loader's arguments, with which it makes another around a sampler."""

_MOST = 2_000
"""Values in one attribute: an order of the data may be among them, the data are not."""


def capture_loader(loader: Any) -> State:
    """Generators, positions, an epoch: what may change from pass to pass."""
    keeper = Keeper(with_tensors=False, most=_MOST)
    states = []
    for holder in _holders(loader):
        state: dict[str, Node] = {}
        for name, value in vars(holder).items():
            if name.startswith(_LIGHTNINGS):
                continue
            try:
                state[name] = keeper.keep(value)
            except NotPlainError:
                continue
        states.append(state)
    return states


def restore_loader(loader: Any, states: State) -> None:
    """Set what was captured."""
    rebuilder = Rebuilder({}, device("cpu"))
    for holder, state in zip(_holders(loader), states, strict=False):
        for name, node in state.items():
            try:
                vars(holder)[name] = rebuilder.rebuild(node, vars(holder).get(name))
            except (NotPlainError, KeyError):
                continue


def _holders(loader: Any) -> list[Any]:
    """The loader and all that it holds, each once."""
    found: dict[int, Any] = {}

    def visit(holder: Any) -> None:
        if id(holder) in found or not hasattr(holder, "__dict__") or isinstance(holder, type):
            return
        found[id(holder)] = holder
        for part in _parts(holder):
            visit(part)

    visit(loader)
    return list(found.values())


def _parts(holder: Any) -> Iterator[Any]:
    for name in _PARTS:
        part = vars(holder).get(name)
        if isinstance(part, list | tuple):
            yield from part
        elif part is not None:
            yield part
