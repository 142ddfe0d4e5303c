"""Mixtures of isotropic Gaussians with one fixed standard deviation."""

import math

import torch
from torch import Tensor

from pcm.chain.types import at_least_float32


def component_log_prob(x: Tensor, means: Tensor, std: float) -> Tensor:
    """The log-density N(x; mean_k, std² I) under every component k.

    Args:
        x: (..., dim).
        means: (components, dim).

    Returns:
        (..., components), in float32 at least whatever the precision around it.
    """
    # One product for |x - mean|² instead of a tensor of all differences. Low precision would
    # lose the small difference of large numbers, so autocast stays out.
    with torch.autocast(x.device.type, enabled=False):
        scaled, centres = at_least_float32(x) / std, means / std
        products = scaled @ centres.T
        squares = scaled.square().sum(-1, keepdim=True) + centres.square().sum(-1)
        dim = means.shape[1]
        return products - 0.5 * (squares + dim * math.log(2 * math.pi * std**2))


def mixture_log_prob(x: Tensor, logits: Tensor, means: Tensor, std: float) -> Tensor:
    """The mixture's log-density at x.

    Args:
        x: (batch, samples, dim).
        logits: (components,), or (batch, 1, components) for one mixture an item.
        means: (components, dim).

    Returns:
        (batch, samples).
    """
    log_weights = torch.log_softmax(at_least_float32(logits), dim=-1)
    return torch.logsumexp(log_weights + component_log_prob(x, means, std), dim=-1)


def sample_mixture(n_samples: int, logits: Tensor, means: Tensor, std: float) -> Tensor:
    """Draw from one mixture an item; no gradient flows through the choice of component.

    Args:
        logits: (batch, components).
        means: (components, dim).

    Returns:
        (batch, n_samples, dim).
    """
    weights = torch.softmax(at_least_float32(logits), dim=-1)
    components = torch.multinomial(weights, n_samples, replacement=True)
    centres = means[components]
    return centres + std * torch.randn_like(centres)
