"""What a module and its submodules keep in plain attributes, which no state_dict has."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from lightning.pytorch import LightningModule

from pcm.console import tell
from pcm.internals.module_tensors import unsaved_buffers
from pcm.training.states.built import Built
from pcm.training.states.holders import OfObject, holders_of
from pcm.training.states.plain import Keeper, Node, NotPlainError
from pcm.training.states.plain_values import PLAIN
from pcm.training.states.shared_memory import share
from pcm.training.states.unplain import Rebuilder

State = dict[str, dict[str, Node]]
"""By the name of a module or another holder, by an attribute's."""

_GONE = ["gone"]
"""The node of an attribute that was built, and that training has deleted."""


class Attributes:
    """Captures and restores the attributes of one model, on each rank for itself.

    What is as it was when training began in this process is left out of a state: it is built
    the same way again. So a checkpoint has only what training has changed.

    Args:
        note: called with the names of those that can't be kept, at the first capture with any.
    """

    def __init__(self, model: LightningModule, note: Callable[[Sequence[str]], None]) -> None:
        self._model = model
        self._note = note
        self._has_told = False
        self._built = Built()
        self._plain: dict[str, dict[str, Any]] = {}
        self._names: dict[str, list[str]] = {}
        # By these, checkpoints of 0.4 and before know tensors.
        self._tensors: dict[int, torch.Tensor] = {}
        for name, holder in holders_of(model):
            attributes = holder.attributes()
            self._names[name] = list(attributes)
            self._plain[name] = {k: v for k, v in attributes.items() if type(v) in PLAIN}
            for value in attributes.values():
                self._built.note(value, holder.largest)
                if isinstance(value, torch.Tensor):
                    self._tensors.setdefault(id(value), value)

    def capture(self) -> State:
        """What differs from what was built."""
        keeper = self._keeper()
        state: State = {}
        lost: list[str] = []
        for name, holder in holders_of(self._model):
            attributes, keeper.largest = holder.attributes(), holder.largest
            gone = [each for each in self._names.get(name, ()) if each not in attributes]
            mine: dict[str, Node] = dict.fromkeys(gone, _GONE)
            for attribute, value in attributes.items():
                if self._is_as_built(name, attribute, value):
                    continue
                node, missing = _keep(keeper, value)
                if node is not _GONE:
                    mine[attribute] = node
                if holder.is_own:
                    lost += [f"{name}.{attribute}{each}".lstrip(".") for each in missing]
            if mine or isinstance(holder, OfObject):
                state[name] = mine
        share(keeper.made, self._owners(keeper.names))
        self._tell(lost)
        return state

    def restore(self, state: State) -> None:
        """Set what was captured; everything else is as it was built."""
        named: dict[str, torch.Tensor] = {
            **dict(self._model.named_parameters(remove_duplicate=False)),
            **dict(self._model.named_buffers(remove_duplicate=False)),
            **{f"built {n}": each for n, each in enumerate(self._tensors.values())},
        }
        rebuilder = Rebuilder(named, self._model.device, self._built, self._model)
        for name, holder in holders_of(self._model):
            # Checkpoints of 0.4 and before have none of them.
            if isinstance(holder, OfObject) and name not in state:
                continue
            for attribute, value in self._plain.get(name, {}).items():
                holder.set(attribute, value)
            present = holder.attributes()
            for attribute, node in state.get(name, {}).items():
                if node == _GONE:
                    holder.remove(attribute)
                    continue
                try:
                    value = rebuilder.rebuild(node, present.get(attribute))
                except (NotPlainError, KeyError) as error:
                    tell(f"warning: {name}.{attribute} is not as it was: {error}")
                else:
                    holder.set(attribute, value)

    def _keeper(self) -> Keeper:
        model = self._model
        unsaved = {
            id(buffer) for module in model.modules() for buffer in unsaved_buffers(module).values()
        }
        tensors = (*model.named_parameters(), *model.named_buffers())
        schedulers = (each.scheduler for each in model.trainer.lr_scheduler_configs)
        return Keeper(
            self._built,
            names={id(each): name for name, each in tensors if id(each) not in unsaved},
            modules={id(module): name for name, module in model.named_modules()},
            elsewhere={id(each) for each in (*model.trainer.optimizers, *schedulers)},
        )

    def _owners(self, names: Mapping[int, str]) -> Iterator[tuple[Node, Any]]:
        """What will be there before anything of a state is set, and finds it."""
        for tensor in (*self._model.parameters(), *self._model.buffers()):
            if id(tensor) in names:
                yield ["named", names[id(tensor)], -1], tensor
        for number, value in self._built.memories():
            yield ["there", number, -1], value

    def _is_as_built(self, name: str, attribute: str, value: Any) -> bool:
        built = self._plain.get(name, {})
        return type(value) in PLAIN and attribute in built and _equal(built[attribute], value)

    def _tell(self, lost: list[str]) -> None:
        if lost and not self._has_told:
            tell(
                f"warning: not kept in checkpoints, so not there after a resume: {', '.join(lost)};"
                " docs/your-own.md says what is kept, and what rank_state() is for"
            )
            self._note(lost)
        self._has_told = True


def _keep(keeper: Keeper, value: Any) -> tuple[Node, list[str]]:
    """The node of an attribute, and what it lacks; `_GONE` if there is none."""
    keeper.lost.clear()
    try:
        node = keeper.keep(value)
    except NotPlainError as error:
        return _GONE, [] if error.is_fixed else [f" ({error})"]
    return node, list(keeper.lost)


def _equal(one: Any, other: Any) -> bool:
    # 1 and True are two things.
    return type(one) is type(other) and bool(one == other)
