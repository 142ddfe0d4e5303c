"""Latent links against torch.distributions and plain loops."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch import distributions as td
from torch.nn import functional

from pcm.chain.links.latent import (
    ClusteringFuzzy,
    ConstraintLatent,
    PosteriorGaussian,
    PriorGaussianMixtureNLL,
    PriorVecConditionedLogitsGaussianMixtureNLL,
)
from pcm.errors import ConfigError

BATCH, SAMPLES, DIM, COMPONENTS, STD = 5, 3, 4, 6, 0.7
MIXTURE = {"n_components": COMPONENTS, "components_std": STD, "latent_dim": DIM}


def mixture(logits: Tensor, means: Tensor) -> td.MixtureSameFamily:
    """torch's own mixture of isotropic Gaussians."""
    components = td.Independent(td.Normal(means, torch.full_like(means, STD)), 1)
    return td.MixtureSameFamily(td.Categorical(logits=logits), components)


def randomized(link: torch.nn.Module) -> Any:
    """The link with parameters far from their initial values."""
    for parameter in link.parameters():
        torch.nn.init.normal_(parameter)
    return link


@pytest.fixture
def latents() -> Tensor:
    return torch.randn(BATCH, SAMPLES, DIM)


@pytest.fixture
def posterior() -> PosteriorGaussian:
    return PosteriorGaussian({"std_transform": "softplus", "loss_coef_posterior_entropy": 0.5})


@pytest.fixture
def prior() -> PriorGaussianMixtureNLL:
    link: PriorGaussianMixtureNLL = randomized(
        PriorGaussianMixtureNLL(MIXTURE | {"loss_coef_prior_nll": 0.25})
    )
    return link


@pytest.fixture
def conditioned() -> PriorVecConditionedLogitsGaussianMixtureNLL:
    cfg = MIXTURE | {"loss_coef_prior_nll": 0.25}
    link: PriorVecConditionedLogitsGaussianMixtureNLL = randomized(
        PriorVecConditionedLogitsGaussianMixtureNLL(cfg)
    )
    return link


class TestPosteriorGaussian:
    def test_entropy_is_that_of_the_gaussian(self, posterior: PosteriorGaussian) -> None:
        encoded = torch.randn(BATCH, 2 * DIM)
        _, (loss,) = posterior({"z": encoded}, data_name="z", n_latent_samples=SAMPLES)
        mean, raw = encoded[:, :DIM], encoded[:, DIM:]
        normal = td.Independent(td.Normal(mean, functional.softplus(raw) + 1e-8), 1)
        torch.testing.assert_close(loss["data"], -normal.entropy().unsqueeze(1))
        assert loss["data"].shape == (BATCH, 1)
        assert (loss["name"], loss["coef"], loss["reduced"]) == ("postr_neg_entr", 0.5, False)

    def test_samples_have_the_posteriors_moments(self, posterior: PosteriorGaussian) -> None:
        encoded = torch.tensor([[1.0, -2.0, 0.5, -3.0]])
        batch, _ = posterior({"z": encoded}, data_name="z", n_latent_samples=40_000)
        assert batch["z"].shape == (1, 40_000, 2)
        std = functional.softplus(encoded[0, 2:])
        torch.testing.assert_close(batch["z"][0].mean(0), encoded[0, :2], atol=0.02, rtol=0)
        torch.testing.assert_close(batch["z"][0].std(0), std, atol=0, rtol=0.02)

    def test_gradients_reach_mean_and_std_through_the_samples(
        self, posterior: PosteriorGaussian
    ) -> None:
        encoded = torch.randn(BATCH, 2 * DIM, requires_grad=True)
        batch, _ = posterior({"z": encoded}, data_name="z", n_latent_samples=SAMPLES)
        batch["z"].sum().backward()
        assert encoded.grad is not None
        assert torch.equal(encoded.grad[:, :DIM], torch.full((BATCH, DIM), float(SAMPLES)))
        assert (encoded.grad[:, DIM:] != 0).all()

    def test_a_vanishing_std_has_finite_entropy(self, posterior: PosteriorGaussian) -> None:
        encoded = torch.full((1, 2), -1e4)
        _, (loss,) = posterior({"z": encoded}, data_name="z", n_latent_samples=1)
        expected = -td.Normal(0.0, 1e-8).entropy()
        torch.testing.assert_close(loss["data"][0, 0], expected)

    def test_low_precision_is_left_behind(self, posterior: PosteriorGaussian) -> None:
        encoded = torch.randn(BATCH, 2 * DIM).bfloat16()
        batch, (loss,) = posterior({"z": encoded}, data_name="z", n_latent_samples=1)
        assert batch["z"].dtype == loss["data"].dtype == torch.float32

    def test_an_unknown_std_transform_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="std transform"):
            PosteriorGaussian({"std_transform": "exp", "loss_coef_posterior_entropy": 1.0})


class TestPriorGaussianMixtureNLL:
    def test_unknown_components(self, prior: PriorGaussianMixtureNLL, latents: Tensor) -> None:
        batch, (loss,) = prior.forward_unknown({"z": latents}, data_name="z")
        expected = -mixture(prior.component_logits, prior.component_means).log_prob(latents)
        torch.testing.assert_close(loss["data"], expected)
        assert batch["z"] is latents
        assert (loss["name"], loss["coef"], loss["reduced"]) == ("prior_nll", 0.25, False)

    def test_known_components(self, prior: PriorGaussianMixtureNLL, latents: Tensor) -> None:
        components = torch.tensor([0, 5, 2, 2, 1])
        batch = {"z": latents, "c": components}
        _, (loss,) = prior.forward_known(batch, data_name="z", component_indicator_name="c")
        for item, component in enumerate(components):
            normal = td.Independent(td.Normal(prior.component_means[component], STD), 1)
            torch.testing.assert_close(loss["data"][item], -normal.log_prob(latents[item]))

    def test_mixed_is_known_where_known_and_unknown_elsewhere(
        self, prior: PriorGaussianMixtureNLL, latents: Tensor
    ) -> None:
        indicator = torch.tensor([0, -1, 2, -1, 1])
        batch = {"z": latents, "c": indicator}
        names = {"data_name": "z", "component_indicator_name": "c"}
        _, (mixed,) = prior.forward_mixed(batch, **names)
        _, (unknown,) = prior.forward_unknown({"z": latents}, data_name="z")
        _, (known,) = prior.forward_known(batch | {"c": indicator.clamp(min=0)}, **names)
        for item, component in enumerate(indicator.tolist()):
            source = unknown if component == -1 else known
            torch.testing.assert_close(mixed["data"][item], source["data"][item])

    @pytest.mark.parametrize("indicator", [[-1] * BATCH, [3] * BATCH])
    def test_mixed_with_all_or_none_known(
        self, prior: PriorGaussianMixtureNLL, latents: Tensor, indicator: list[int]
    ) -> None:
        batch = {"z": latents, "c": torch.tensor(indicator)}
        _, (loss,) = prior.forward_mixed(batch, data_name="z", component_indicator_name="c")
        assert loss["data"].shape == (BATCH, SAMPLES)
        loss["data"].sum().backward()
        assert prior.component_logits.grad is not None
        assert torch.isfinite(prior.component_logits.grad).all()

    def test_gradients_equal_those_of_torchs_mixture(
        self, prior: PriorGaussianMixtureNLL, latents: Tensor
    ) -> None:
        _, (loss,) = prior.forward_unknown({"z": latents}, data_name="z")
        parameters = (prior.component_logits, prior.component_means)
        ours = torch.autograd.grad(loss["data"].sum(), parameters)
        reference = -mixture(*parameters).log_prob(latents).sum()
        for gradient, expected in zip(
            ours, torch.autograd.grad(reference, parameters), strict=True
        ):
            torch.testing.assert_close(gradient, expected, atol=1e-4, rtol=1e-4)

    def test_latents_far_from_every_component_stay_finite(
        self, prior: PriorGaussianMixtureNLL
    ) -> None:
        _, (loss,) = prior.forward_unknown({"z": torch.full((1, 1, DIM), 1e3)}, data_name="z")
        assert torch.isfinite(loss["data"]).all()

    def test_a_new_mixture_has_equal_weights(self) -> None:
        link = PriorGaussianMixtureNLL(MIXTURE | {"loss_coef_prior_nll": 1.0})
        assert torch.equal(link.component_logits, torch.zeros(COMPONENTS))


class TestPriorVecConditioned:
    def test_each_item_has_its_own_mixture(
        self, conditioned: PriorVecConditionedLogitsGaussianMixtureNLL, latents: Tensor
    ) -> None:
        logits = torch.randn(BATCH, COMPONENTS)
        batch, (loss,) = conditioned({"z": latents, "l": logits}, data_name="z", logits_name="l")
        assert batch["z"] is latents
        assert loss["data"].shape == (BATCH, SAMPLES)
        for item in range(BATCH):
            own = mixture(logits[item], conditioned.component_means)
            torch.testing.assert_close(loss["data"][item], -own.log_prob(latents[item]))

    def test_gradients_reach_logits_means_and_latents(
        self, conditioned: PriorVecConditionedLogitsGaussianMixtureNLL, latents: Tensor
    ) -> None:
        logits = torch.randn(BATCH, COMPONENTS, requires_grad=True)
        latents.requires_grad_()
        batch = {"z": latents, "l": logits}
        _, (loss,) = conditioned(batch, data_name="z", logits_name="l")
        loss["data"].sum().backward()
        for tensor in (logits, latents, conditioned.component_means):
            assert tensor.grad is not None
            assert tensor.grad.abs().sum() > 0

    def test_autocast_does_not_change_the_likelihood(
        self, conditioned: PriorVecConditionedLogitsGaussianMixtureNLL, latents: Tensor
    ) -> None:
        batch = {"z": latents, "l": torch.randn(BATCH, COMPONENTS)}
        _, (full,) = conditioned(batch, data_name="z", logits_name="l")
        with torch.autocast("cpu", dtype=torch.bfloat16):
            _, (mixed,) = conditioned(batch, data_name="z", logits_name="l")
        assert torch.equal(mixed["data"], full["data"])

    def test_samples_come_from_the_items_components(
        self, conditioned: PriorVecConditionedLogitsGaussianMixtureNLL
    ) -> None:
        chosen = torch.tensor([4, 0])
        logits = torch.full((2, COMPONENTS), -1e4)
        logits[torch.arange(2), chosen] = 0
        batch, losses = conditioned.sample(
            {"l": logits}, n_latent_samples=20_000, data_name="z", logits_name="l"
        )
        assert losses == []
        assert batch["z"].shape == (2, 20_000, DIM)
        means = conditioned.component_means[chosen]
        torch.testing.assert_close(batch["z"].mean(1), means, atol=0.03, rtol=0)
        spread = batch["z"].std(1)
        torch.testing.assert_close(spread, torch.full_like(spread, STD), atol=0.02, rtol=0)

    def test_samples_follow_the_weights(
        self, conditioned: PriorVecConditionedLogitsGaussianMixtureNLL
    ) -> None:
        with torch.no_grad():
            conditioned.component_means.copy_(100.0 * torch.arange(COMPONENTS).reshape(-1, 1))
        weights = torch.tensor([0.5, 0.2, 0.1, 0.1, 0.1, 0.0])
        batch, _ = conditioned.sample(
            {"l": weights.log().unsqueeze(0)},
            n_latent_samples=20_000,
            data_name="z",
            logits_name="l",
        )
        nearest = (batch["z"][0, :, 0] / 100).round().long()
        shares = torch.bincount(nearest, minlength=COMPONENTS) / 20_000
        torch.testing.assert_close(shares, weights, atol=0.02, rtol=0)

    def test_get_means(self, conditioned: PriorVecConditionedLogitsGaussianMixtureNLL) -> None:
        batch, losses = conditioned.get_means({}, gm_means_name="means")
        assert losses == []
        assert torch.equal(batch["means"], conditioned.component_means)


class TestClusteringFuzzy:
    @pytest.mark.parametrize("method", ["l2", "huber"])
    def test_losses(self, method: str, latents: Tensor) -> None:
        cfg = MIXTURE | {
            "constraint_method": method,
            "loss_coef_latent_fuzzy_clustering": 2.0,
            "loss_coef_clustering_component_reg": 3.0,
        }
        link = randomized(ClusteringFuzzy(cfg))
        _, (clustering, regularization) = link({"z": latents}, data_name="z")
        own = mixture(link.component_logits, link.component_means)
        torch.testing.assert_close(clustering["data"], -own.log_prob(latents))
        assert (clustering["name"], clustering["coef"]) == ("fuzz_clust", 2.0)
        assert not clustering["reduced"]

        probabilities = link.component_logits.softmax(0)
        expected = sum(
            p * _constraint(method, mean)
            for p, mean in zip(probabilities, link.component_means, strict=True)
        )
        torch.testing.assert_close(regularization["data"], expected)
        assert (regularization["name"], regularization["coef"]) == ("comp_clust_reg", 3.0)
        assert regularization["reduced"]

    def test_the_regularization_does_not_move_the_weights(self) -> None:
        cfg = MIXTURE | {
            "constraint_method": "l2",
            "loss_coef_latent_fuzzy_clustering": 1.0,
            "loss_coef_clustering_component_reg": 1.0,
        }
        link = randomized(ClusteringFuzzy(cfg))
        _, (_, regularization) = link({"z": torch.zeros(1, 1, DIM)}, data_name="z")
        regularization["data"].backward()
        assert link.component_logits.grad is None
        assert link.component_means.grad.abs().sum() > 0


@pytest.mark.parametrize("method", ["l2", "huber"])
def test_constraint_is_the_mean_over_everything(method: str, latents: Tensor) -> None:
    link = ConstraintLatent({"constraint_method": method, "loss_coef_latent_constraint": 0.1})
    _, (loss,) = link({"z": 2 * latents}, data_name="z")
    torch.testing.assert_close(loss["data"], _constraint(method, 2 * latents.flatten()))
    assert (loss["name"], loss["coef"], loss["reduced"]) == ("lat_constr", 0.1, True)
    assert loss["data"].shape == ()


def _constraint(method: str, x: Tensor) -> Tensor:
    """One number after the other."""
    terms = []
    for value in x:
        size = value.abs()
        huber = 0.5 * value**2 if size <= 1 else size - 0.5
        terms.append(value**2 if method == "l2" else huber)
    return torch.stack(terms).mean()
