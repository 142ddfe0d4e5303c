"""Gradients that a module has made by hand, and that no optimizer has used yet."""

from collections.abc import Iterator, Mapping

from lightning.pytorch import LightningModule, Trainer
from torch import Tensor
from torch.optim import Optimizer

from pcm.internals.tensors import like, local


class WaitingGradients:
    """Knows which optimizers have stepped since the last backward pass.

    What these hold is left out, as long as the module clears it before the next pass: to some,
    such as those that clear after every fourth step, it is what the next pass adds to.
    """

    def __init__(self) -> None:
        # With how many it held in each group: what it gets after the step has not been used.
        self._used: list[tuple[Optimizer, list[int]]] = []
        self._are_cleared: bool | None = None

    def note_step(self, optimizer: Optimizer) -> None:
        """An optimizer uses what it holds."""
        self._used.append((optimizer, [len(each["params"]) for each in optimizer.param_groups]))

    def note_backward(self) -> None:
        """Gradients are about to be made."""
        if self._used and self._are_cleared is not False:
            self._are_cleared = all(each.grad is None for each in self._used_parameters())
        self._used.clear()

    def capture(self, trainer: Trainer, model: LightningModule) -> dict[str, Tensor]:
        """This rank's part of each, by the parameter's name."""
        left_out = {id(each) for each in self._used_parameters() if self._are_cleared}
        return {
            name: local(each.grad)
            for name, each in _parameters(trainer, model)
            if each.grad is not None and id(each) not in left_out
        }

    def _used_parameters(self) -> Iterator[Tensor]:
        for optimizer, counts in self._used:
            for group, count in zip(optimizer.param_groups, counts, strict=False):
                yield from group["params"][:count]


def restore_gradients(
    trainer: Trainer, model: LightningModule, gradients: Mapping[str, Tensor]
) -> None:
    """Set what was captured."""
    for name, parameter in _parameters(trainer, model):
        if name in gradients:
            parameter.grad = like(parameter, gradients[name].to(parameter.device))


def _parameters(trainer: Trainer, model: LightningModule) -> Iterator[tuple[str, Tensor]]:
    """The model's, and those that an optimizer alone holds."""
    yield from model.named_parameters()
    known = {id(each) for each in model.parameters()}
    for number, optimizer in enumerate(trainer.optimizers):
        for place, each in enumerate(_held_by(optimizer)):
            if id(each) not in known:
                yield f"optimizer {number}, {place}", each


def _held_by(optimizer: Optimizer) -> Iterator[Tensor]:
    for group in optimizer.param_groups:
        yield from group["params"]
