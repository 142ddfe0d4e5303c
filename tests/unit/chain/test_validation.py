"""Validation metrics against plain computations over a whole data set."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch import distributions as td

from pcm.chain.loss_manager import LossReport
from pcm.chain.types import StructuredLoss
from pcm.chain.validation import ValidationSums, merge

ITEMS, SAMPLES, DIM, PIXELS = 10, 3, 4, 6


@pytest.fixture
def data() -> dict[str, Tensor]:
    """Everything about a data set that a chain would compute."""
    mean = torch.randn(ITEMS, DIM) * torch.tensor([1.0, 0.2, 0.05, 0.0])
    return {
        "mean": mean,
        "entropy": torch.randn(ITEMS, 1),
        "nll": torch.randn(ITEMS, SAMPLES),
        "prediction": torch.rand(ITEMS, SAMPLES, PIXELS),
        "target": torch.rand(ITEMS, SAMPLES, PIXELS),
    }


def losses_of(data: dict[str, Tensor]) -> dict[str, StructuredLoss]:
    reconstruction = (data["prediction"] - data["target"]).abs().mean(-1)
    return {
        "postr_neg_entr-p": _loss("postr_neg_entr", -data["entropy"], mean=data["mean"]),
        "prior_nll-q": _loss("prior_nll", data["nll"]),
        "reconstr-r": _loss(
            "reconstr", reconstruction, prediction=data["prediction"], target=data["target"]
        ),
    }


def _loss(name: str, data: Tensor, **details: Tensor) -> StructuredLoss:
    return StructuredLoss(data=data, coef=1.0, name=name, reduced=False, details=details)


def sums_of(data: dict[str, Tensor], sizes: list[int], leave_out: str = "") -> ValidationSums:
    """The sums after batches of these sizes."""
    sums = ValidationSums()
    parts = {name: tensor.split(sizes) for name, tensor in data.items()}
    for index, size in enumerate(sizes):
        losses = losses_of({name: split[index] for name, split in parts.items()})
        losses = {name: loss for name, loss in losses.items() if loss["name"] != leave_out}
        means = {name: loss["data"].mean() for name, loss in losses.items()}
        total = torch.stack(list(means.values())).sum()
        sums.add(losses, LossReport(total, means, dict.fromkeys(losses, 1.0)), size)
    return sums


def expected(data: dict[str, Tensor]) -> dict[str, float]:
    error = (data["prediction"] - data["target"]).square().mean().item()
    normal = td.Normal(data["prediction"], math.sqrt(error))
    log_prob = normal.log_prob(data["target"]).sum(-1).mean().item()
    entropy, nll = data["entropy"].mean().item(), data["nll"].mean().item()
    return {
        "mse": error,
        "elbo_reconstruction": log_prob,
        "elbo_entropy": entropy,
        "elbo_prior": -nll,
        "kl": nll - entropy,
        "elbo": log_prob - nll + entropy,
    }


def test_metrics_are_those_of_the_whole_set(data: dict[str, Tensor]) -> None:
    metrics = merge([sums_of(data, [4, 4, 2]).state()])
    for name, value in expected(data).items():
        assert metrics[name] == pytest.approx(value, rel=1e-5), name
    assert metrics["prior_nll-q"] == pytest.approx(data["nll"].mean().item(), rel=1e-6)
    parts = ("postr_neg_entr-p", "prior_nll-q", "reconstr-r")
    assert metrics["loss"] == pytest.approx(sum(metrics[name] for name in parts), rel=1e-6)


def test_neither_batches_nor_ranks_make_a_difference(data: dict[str, Tensor]) -> None:
    whole = merge([sums_of(data, [ITEMS]).state()])
    first = {name: tensor[:7] for name, tensor in data.items()}
    second = {name: tensor[7:] for name, tensor in data.items()}
    ranks = [sums_of(first, [3, 4]), sums_of(second, [3]), ValidationSums()]
    merged = merge([sums.state() for sums in ranks])
    assert merged.keys() == whole.keys()
    assert merged == pytest.approx(whole, rel=1e-6, abs=1e-6)


def test_active_units_count_dimensions_whose_mean_varies(data: dict[str, Tensor]) -> None:
    variances = data["mean"].var(dim=0, correction=0)
    share = (variances > 0.01).float().mean().item()
    assert merge([sums_of(data, [5, 5]).state()])["active_units"] == share


def test_a_large_offset_does_not_make_a_dimension_active(data: dict[str, Tensor]) -> None:
    still = data | {"mean": torch.full((ITEMS, DIM), 300.0)}
    assert merge([sums_of(still, [5, 5]).state()])["active_units"] == 0.0


def test_a_perfect_reconstruction_has_a_finite_elbo(data: dict[str, Tensor]) -> None:
    metrics = merge([sums_of(data | {"target": data["prediction"]}, [ITEMS]).state()])
    assert math.isfinite(metrics["elbo"])


@pytest.mark.parametrize(
    ("leave_out", "present", "absent"),
    [
        ("prior_nll", {"mse", "active_units"}, {"elbo", "kl", "elbo_entropy"}),
        ("reconstr", {"active_units"}, {"mse", "elbo", "kl"}),
        ("postr_neg_entr", {"mse"}, {"active_units", "elbo", "kl"}),
    ],
)
def test_metrics_are_there_where_their_pieces_are(
    data: dict[str, Tensor], leave_out: str, present: set[str], absent: set[str]
) -> None:
    metrics = merge([sums_of(data, [ITEMS], leave_out).state()])
    assert metrics.keys() >= present
    assert not metrics.keys() & absent


def test_losses_of_ones_own_need_no_details() -> None:
    own: Any = {"data": torch.ones(4), "coef": 1.0, "name": "reconstr", "reduced": False}
    sums = ValidationSums()
    sums.add({"reconstr-x": own}, LossReport(torch.tensor(1.0), {}, {}), 4)
    assert merge([sums.state()]) == {"loss": 1.0}


def test_a_validation_without_items_has_no_metrics() -> None:
    assert merge([ValidationSums().state(), ValidationSums().state()]) == {}
