"""The loss manager by hand-computed examples, and the coefficients' schedules."""

from typing import Any

import pytest
import torch
from torch import Tensor

from pcm.chain.loss_manager import LossManager
from pcm.chain.loss_schedules import build_schedules, scale_after
from pcm.chain.types import StructuredLoss
from pcm.errors import ConfigError


def reduction(pattern: str, name: str = "mean", **changes: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "reduce_pattern": pattern,
        "reductor_name": name,
        "pre_scale": None,
        "post_scale": None,
        "kwargs": {},
    }
    return spec | changes


def manager(*reductions: dict[str, Any], schedulers: Any = None) -> LossManager:
    return LossManager({"reductions": list(reductions), "loss_coef_schedulers": schedulers})


def loss(
    data: Any, coef: float = 1.0, *, reduced: bool = False, name: str = "reconstr"
) -> StructuredLoss:
    tensor = data if isinstance(data, Tensor) else torch.tensor(data)
    return StructuredLoss(data=tensor, coef=coef, name=name, reduced=reduced)


def linear(start: float, end: float, epochs: int, name: str = "linear") -> dict[str, Any]:
    scales = {"start_coef_scale": start, "end_coef_scale": end, "num_epochs": epochs}
    return {"name": name, "kwargs": scales}


def test_a_hand_computed_example() -> None:
    # (2, 2) + (2, 1) with coefficients 2 and 10, mean over samples, sum of squares on top:
    #   [[1, 3], [5, 7]] * 2 + [[1], [2]] * 10 = [[12, 16], [30, 34]] -> [14, 32] -> 23
    # and a reduced loss of 4 with coefficient 0.5 on top of that: 25.
    report = manager(reduction("b s -> b"), reduction("b ->"))(
        {
            "reconstr-a": loss([[1.0, 3.0], [5.0, 7.0]], 2.0),
            "postr_neg_entr-b": loss([[1.0], [2.0]], 10.0),
            "lat_constr-c": loss(4.0, 0.5, reduced=True),
        }
    )
    assert report.total.item() == 25.0
    assert {name: part.item() for name, part in report.parts.items()} == {
        "reconstr-a": 4.0,
        "postr_neg_entr-b": 1.5,
        "lat_constr-c": 4.0,
    }
    assert report.coefs == {"reconstr-a": 2.0, "postr_neg_entr-b": 10.0, "lat_constr-c": 0.5}


def test_scales_stand_before_and_after_a_reduction() -> None:
    # The importance-weighted bound: -logsumexp(-loss) over samples.
    iwae = reduction("b s -> b", "logsumexp", pre_scale=-1.0, post_scale=-1.0)
    data = torch.randn(3, 5)
    report = manager(iwae, reduction("b ->"))({"reconstr-a": loss(data)})
    torch.testing.assert_close(report.total, -torch.logsumexp(-data, dim=1).mean())


def test_reduced_losses_alone_need_no_reductions() -> None:
    report = manager()({"lat_constr-c": loss(4.0, 0.5, reduced=True)})
    assert report.total.item() == 2.0


def test_the_gradient_is_the_coefficient_over_the_number_of_items() -> None:
    data = torch.zeros(2, 4, requires_grad=True)
    manager(reduction("b s ->"))({"reconstr-a": loss(data, 3.0)}).total.backward()
    assert data.grad is not None
    torch.testing.assert_close(data.grad, torch.full((2, 4), 3.0 / 8))


def test_parts_hold_no_graph() -> None:
    data = torch.zeros(2, requires_grad=True)
    report = manager(reduction("b ->"))({"reconstr-a": loss(data)})
    assert not report.parts["reconstr-a"].requires_grad


def test_reductions_that_leave_an_axis_are_refused_with_the_shape() -> None:
    with pytest.raises(ConfigError, match=r"scalar[\s\S]*\(2,\)"):
        manager(reduction("b s -> b"))({"reconstr-a": loss([[1.0], [2.0]])})


def test_no_losses_are_refused() -> None:
    with pytest.raises(ConfigError, match="no link gives a loss"):
        manager()({})


def test_a_scheduler_without_its_loss_is_refused() -> None:
    spec = {"link_name": "p", "loss_name": "prior_nll", "schedulers_cfg": [linear(0, 1, 2)]}
    with pytest.raises(ConfigError, match="prior_nll-p"):
        manager(reduction("b ->"), schedulers=[spec])({"reconstr-a": loss([1.0])})


class TestSchedules:
    def test_linear(self) -> None:
        schedules = build_schedules([linear(0.0, 1.0, 4)])
        scales = [scale_after(schedules, epochs) for epochs in range(7)]
        assert scales == pytest.approx([0, 0.25, 0.5, 0.75, 1, 1, 1])

    def test_exponential(self) -> None:
        schedules = build_schedules([linear(1.0, 0.01, 2, name="exp")])
        scales = [scale_after(schedules, epochs) for epochs in range(4)]
        assert scales == pytest.approx([1, 0.1, 0.01, 0.01])

    def test_one_after_the_other(self) -> None:
        schedules = build_schedules([linear(0.0, 1.0, 2), linear(1.0, 0.5, 2)])
        scales = [scale_after(schedules, epochs) for epochs in range(6)]
        assert scales == pytest.approx([0, 0.5, 1, 0.75, 0.5, 0.5])

    def test_they_step_at_each_epochs_start(self) -> None:
        spec = {"link_name": "a", "loss_name": "reconstr", "schedulers_cfg": [linear(0, 1, 4)]}
        losses = {"reconstr-a": loss([1.0], 8.0)}
        manage = manager(reduction("b ->"), schedulers=[spec])
        assert manage(losses).coefs["reconstr-a"] == 0.0
        coefs = []
        for epoch in range(5):
            manage.start_epoch(epoch)
            coefs.append(manage(losses).coefs["reconstr-a"])
        assert coefs == pytest.approx([2, 4, 6, 8, 8])

    def test_the_state_takes_up_where_it_was(self) -> None:
        spec = {"link_name": "a", "loss_name": "reconstr", "schedulers_cfg": [linear(0, 1, 4)]}
        losses = {"reconstr-a": loss([1.0])}
        first = manager(reduction("b ->"), schedulers=[spec])
        first.start_epoch(1)
        second = manager(reduction("b ->"), schedulers=[spec])
        second.load_state_dict(first.state_dict())
        assert second(losses).coefs == first(losses).coefs == {"reconstr-a": 0.5}
        # A resume in the middle of an epoch announces that epoch once more.
        second.start_epoch(1)
        assert second(losses).coefs == {"reconstr-a": 0.5}
