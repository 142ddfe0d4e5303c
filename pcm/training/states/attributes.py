"""What a module and its submodules keep in plain attributes, which no state_dict has."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import torch
from lightning.pytorch import LightningModule
from torch import nn

from pcm.console import tell
from pcm.internals.tensors import times_written
from pcm.training.states.plain import PLAIN, Keeper, Node, NotPlainError
from pcm.training.states.unplain import Rebuilder

State = dict[str, dict[str, Node]]
"""By a module's name, by an attribute's."""

_LIBRARIES = ("torch", "torchmetrics", "lightning", "pytorch_lightning", "pcm")
"""Whose modules' odd attributes nobody needs to hear of."""


class _BuiltTensor(NamedTuple):
    """A tensor that was there before training; `version` counts its changes in place."""

    name: str
    tensor: torch.Tensor
    version: int


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
        self._plain: dict[str, dict[str, Any]] = {}
        # Objects stay alive, so that no other gets the id of one.
        self._objects: dict[int, Any] = {}
        self._tensors: dict[int, _BuiltTensor] = {}
        self._has_told = False
        keeper = Keeper(name_of=self._name_of({}), is_built=self._note_object)
        for name, module in model.named_modules():
            mine = self._plain[name] = {}
            for attribute, value in _attributes(module):
                self._note_tensors(value)
                if type(value) in PLAIN:
                    mine[attribute] = value
                else:
                    _keep(keeper, value)

    def capture(self) -> State:
        """What differs from what was built."""
        names = _names_of_tensors(self._model)
        keeper = Keeper(name_of=self._name_of(names), is_built=self._is_known)
        state: State = {}
        lost: list[str] = []
        for name, module in self._model.named_modules():
            built = self._plain.get(name, {})
            mine: dict[str, Node] = {}
            for attribute, value in _attributes(module):
                if type(value) in PLAIN and attribute in built and _equal(built[attribute], value):
                    continue
                node = _keep(keeper, value)
                if not isinstance(node, NotPlainError):
                    mine[attribute] = node
                elif not node.is_fixed and not _is_of_a_library(module):
                    lost.append(f"{name}.{attribute} ({node})".lstrip("."))
            if mine:
                state[name] = mine
        self._tell(lost)
        return state

    def restore(self, state: State) -> None:
        """Set what was captured; everything else is as it was built."""
        named: dict[str, torch.Tensor] = {
            **dict(self._model.named_parameters(remove_duplicate=False)),
            **dict(self._model.named_buffers(remove_duplicate=False)),
            **{built.name: built.tensor for built in self._tensors.values()},
        }
        rebuilder = Rebuilder(named, self._model.device)
        for name, module in self._model.named_modules():
            for attribute, value in self._plain.get(name, {}).items():
                vars(module)[attribute] = value
            for attribute, node in state.get(name, {}).items():
                try:
                    value = rebuilder.rebuild(node, vars(module).get(attribute))
                except (NotPlainError, KeyError) as error:
                    tell(f"warning: {name}.{attribute} is not as it was: {error}")
                else:
                    vars(module)[attribute] = value

    def _note_object(self, value: object) -> bool:
        self._objects[id(value)] = value
        return True

    def _is_known(self, value: object) -> bool:
        return id(value) in self._objects

    def _note_tensors(self, value: Any) -> None:
        if isinstance(value, torch.Tensor) and id(value) not in self._tensors:
            name = f"built {len(self._tensors)}"
            self._tensors[id(value)] = _BuiltTensor(name, value, times_written(value))

    def _name_of(self, names: dict[int, str]) -> Any:
        """Names of parameters and buffers, and of tensors that nobody has changed."""

        def name_of(tensor: torch.Tensor) -> str | None:
            if id(tensor) in names:
                return names[id(tensor)]
            built = self._tensors.get(id(tensor))
            if built is None or built.version != times_written(tensor):
                return None
            return built.name

        return name_of

    def _tell(self, lost: list[str]) -> None:
        if lost and not self._has_told:
            tell(
                f"warning: not kept in checkpoints, so not there after a resume: {', '.join(lost)};"
                " docs/your-own.md says what is kept, and what rank_state() is for"
            )
            self._note(lost)
        self._has_told = True


def _keep(keeper: Keeper, value: Any) -> Node | NotPlainError:
    try:
        return keeper.keep(value)
    except NotPlainError as error:
        return error


def _attributes(module: nn.Module) -> list[tuple[str, Any]]:
    """Those that are neither torch's nor Lightning's own."""
    skipped = _base_names(isinstance(module, LightningModule))
    return [(name, value) for name, value in vars(module).items() if name not in skipped]


@cache
def _base_names(is_lightning: bool) -> frozenset[str]:
    base: nn.Module = LightningModule() if is_lightning else nn.Module()
    return frozenset({*vars(base), "_hparams", "_hparams_initial", "_hparams_name"})


def _is_of_a_library(module: nn.Module) -> bool:
    return type(module).__module__.partition(".")[0] in _LIBRARIES


def _names_of_tensors(model: nn.Module) -> dict[int, str]:
    tensors = (*model.named_parameters(), *model.named_buffers())
    return {id(tensor): name for name, tensor in tensors}


def _equal(one: Any, other: Any) -> bool:
    # 1 and True are two things.
    return type(one) is type(other) and bool(one == other)
