"""What users of latent-variable models look at after a validation.

With a posterior q(z|x), a prior p(z) and the observation model N(x; reconstruction, s² I),
in nats an item, expectations taken over the posterior's samples:

    elbo = E_q[log p(x|z)] + E_q[log p(z)] + H[q]
         = elbo_reconstruction + elbo_prior + elbo_entropy
    kl   = -(elbo_prior + elbo_entropy)

The ELBO is a lower bound of log p(x): higher is better. s² is the value that makes the
validation set likeliest, its mean square error (Rybkin et al. 2021, arXiv:2006.13202). So
the ELBO depends on no coefficient, and experiments that differ in them can be compared.

`active_units` is the share of latent dimensions in use: those where the posterior's mean
varies over the validation set by more than 0.01 (Burda et al. 2016, arXiv:1509.00519).

The pieces are found by the names of the losses. A quantity appears where its pieces are:
`mse` with a `reconstr`, `active_units` with a `postr_neg_entr`, the ELBO with those and a
`prior_nll`. Several losses of one kind (several views of an item) add up; `mse` is their
mean.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from pcm.chain.loss_manager import LossReport
from pcm.chain.running_means import accumulator_dtype
from pcm.chain.types import StructuredLoss

ACTIVE_VARIANCE = 0.01
"""A latent dimension is in use if its posterior mean varies by more than this."""

_SMALLEST_ERROR = 1e-12
"""A perfect reconstruction would have infinite likelihood."""


class ValidationSums:
    """Sums over a validation set; every rank may see another number of batches.

    Nothing is exchanged and nothing waits for the device until `state` is asked for.
    """

    def __init__(self) -> None:
        self._items = 0
        self._means: dict[str, Tensor] = {}
        self._errors: dict[str, Tensor] = {}
        self._sizes: dict[str, float] = {}
        self._latents: dict[str, Tensor] = {}

    def add(
        self, losses: Mapping[str, StructuredLoss], report: LossReport, batch_size: int
    ) -> None:
        """Add one batch of `batch_size` items."""
        self._items += batch_size
        means = {"loss": report.total, **report.parts, **_elbo_terms(losses.values())}
        for name, mean in means.items():
            _accumulate(self._means, name, mean * batch_size)
        draws = _posterior_draws(losses.values(), batch_size)
        for name, loss in losses.items():
            details = loss.get("details", {})
            if "prediction" in details:
                error = (details["prediction"] - details["target"]).square()
                _accumulate(self._errors, name, error.mean() * batch_size)
                self._sizes[name] = error.numel() / draws
            if "mean" in details:
                mean = details["mean"].to(accumulator_dtype(details["mean"].device))
                moments = torch.stack((mean.sum(dim=0), mean.square().sum(dim=0)))
                _accumulate(self._latents, name, moments)

    def state(self) -> dict[str, Any]:
        """The sums on the host, to be merged with those of other ranks."""
        return {
            "items": self._items,
            "sizes": self._sizes,
            "means": _on_host(self._means),
            "errors": _on_host(self._errors),
            "latents": _on_host(self._latents),
        }


def merge(states: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """The metrics of a whole validation from the sums of all ranks, in rank order.

    Empty if no rank has seen an item.
    """
    items = 0
    sizes: dict[str, float] = {}
    sums: dict[str, dict[str, Tensor]] = {"means": {}, "errors": {}, "latents": {}}
    for state in states:
        items += state["items"]
        sizes |= state["sizes"]
        for kind, totals in sums.items():
            for name, value in state[kind].items():
                _accumulate(totals, name, value)
    if items == 0:
        return {}
    metrics = {name: float(value) / items for name, value in sums["means"].items()}
    errors = {name: float(value) / items for name, value in sums["errors"].items()}
    if errors:
        metrics["mse"] = sum(errors.values()) / len(errors)
    if sums["latents"]:
        moments = torch.cat(tuple(sums["latents"].values()), dim=1) / items
        metrics["active_units"] = _active_units(moments)
    if "elbo_prior" in metrics:
        metrics |= _elbo(metrics, errors, sizes)
    return metrics


def _elbo_terms(losses: Iterable[StructuredLoss]) -> dict[str, Tensor]:
    """The two terms that are means of losses; nothing unless all pieces are there."""
    means: dict[str, Tensor] = {}
    for loss in losses:
        _accumulate(means, loss["name"], loss["data"].mean())
    if not means.keys() >= {"postr_neg_entr", "prior_nll", "reconstr"}:
        return {}
    return {"elbo_prior": -means["prior_nll"], "elbo_entropy": -means["postr_neg_entr"]}


def _elbo(
    metrics: Mapping[str, float], errors: Mapping[str, float], sizes: Mapping[str, float]
) -> dict[str, float]:
    """The ELBO's reconstruction term at the likeliest variance, and what follows from it."""
    log_prob = -sum(
        0.5 * sizes[name] * (math.log(2 * math.pi * max(error, _SMALLEST_ERROR)) + 1)
        for name, error in errors.items()
    )
    kl = -(metrics["elbo_prior"] + metrics["elbo_entropy"])
    return {"elbo_reconstruction": log_prob, "kl": kl, "elbo": log_prob - kl}


def _active_units(moments: Tensor) -> float:
    """Share of dimensions with a variance above the threshold, from (mean, mean square)."""
    mean, mean_square = moments
    return float((mean_square - mean.square() > ACTIVE_VARIANCE).double().mean())


def _posterior_draws(losses: Iterable[StructuredLoss], batch_size: int) -> int:
    """Items times posterior samples: a prior's likelihood has one number for each."""
    priors = (loss["data"].numel() for loss in losses if loss["name"] == "prior_nll")
    return next(priors, batch_size)


def _accumulate(sums: dict[str, Tensor], name: str, value: Tensor) -> None:
    value = value.detach().to(accumulator_dtype(value.device))
    sums[name] = sums[name] + value if name in sums else value


def _on_host(sums: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.cpu() for name, value in sums.items()}
