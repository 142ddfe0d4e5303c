"""The reconstruction loss."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from pcm.chain.links.loss import Reconstruction


def reconstruction(**changes: Any) -> Reconstruction:
    cfg = {
        "coef": 0.5,
        "loss_fn": {"name": "mse", "kwargs": {"reduction": "none"}},
        "tensor_reductor": {"name": "mean", "kwargs": {}},
    }
    return Reconstruction(cfg | changes)


@pytest.fixture
def pair() -> dict[str, Tensor]:
    return {"x": torch.randn(3, 2, 1, 4, 4), "y": torch.randn(3, 2, 1, 4, 4)}


def loss_of(link: Reconstruction, batch: dict[str, Tensor], pattern: str) -> Any:
    after, (loss,) = link(batch, data_name="x", target_name="y", reduce_pattern=pattern)
    assert after is batch
    return loss


@pytest.mark.parametrize(
    ("loss_fn", "reference"),
    [
        ({"name": "mse", "kwargs": {"reduction": "none"}}, functional.mse_loss),
        ({"name": "l1", "kwargs": {"reduction": "none"}}, functional.l1_loss),
        ({"name": "smooth_l1", "kwargs": {"reduction": "none"}}, functional.smooth_l1_loss),
    ],
)
def test_loss_functions(loss_fn: Any, reference: Any, pair: dict[str, Tensor]) -> None:
    loss = loss_of(reconstruction(loss_fn=loss_fn), pair, "b s 1 h w -> b s")
    expected = reference(pair["x"], pair["y"], reduction="none").mean((2, 3, 4))
    torch.testing.assert_close(loss["data"], expected)
    assert (loss["name"], loss["coef"], loss["reduced"]) == ("reconstr", 0.5, False)


def test_logsumexp_reduces_over_what_leaves_the_pattern(pair: dict[str, Tensor]) -> None:
    link = reconstruction(tensor_reductor={"name": "logsumexp", "kwargs": {}})
    loss = loss_of(link, pair, "b s 1 h w -> b")
    squares = (pair["x"] - pair["y"]).square()
    torch.testing.assert_close(loss["data"], squares.flatten(1).logsumexp(1))


def test_own_kwargs_of_the_loss_function(pair: dict[str, Tensor]) -> None:
    loss_fn = {"name": "smooth_l1", "kwargs": {"reduction": "none", "beta": 0.1}}
    loss = loss_of(reconstruction(loss_fn=loss_fn), pair, "b s 1 h w -> b s")
    reference = functional.smooth_l1_loss(pair["x"], pair["y"], reduction="none", beta=0.1)
    torch.testing.assert_close(loss["data"], reference.mean((2, 3, 4)))


@pytest.mark.parametrize("pattern", ["b s 1 h w ->", "b s 1 h w -> 1", "b s 1 h w -> ()"])
def test_a_loss_without_axes_is_reduced(pattern: str, pair: dict[str, Tensor]) -> None:
    loss = loss_of(reconstruction(), pair, pattern)
    assert loss["reduced"]
    assert loss["data"].shape == ()
    torch.testing.assert_close(loss["data"], functional.mse_loss(pair["x"], pair["y"]))


def test_a_batch_of_one_is_not_taken_for_a_reduced_loss() -> None:
    loss = loss_of(reconstruction(), {"x": torch.ones(1, 4), "y": torch.zeros(1, 4)}, "b d -> b")
    assert not loss["reduced"]
    assert loss["data"].shape == (1,)


def test_a_loss_of_low_precision_predictions_is_float32(pair: dict[str, Tensor]) -> None:
    batch = pair | {"x": pair["x"].bfloat16()}
    loss = loss_of(reconstruction(), batch, "b s 1 h w -> b s")
    assert loss["data"].dtype == torch.float32
