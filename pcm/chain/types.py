"""What links take and give: batches and structured losses."""

from typing import NotRequired, TypeAlias, TypedDict

import torch
from torch import Tensor

Batch: TypeAlias = dict[str, Tensor]
"""Tensors by name; the first dimension of each is the batch."""


class StructuredLoss(TypedDict):
    """One loss of one link, before the loss manager weighs and reduces it."""

    data: Tensor
    coef: float
    name: str
    reduced: bool
    """Whether `data` is a scalar already."""
    details: NotRequired[dict[str, Tensor]]
    """What validation needs to know beside the loss itself, e.g. the posterior's mean."""


LinkOutput: TypeAlias = tuple[Batch, list[StructuredLoss]]
"""What a link's method returns: the batch and the losses it computed."""


def at_least_float32(tensor: Tensor) -> Tensor:
    """`tensor` itself, or its float32 copy if it came out of a low-precision product."""
    return tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor
