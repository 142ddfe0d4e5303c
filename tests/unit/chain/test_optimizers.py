"""Optimizers, learning-rate schedulers, and who trains what."""

from typing import Any

import pytest
import torch
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import nn, optim
from torch.amp import GradScaler
from torch.optim import lr_scheduler

from pcm.chain.optimization import (
    OPTIMIZERS,
    build_optimizer,
    build_scheduler,
    check_owners,
    clear_gradients,
)
from pcm.errors import ConfigError
from pcm.internals.stepping import step_scaled

pytestmark = pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")


@pytest.fixture
def links() -> nn.ModuleDict:
    return nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 1), "relu": nn.ReLU()})


def optimizer_cfg(*links: str, **changes: Any) -> dict[str, Any]:
    cfg = {
        "optimizer_name": "sgd",
        "links": list(links),
        "kwargs": {"lr": 0.5},
        "lr_scheduler": None,
    }
    return cfg | changes


def rates(scheduler: Any, steps: int) -> list[float]:
    """The learning rate before each step."""
    seen = []
    for _ in range(steps):
        seen.append(scheduler.optimizer.param_groups[0]["lr"])
        scheduler.step()
    return seen


def new_sgd() -> optim.SGD:
    return optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.5)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_has_the_parameters_of_its_links(name: str, links: nn.ModuleDict) -> None:
    built = build_optimizer(optimizer_cfg("a", "b", optimizer_name=name), links)["optimizer"]
    (group,) = built.param_groups
    assert group["lr"] == 0.5
    expected = [*links["a"].parameters(), *links["b"].parameters()]
    assert all(x is y for x, y in zip(group["params"], expected, strict=True))


def test_the_scheduler_comes_with_what_lightning_needs(links: nn.ModuleDict) -> None:
    scheduler_cfg = {
        "schedulers": [{"name": "step", "kwargs": {"step_size": 1}}],
        "out_cfg_kwargs": {"interval": "step", "frequency": 3, "monitor": "val/loss"},
    }
    built = build_optimizer(optimizer_cfg("a", lr_scheduler=scheduler_cfg), links)
    scheduler = built["lr_scheduler"].pop("scheduler")
    assert scheduler.optimizer is built["optimizer"]
    assert built["lr_scheduler"] == {"interval": "step", "frequency": 3}


@pytest.mark.parametrize(
    ("spec", "reference"),
    [
        (
            {"name": "linear", "kwargs": {"start_factor": 0.1, "total_iters": 4}},
            lambda o: lr_scheduler.LinearLR(o, start_factor=0.1, total_iters=4),
        ),
        (
            {"name": "linear", "kwargs": {"start_factor": 1.0, "end_factor": 0.2}},
            lambda o: lr_scheduler.LinearLR(o, start_factor=1.0, end_factor=0.2),
        ),
        (
            {"name": "const", "kwargs": {"factor": 0.3, "total_iters": 2}},
            lambda o: lr_scheduler.ConstantLR(o, factor=0.3, total_iters=2),
        ),
        ({"name": "const", "kwargs": {}}, lr_scheduler.ConstantLR),
        (
            {"name": "step", "kwargs": {"step_size": 3, "gamma": 0.5}},
            lambda o: lr_scheduler.StepLR(o, step_size=3, gamma=0.5),
        ),
    ],
)
def test_each_scheduler_does_as_torchs(spec: dict[str, Any], reference: Any) -> None:
    ours = rates(build_scheduler(new_sgd(), [spec]), 9)
    assert ours == pytest.approx(rates(reference(new_sgd()), 9))


def test_several_schedulers_do_as_torchs_chained_ones() -> None:
    specs = [
        {"name": "linear", "kwargs": {"start_factor": 0.1, "total_iters": 4}},
        {"name": "step", "kwargs": {"step_size": 2, "gamma": 0.5}},
    ]
    optimizer = new_sgd()
    chained = lr_scheduler.ChainedScheduler(
        [
            lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=4),
            lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5),
        ]
    )
    chained.optimizer = optimizer
    assert rates(build_scheduler(new_sgd(), specs), 9) == pytest.approx(rates(chained, 9))


def test_step_ends_after_its_total_iterations() -> None:
    spec = {"name": "step", "kwargs": {"step_size": 2, "gamma": 0.5, "total_iters": 5}}
    expected = [0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.125, 0.125]
    assert rates(build_scheduler(new_sgd(), [spec]), 8) == pytest.approx(expected)


def test_a_restored_scheduler_goes_on_where_it_was() -> None:
    specs = [
        {"name": "linear", "kwargs": {"start_factor": 0.1, "total_iters": 7}},
        {"name": "step", "kwargs": {"step_size": 2, "gamma": 0.3}},
    ]
    uninterrupted = rates(build_scheduler(new_sgd(), specs), 10)
    first = build_scheduler(new_sgd(), specs)
    rates(first, 4)
    second = build_scheduler(new_sgd(), specs)
    second.optimizer.load_state_dict(first.optimizer.state_dict())
    second.load_state_dict(first.state_dict())
    assert rates(second, 6) == uninterrupted[4:]


def test_a_link_without_optimizer_and_one_with_two_are_both_named(links: nn.ModuleDict) -> None:
    with pytest.raises(ConfigError) as caught:
        check_owners([optimizer_cfg("b"), optimizer_cfg("b")], links)
    problems = [fault.problem for fault in caught.value.faults]
    assert problems == [
        "link 'a' belongs to no optimizers",
        "link 'b' belongs to 2 optimizers",
    ]


def test_links_without_parameters_may_be_listed(links: nn.ModuleDict) -> None:
    check_owners([optimizer_cfg("a", "b", "relu")], links)


def test_an_optimizer_of_nothing_is_refused(links: nn.ModuleDict) -> None:
    with pytest.raises(ConfigError, match="none of the optimizer's links has parameters"):
        build_optimizer(optimizer_cfg("relu"), links)


def test_one_scaled_backward_pass_serves_all_optimizers() -> None:
    """Both step as without scaling, though the scale grows after every batch."""
    parameters = [nn.Parameter(torch.tensor([1.0])), nn.Parameter(torch.tensor([2.0]))]
    optimizers = [LightningOptimizer(optim.SGD([each], lr=0.5)) for each in parameters]
    scaler = GradScaler("cpu", init_scale=4.0, growth_factor=8.0, growth_interval=1)
    for _ in range(3):
        clear_gradients(optimizers)
        loss = parameters[0].square().sum() + parameters[1].square().sum()
        scaler.scale(loss).backward()
        step_scaled(optimizers, scaler)
    # Each step of a square at this rate ends at 0; a wrongly scaled one would not.
    assert [each.item() for each in parameters] == [0.0, 0.0]
    assert scaler.get_scale() == 4.0 * 8.0**3


def test_a_scaled_step_with_an_overflow_is_left_out() -> None:
    parameters = [nn.Parameter(torch.tensor([1.0])), nn.Parameter(torch.tensor([2.0]))]
    optimizers = [LightningOptimizer(optim.SGD([each], lr=0.5)) for each in parameters]
    scaler = GradScaler("cpu", init_scale=4.0)
    parameters[0].grad = torch.tensor([float("inf")])
    parameters[1].grad = torch.tensor([4.0])
    scaler.scale(torch.zeros(1))
    step_scaled(optimizers, scaler)
    assert [each.item() for each in parameters] == [1.0, 1.5]
    assert scaler.get_scale() == 2.0
