"""Who keeps attributes: modules and their classes, hyperparameters, callbacks, the data module."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import nn

from pcm.internals.module_tensors import set_tensor, unsaved_buffers
from pcm.training.states.objects import attributes_of, is_data, is_of_library
from pcm.training.states.plain_values import PLAIN

_LARGEST_OF_DATA = 2_000
"""Elements: an order of the data may be among a data module's, the data are not."""


class Holder(ABC):
    """One that has attributes.

    Attributes:
        is_own: whether it is no library's.
        largest: elements of a tensor or an array to be kept; None is any.
    """

    is_own: bool
    largest: int | None = None

    @abstractmethod
    def attributes(self) -> dict[str, Any]:
        """All that may have to be kept."""

    @abstractmethod
    def set(self, name: str, value: Any) -> None:
        """Set one."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove one, if it is there."""


@dataclass(frozen=True)
class OfModule(Holder):
    """A module's own attributes, and its buffers that no state_dict has."""

    module: nn.Module

    @property
    def is_own(self) -> bool:  # type: ignore[override]
        """By its class."""
        return not is_of_library(type(self.module))

    def attributes(self) -> dict[str, Any]:
        """Buffers last, which share no names with the others."""
        return {**dict(attributes_of(self.module)), **unsaved_buffers(self.module)}

    def set(self, name: str, value: Any) -> None:
        """Past all that torch does where a tensor or a module is set."""
        if name in unsaved_buffers(self.module):
            set_tensor(self.module, name, value)
        else:
            vars(self.module)[name] = value

    def remove(self, name: str) -> None:
        """Of attributes; buffers stay."""
        vars(self.module).pop(name, None)


@dataclass(frozen=True)
class OfClass(Holder):
    """What a class of a module's has for all of its objects."""

    kind: type
    is_own = True

    def attributes(self) -> dict[str, Any]:
        """Those that are data."""
        return {name: value for name, value in vars(self.kind).items() if is_data(name, value)}

    def set(self, name: str, value: Any) -> None:
        """On the class itself."""
        if vars(self.kind).get(name) is not value:
            setattr(self.kind, name, value)

    def remove(self, name: str) -> None:
        """From the class itself."""
        if name in vars(self.kind):
            delattr(self.kind, name)


@dataclass(frozen=True)
class OfHyperparameters(Holder):
    """Numbers and words among `self.hparams`, which training may have changed."""

    mapping: MutableMapping[str, Any]
    is_own = True

    def attributes(self) -> dict[str, Any]:
        """Plain ones alone: the others are what the config made of them."""
        return {name: value for name, value in self.mapping.items() if type(value) in PLAIN}

    def set(self, name: str, value: Any) -> None:
        """Set one."""
        self.mapping[name] = value

    def remove(self, name: str) -> None:
        """Remove one."""
        self.mapping.pop(name, None)


@dataclass(frozen=True)
class OfObject(Holder):
    """A callback or a data module."""

    value: object
    is_own: bool
    largest: int | None = None

    def attributes(self) -> dict[str, Any]:
        """All of them."""
        return dict(attributes_of(self.value))

    def set(self, name: str, value: Any) -> None:
        """Past properties."""
        vars(self.value)[name] = value

    def remove(self, name: str) -> None:
        """Remove one."""
        vars(self.value).pop(name, None)


def holders_of(model: LightningModule) -> Iterator[tuple[str, Holder]]:
    """All that a model consists of, by names that are the same in every process."""
    kinds: dict[type, None] = {}
    for name, module in model.named_modules():
        yield name, OfModule(module)
        kinds.update(
            dict.fromkeys(each for each in type(module).__mro__ if not is_of_library(each))
        )
    for kind in kinds:
        yield f"class {kind.__module__}.{kind.__qualname__}", OfClass(kind)
    if isinstance(model.hparams, dict):
        yield "hyperparameters of it", OfHyperparameters(model.hparams)
    yield from _beside(model.trainer)


def _beside(trainer: Trainer) -> Iterator[tuple[str, Holder]]:
    """Callbacks that don't say what their state is, and the data module, whose data aren't kept."""
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]  # set at run time
    for number, callback in enumerate(callbacks):
        kind = type(callback)
        if not is_of_library(kind) and kind.state_dict is Callback.state_dict:
            yield f"callback {number} {kind.__qualname__}", OfObject(callback, is_own=True)
    data = getattr(trainer, "datamodule", None)
    if data is not None and not is_of_library(type(data)):
        yield "data module", OfObject(data, is_own=False, largest=_LARGEST_OF_DATA)
