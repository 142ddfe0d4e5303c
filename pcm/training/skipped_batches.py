"""A batch that is skipped: by all ranks or by none, or they would train on mixed-up gradients."""

from datetime import timedelta

import torch
import torch.distributed as dist
from lightning.pytorch import Trainer

from pcm.errors import PcmError
from pcm.internals import loops
from pcm.rank.ranks import Ranks
from pcm.rank.settings import collective_seconds
from pcm.training.timeouts import AbsentRanksError


class UnevenBatchesError(AbsentRanksError, PcmError):
    """A rank skips a batch that another one trains on."""


def skip_together(trainer: Trainer, ranks: Ranks) -> None:
    """Have a rank that skips a batch meet the others, who must skip it too.

    Else the gradients that they wait for would be those of its next batch, at every step to the
    epoch's end, where one waits in vain (measured with gloo), or goes on if another skips as many.
    Ranks that skip nothing exchange nothing. While gradients are accumulated none are waited for;
    where steps are made by hand only the module knows.
    """
    if ranks.world_size == 1:
        return
    # A group of its own: on another, what is under way would be taken for an answer.
    group = dist.new_group(backend="gloo", timeout=timedelta(seconds=_seconds()))
    assert isinstance(group, dist.ProcessGroup)

    def meet() -> None:
        if trainer.lightning_module.automatic_optimization and not loops.is_accumulating(trainer):
            batch = [loops.epoch_of(trainer), loops.batches_done(trainer) - 1]
            _require_same(torch.tensor(batch), ranks, group)

    loops.watch_skipping(trainer, meet)


def _require_same(batch: torch.Tensor, ranks: Ranks, group: dist.ProcessGroup) -> None:
    said = f"batch {batch[1]} of epoch {batch[0]} is skipped on rank {ranks.rank}"
    everybodys = [torch.empty_like(batch) for _ in range(ranks.world_size)]
    try:
        dist.all_gather(everybodys, batch, group=group)
    except RuntimeError as error:  # in vain, or since another one is gone
        raise _uneven(f"{said}, and for {_seconds():g} s not on every other rank") from error
    if any(not torch.equal(each, batch) for each in everybodys):
        raise _uneven(f"{said}, and others skip another one")


def _seconds() -> float:
    """Less than those have who wait for gradients, so that this rank is the first to say why."""
    return collective_seconds() / 2


def _uneven(said: str) -> UnevenBatchesError:
    return UnevenBatchesError(
        f"{said}: it is None, or on_train_batch_start returned -1, while other ranks wait for"
        " its gradients",
        "let all ranks skip the same batches, or have the collate function fill up a batch with"
        " other samples",
    )
