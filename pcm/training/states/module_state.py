"""What of a module and of its training Lightning's checkpoints have no place for."""

from collections.abc import Mapping
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.strategies import DeepSpeedStrategy
from torch import Tensor
from torch.nn.parameter import is_lazy

from pcm.internals.tensors import has_shards, local, whole
from pcm.training.states.waiting_gradients import WaitingGradients, restore_gradients

State = dict[str, Any]


def capture_module(
    trainer: Trainer, model: LightningModule, gradients: WaitingGradients | None
) -> State:
    """What is trained and in eval mode, gradients that wait for a step, what callbacks have set.

    Of a sharded model, gradients are this rank's part, and buffers are with them: neither FSDP2
    nor DeepSpeed makes those of all ranks alike.
    """
    has_own = has_shards(model) or isinstance(trainer.strategy, DeepSpeedStrategy)
    buffers = dict(model.named_buffers()) if has_own else {}
    return {
        "buffer_types": {name: each.dtype for name, each in model.named_buffers()},
        "buffers": {name: each for name, each in buffers.items() if local(each) is each},
        "requires_grad": {name: each.requires_grad for name, each in model.named_parameters()},
        "training": {name: each.training for name, each in model.named_modules()},
        "gradients": {} if gradients is None else gradients.capture(trainer, model),
        "accumulate_grad_batches": trainer.accumulate_grad_batches,
        "should_stop": trainer.should_stop,
    }


def restore_module(trainer: Trainer, model: LightningModule, state: State) -> None:
    """Set what `capture_module` captured."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(state["requires_grad"].get(name, parameter.requires_grad))
    restore_gradients(trainer, model, state["gradients"])
    # Checkpoints of 0.2 have neither buffers nor modes.
    for name, buffer in model.named_buffers():
        if name in state.get("buffers", {}):
            buffer.copy_(state["buffers"][name])
    modes: Mapping[str, bool] = state.get("training", {})
    for name, module in model.named_modules():
        module.training = modes.get(name, module.training)
    trainer.accumulate_grad_batches = state["accumulate_grad_batches"]
    trainer.should_stop = state["should_stop"]


def fingerprint(model: LightningModule) -> list[float]:
    """Sums that are others as soon as a parameter is: many are swapped by way of `.data`, which
    leaves torch's count of versions as it was.

    100 million parameters take 0.3 s of one core, as two batches of a validation with them do, and
    no copy of a parameter, for which a GPU may have no room.
    """
    present = (each.detach() for each in model.parameters() if not is_lazy(each))
    sums = [whole(_sum(each)).cpu().to(torch.complex128) for each in present if each.numel()]
    return torch.view_as_real(torch.stack(sums)).flatten().tolist() if sums else []


def _sum(tensor: Tensor) -> Tensor:
    return tensor.sum(dtype=torch.complex128 if tensor.is_complex() else torch.float64)
