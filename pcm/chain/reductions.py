"""Tensor reductions that a config names, in the form einops takes."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

import torch
from torch import Tensor

from pcm.chain.choice import choose

Reductor: TypeAlias = Callable[[Tensor, tuple[int, ...]], Tensor]
"""Takes a tensor and the dimensions to reduce away."""


def _mean(tensor: Tensor, dim: tuple[int, ...]) -> Tensor:
    # The gradient of torch.mean is a whole tensor of quotients, which costs as much as the
    # loss of an image itself; that of a sum is an expanded view.
    return tensor.sum(dim=dim) / math.prod(tensor.shape[each] for each in dim)


def _logsumexp(tensor: Tensor, dim: tuple[int, ...]) -> Tensor:
    return torch.logsumexp(tensor, dim=dim)


REDUCTORS: dict[str, Callable[..., Tensor]] = {"mean": _mean, "logsumexp": _logsumexp}


def get_reductor(name: str, kwargs: Mapping[str, Any]) -> Reductor:
    """The reduction called `name`, with `kwargs` for torch's function bound to it.

    Raises:
        ConfigError: there is no such reduction.
    """
    return partial(choose(REDUCTORS, name, "tensor reductor"), **kwargs)
