"""What users of latent-variable models look at after a validation.

With a posterior q(z|x), a prior p(z) and a Gaussian observation model of unit variance,
p(x|z) = N(x; reconstruction, I), all in nats an item:

    elbo = E_q[log p(x|z)] + E_q[log p(z)] + H[q]
         = elbo_reconstruction + elbo_prior + elbo_entropy
    kl   = -(elbo_prior + elbo_entropy)

The ELBO is a lower bound of log p(x): higher is better. It does not depend on the
coefficients of the losses, so experiments that differ in them can be compared by it. The
expectations are means over the posterior's samples.

`active_units` is the share of latent dimensions in use: those where the posterior's mean
varies over the data set by more than 0.01 (Burda et al. 2016, arXiv:1509.00519).

The pieces are found by the names of the losses. A quantity appears where its pieces are:
`mse` with a `reconstr`, `active_units` with a `postr_neg_entr`, the ELBO with those and a
`prior_nll`. Several losses of one kind (several views of an item) add up.
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


class ValidationSums:
    """Sums over a validation set; every rank may see another number of batches.

    Nothing is exchanged and nothing waits for the device until `state` is asked for.
    """

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._items = 0

    def add(
        self, losses: Mapping[str, StructuredLoss], report: LossReport, batch_size: int
    ) -> None:
        """Add one batch of `batch_size` items."""
        self._items += batch_size
        self._add("loss", report.total * batch_size)
        for name, mean in report.parts.items():
            self._add(name, mean * batch_size)
        by_kind = _by_kind(losses.values())
        self._add_latents(by_kind.get("postr_neg_entr", []))
        self._add_reconstructions(by_kind.get("reconstr", []), batch_size)
        if by_kind.keys() >= {"postr_neg_entr", "prior_nll", "reconstr"}:
            self._add_elbo(by_kind, batch_size)

    def state(self) -> dict[str, Any]:
        """The sums on the host, to be merged with those of other ranks."""
        sums = {name: value.cpu() for name, value in self._sums.items()}
        return {"items": self._items, "sums": sums}

    def _add(self, name: str, value: Tensor) -> None:
        value = value.detach().to(accumulator_dtype(value.device))
        self._sums[name] = self._sums[name] + value if name in self._sums else value

    def _add_latents(self, posteriors: list[StructuredLoss]) -> None:
        means = [loss["details"]["mean"] for loss in posteriors if "details" in loss]
        if means:
            mean = torch.cat(means, dim=1)
            mean = mean.to(accumulator_dtype(mean.device))
            self._add("_mean", mean.sum(dim=0))
            self._add("_mean_square", mean.square().sum(dim=0))

    def _add_reconstructions(self, reconstructions: list[StructuredLoss], batch_size: int) -> None:
        errors = [_squared_errors(loss) for loss in reconstructions if "details" in loss]
        if errors:
            mean = torch.stack([error.mean() for error in errors]).mean()
            self._add("mse", mean * batch_size)

    def _add_elbo(self, by_kind: Mapping[str, list[StructuredLoss]], batch_size: int) -> None:
        priors = [loss["data"] for loss in by_kind["prior_nll"]]
        draws = priors[0].numel()  # items x posterior samples
        self._add("elbo_prior", -_total(nll.mean() for nll in priors) * batch_size)
        entropies = [-loss["data"].mean() for loss in by_kind["postr_neg_entr"]]
        self._add("elbo_entropy", _total(entropies) * batch_size)
        errors = [_squared_errors(loss) for loss in by_kind["reconstr"] if "details" in loss]
        log_prob = [
            -0.5 * (error.sum() / draws + error.numel() / draws * math.log(2 * math.pi))
            for error in errors
        ]
        self._add("elbo_reconstruction", _total(log_prob) * batch_size)


def merge(states: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """The metrics of a whole validation from the sums of all ranks, in rank order."""
    items = 0
    sums: dict[str, Tensor] = {}
    for state in states:
        items += state["items"]
        for name, value in state["sums"].items():
            sums[name] = sums[name] + value if name in sums else value
    means = {name: value / items for name, value in sums.items()}
    active = _active_units(means.pop("_mean", None), means.pop("_mean_square", None))
    metrics = {name: float(value) for name, value in means.items()}
    return metrics | active | _elbo(metrics)


def _elbo(metrics: Mapping[str, float]) -> dict[str, float]:
    if "elbo_prior" not in metrics:
        return {}
    kl = -(metrics["elbo_prior"] + metrics["elbo_entropy"])
    return {"kl": kl, "elbo": metrics["elbo_reconstruction"] - kl}


def _active_units(mean: Tensor | None, mean_square: Tensor | None) -> dict[str, float]:
    if mean is None or mean_square is None:
        return {}
    variance = mean_square - mean.square()
    return {"active_units": float((variance > ACTIVE_VARIANCE).double().mean())}


def _squared_errors(loss: StructuredLoss) -> Tensor:
    return (loss["details"]["prediction"] - loss["details"]["target"]).square()


def _by_kind(losses: Iterable[StructuredLoss]) -> dict[str, list[StructuredLoss]]:
    kinds: dict[str, list[StructuredLoss]] = {}
    for loss in losses:
        kinds.setdefault(loss["name"], []).append(loss)
    return kinds


def _total(values: Iterable[Tensor]) -> Tensor:
    return torch.stack(tuple(values)).sum()
