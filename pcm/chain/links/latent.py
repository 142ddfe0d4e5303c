"""Posteriors, priors and constraints of a latent space."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from pcm.chain.choice import choose
from pcm.chain.mixture import component_log_prob, mixture_log_prob, sample_mixture
from pcm.chain.types import Batch, LinkOutput, StructuredLoss, at_least_float32
from pcm.config.structures import links as structures

UNKNOWN_COMPONENT = -1
"""Component indicator of an item whose component nobody knows."""

_SMALLEST_STD = 1e-8


def _softplus(raw: Tensor) -> Tensor:
    return functional.softplus(raw) + _SMALLEST_STD


def _mean_square(x: Tensor) -> Tensor:
    return x.square().mean(dim=-1)


def _mean_huber(x: Tensor) -> Tensor:
    zeros = torch.zeros_like(x)
    return functional.huber_loss(x, zeros, reduction="none", delta=1.0).mean(dim=-1)


STD_TRANSFORMS: dict[str, Callable[[Tensor], Tensor]] = {"softplus": _softplus}
CONSTRAINTS: dict[str, Callable[[Tensor], Tensor]] = {"l2": _mean_square, "huber": _mean_huber}
"""Means over the last dimension."""


class PosteriorGaussian(nn.Module):
    """Diagonal Gaussian posterior, sampled by reparametrisation (Kingma & Welling 2013)."""

    _config_structure = structures.POSTERIOR_GAUSSIAN

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        super().__init__()
        self._std_transform = choose(STD_TRANSFORMS, cfg["std_transform"], "std transform")
        self._coef = float(cfg["loss_coef_posterior_entropy"])

    def forward(self, batch: Batch, data_name: str, n_latent_samples: int) -> LinkOutput:
        """Replace `data_name`, (batch, 2·dim), by samples (batch, n_latent_samples, dim).

        The first half of dimension 1 is the mean, the second half the raw standard deviation.
        Loss `postr_neg_entr`, (batch, 1): minus the entropy in nats, summed over dim.
        """
        mean, raw_std = at_least_float32(batch[data_name]).chunk(2, dim=1)
        std = self._std_transform(raw_std)
        noise = torch.randn(
            len(mean), n_latent_samples, mean.shape[1], dtype=mean.dtype, device=mean.device
        )
        batch[data_name] = mean.unsqueeze(1) + std.unsqueeze(1) * noise
        entropy = std.log() + 0.5 * (1 + math.log(2 * math.pi))
        loss = StructuredLoss(
            data=-entropy.sum(dim=1, keepdim=True),
            coef=self._coef,
            name="postr_neg_entr",
            reduced=False,
            details={"mean": mean.detach()},
        )
        return batch, [loss]


class _LearnedMixture(nn.Module):
    """Learned logits and means, one fixed isotropic standard deviation."""

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        super().__init__()
        self.component_logits = nn.Parameter(torch.zeros(cfg["n_components"]))
        self.component_means = _new_means(cfg)
        self._std = float(cfg["components_std"])

    def _nll(self, x: Tensor) -> Tensor:
        """(batch, samples, dim) -> (batch, samples)."""
        return -mixture_log_prob(x, self.component_logits, self.component_means, self._std)

    def _component_nll(self, x: Tensor, components: Tensor) -> Tensor:
        """(batch, samples, dim), (batch,) -> (batch, samples), each item under its component."""
        log_probs = component_log_prob(x, self.component_means, self._std)
        index = components.long().reshape(-1, 1, 1).expand(-1, x.shape[1], 1)
        return -log_probs.gather(2, index).squeeze(2)


def _new_means(cfg: Mapping[str, Any]) -> nn.Parameter:
    means = torch.empty(cfg["n_components"], cfg["latent_dim"])
    return nn.Parameter(nn.init.xavier_normal_(means))


class PriorGaussianMixtureNLL(_LearnedMixture):
    """Negative log-likelihood of latents under a mixture of Gaussians.

    Each method adds the loss `prior_nll`, (batch, samples), for latents of shape
    (batch, samples, dim); the batch stays as it is.
    """

    _config_structure = structures.PRIOR_GAUSSIAN_MIXTURE_NLL

    partial_methods = frozenset({"forward_known"})
    """Methods that leave some parameters without a gradient: here the mixture's weights."""

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        super().__init__(cfg)
        self._coef = float(cfg["loss_coef_prior_nll"])

    def forward_unknown(self, batch: Batch, data_name: str) -> LinkOutput:
        """No item's component is known: likelihood under the whole mixture."""
        return batch, [self._loss(self._nll(batch[data_name]))]

    def forward_known(
        self, batch: Batch, data_name: str, component_indicator_name: str
    ) -> LinkOutput:
        """Every item's component is known, (batch,): likelihood under that component."""
        nll = self._component_nll(batch[data_name], batch[component_indicator_name])
        return batch, [self._loss(nll)]

    def forward_mixed(
        self, batch: Batch, data_name: str, component_indicator_name: str
    ) -> LinkOutput:
        """Items with indicator -1 under the whole mixture, the others under their component."""
        x, indicator = batch[data_name], batch[component_indicator_name]
        unknown = indicator == UNKNOWN_COMPONENT
        known_nll = self._component_nll(x, indicator.masked_fill(unknown, 0))
        nll = torch.where(unknown.reshape(-1, 1), self._nll(x), known_nll)
        return batch, [self._loss(nll)]

    def _loss(self, nll: Tensor) -> StructuredLoss:
        return StructuredLoss(data=nll, coef=self._coef, name="prior_nll", reduced=False)


class PriorVecConditionedLogitsGaussianMixtureNLL(nn.Module):
    """Mixture prior whose logits come from the batch: one mixture an item, shared means."""

    _config_structure = structures.PRIOR_VEC_CONDITIONED_LOGITS_GAUSSIAN_MIXTURE_NLL

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        super().__init__()
        self.component_means = _new_means(cfg)
        self._std = float(cfg["components_std"])
        self._coef = float(cfg["loss_coef_prior_nll"])

    def forward(self, batch: Batch, data_name: str, logits_name: str) -> LinkOutput:
        """Loss `prior_nll`, (batch, samples), of latents (batch, samples, dim).

        The logits are (batch, components). The batch stays as it is.
        """
        logits = batch[logits_name].unsqueeze(1)
        log_prob = mixture_log_prob(batch[data_name], logits, self.component_means, self._std)
        loss = StructuredLoss(data=-log_prob, coef=self._coef, name="prior_nll", reduced=False)
        return batch, [loss]

    def sample(
        self, batch: Batch, n_latent_samples: int, data_name: str, logits_name: str
    ) -> LinkOutput:
        """Put samples of each item's prior, (batch, n_latent_samples, dim), at `data_name`."""
        batch[data_name] = sample_mixture(
            n_latent_samples, batch[logits_name], self.component_means, self._std
        )
        return batch, []

    def get_means(self, batch: Batch, gm_means_name: str) -> LinkOutput:
        """Put the components' means, (components, dim), at `gm_means_name`."""
        batch[gm_means_name] = self.component_means
        return batch, []


class ClusteringFuzzy(_LearnedMixture):
    """Pulls latents towards the clusters of a mixture, and the clusters towards the origin."""

    _config_structure = structures.CLUSTERING_FUZZY

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        super().__init__(cfg)
        self._constraint = choose(CONSTRAINTS, cfg["constraint_method"], "constraint")
        self._clustering_coef = float(cfg["loss_coef_latent_fuzzy_clustering"])
        self._regularization_coef = float(cfg["loss_coef_clustering_component_reg"])

    def forward(self, batch: Batch, data_name: str) -> LinkOutput:
        """Losses of latents (batch, samples, dim); the batch stays as it is.

        `fuzz_clust`, (batch, samples): negative log-likelihood under the mixture.
        `comp_clust_reg`, a scalar: the constraint on each mean, weighted by its probability.
        """
        # Detached: a heavy component must not lose weight only because its mean is far out.
        weights = self.component_logits.detach().softmax(dim=0)
        clustering = StructuredLoss(
            data=self._nll(batch[data_name]),
            coef=self._clustering_coef,
            name="fuzz_clust",
            reduced=False,
        )
        regularization = StructuredLoss(
            data=(weights * self._constraint(self.component_means)).sum(),
            coef=self._regularization_coef,
            name="comp_clust_reg",
            reduced=True,
        )
        return batch, [clustering, regularization]


class ConstraintLatent(nn.Module):
    """Pulls latents towards the origin."""

    _config_structure = structures.CONSTRAINT_LATENT

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        super().__init__()
        self._constraint = choose(CONSTRAINTS, cfg["constraint_method"], "constraint")
        self._coef = float(cfg["loss_coef_latent_constraint"])

    def forward(self, batch: Batch, data_name: str) -> LinkOutput:
        """Loss `lat_constr`, a scalar: the constraint's mean over all of `data_name`."""
        constraint = self._constraint(at_least_float32(batch[data_name])).mean()
        loss = StructuredLoss(data=constraint, coef=self._coef, name="lat_constr", reduced=True)
        return batch, [loss]
