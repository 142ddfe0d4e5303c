"""Links that only move data about."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from typing import Any

import einops
import torch
from torch import Tensor, nn

from pcm.chain.choice import choose
from pcm.chain.types import Batch, LinkOutput
from pcm.config.structures import links as structures


def _concat(tensors: Sequence[Tensor], dim: int) -> Tensor:
    return torch.cat(tuple(tensors), dim=dim)


def _sum(tensors: Sequence[Tensor]) -> Tensor:
    return reduce(torch.add, tensors)


AGGREGATIONS: dict[str, Callable[..., Tensor]] = {"concat": _concat, "sum": _sum}


class Adapter(nn.Module):
    """Joins tensors into new ones."""

    _config_structure = structures.ADAPTER

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        super().__init__()
        aggregation = choose(AGGREGATIONS, cfg["aggregation_type"], "aggregation type")
        self._aggregate = partial(aggregation, **cfg["kwargs"])

    def forward(self, batch: Batch, batch_aggr_def: Mapping[str, Sequence[str]]) -> LinkOutput:
        """Create each name of `batch_aggr_def` from the tensors it lists.

        What was consumed and not created again leaves the batch.
        """
        for name, consumed in batch_aggr_def.items():
            batch[name] = self._aggregate([batch[part] for part in consumed])
        consumed_names = {part for consumed in batch_aggr_def.values() for part in consumed}
        for name in consumed_names - batch_aggr_def.keys():
            del batch[name]
        return batch, []


class Cloner(nn.Module):
    """Gives a tensor a second name."""

    _config_structure = structures.CLONER

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        super().__init__()
        del cfg

    def forward(
        self, batch: Batch, data_name: str, clone_name: str, clone: bool = True
    ) -> LinkOutput:
        """Put a copy of `data_name`, or with `clone` false the tensor itself, at `clone_name`."""
        data = batch[data_name]
        batch[clone_name] = data.clone() if clone else data
        return batch, []


class Rearranger(nn.Module):
    """`einops.rearrange`."""

    _config_structure = structures.REARRANGER

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        super().__init__()
        del cfg

    def forward(self, batch: Batch, data_name: str, pattern: str, **axes: int) -> LinkOutput:
        """Replace `data_name` by its rearrangement."""
        batch[data_name] = einops.rearrange(batch[data_name], pattern, **axes)
        return batch, []


class Repeater(nn.Module):
    """`einops.repeat`."""

    _config_structure = structures.REPEATER

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        super().__init__()
        del cfg

    def forward(self, batch: Batch, data_name: str, pattern: str, **axes: int) -> LinkOutput:
        """Replace `data_name` by its repetition."""
        batch[data_name] = einops.repeat(batch[data_name], pattern, **axes)
        return batch, []
