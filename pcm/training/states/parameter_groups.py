"""Which parameters an optimizer holds, in which groups: training may have added some."""

from collections.abc import Sequence

from lightning.pytorch import LightningModule, Trainer
from torch.optim import Optimizer

Groups = list[list[str]]
"""Of each group, its parameters' names."""


def capture_groups(trainer: Trainer, model: LightningModule) -> list[Groups | None]:
    """Of each optimizer; None of one that holds what is no parameter of the model's."""
    names = {id(each): name for name, each in model.named_parameters()}
    return [_groups_of(optimizer, names) for optimizer in trainer.optimizers]


def restore_groups(
    trainer: Trainer, model: LightningModule, captured: Sequence[Groups | None]
) -> None:
    """Have each optimizer hold what it held, before its state is loaded, which goes by place."""
    parameters = dict(model.named_parameters())
    names = {id(each): name for name, each in parameters.items()}
    for optimizer, groups in zip(trainer.optimizers, captured, strict=False):
        present = _groups_of(optimizer, names)
        is_known = groups is not None and all(
            name in parameters for each in groups for name in each
        )
        if groups is None or present is None or not is_known or groups == present:
            continue
        held = [[parameters[name] for name in each] for each in groups]
        del optimizer.param_groups[len(held) :]
        for group, each in zip(optimizer.param_groups, held, strict=False):
            group["params"] = each
        for each in held[len(optimizer.param_groups) :]:
            optimizer.add_param_group({"params": each})


def _groups_of(optimizer: Optimizer, names: dict[int, str]) -> Groups | None:
    held = [[names.get(id(each)) for each in group["params"]] for group in optimizer.param_groups]
    named = [[name for name in each if name is not None] for each in held]
    return named if named == held else None
