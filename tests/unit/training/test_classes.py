"""Objects inside the arguments of a class of one's own."""

import functools
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from torch import nn
from torch.optim import Optimizer

from pcm.errors import ConfigError
from pcm.training.building.classes import build_object
from pcm.training.checkpoints.checkpoint_io import CheckpointFiles
from pcm.training.checkpoints.loading_plain import load_plain

HERE = __name__
LINEAR = {"class_path": "torch.nn.Linear", "init_args": {"in_features": 2, "out_features": 3}}
ADAM = {"class_path": "torch.optim.Adam", "init_args": {"lr": 0.5}}


class Takes(nn.Module):
    """Whatever it is given."""

    def __init__(
        self,
        net: nn.Module | None = None,
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer] | None = None,
        scheduler: Any = None,
        make: Callable[..., nn.Module] | None = None,
        config: dict[str, Any] | None = None,
        **others: Any,
    ) -> None:
        super().__init__()
        self.given = {"net": net, "optimizer": optimizer, "scheduler": scheduler, "make": make}
        self.given |= {"config": config, **others}


def given(**arguments: Any) -> dict[str, Any]:
    cfg = {"class_path": f"{HERE}.Takes", "init_args": arguments}
    built: Takes = build_object(cfg, nn.Module, "model")
    return built.given


def fails(**arguments: Any) -> tuple[str | None, str]:
    with pytest.raises(ConfigError) as caught:
        given(**arguments)
    (fault,) = caught.value.faults
    return fault.key, fault.problem


def test_objects_at_any_depth() -> None:
    sequence = {"class_path": "torch.nn.ModuleList", "init_args": {"modules": [LINEAR, LINEAR]}}
    built = given(net=sequence, more={"deep": [LINEAR]})
    assert [type(each) for each in built["net"]] == [nn.Linear, nn.Linear]
    assert built["more"]["deep"][0].out_features == 3


class Typed(nn.Module):
    def __init__(
        self,
        *,
        rate: float | torch.Tensor = 0.1,
        size: int | None = None,
        bias: bool = True,
        name: str = "",
        either: int | str = 0,
        sizes: Sequence[int] = (),
        rates: tuple[float, ...] | None = None,
        mode: Literal["1", "b"] | int = 0,
        kind: Path | int = 0,
    ) -> None:
        super().__init__()
        self.given = {key: value for key, value in locals().items() if key not in ("self",)}


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        *(("rate", "1e-3", 1e-3), ("rate", 1, 1), ("size", "10", 10), ("size", 1e3, 1000)),
        *(("bias", "no", False), ("bias", "true", True), ("sizes", ["1", 2.0], [1, 2])),
        *(("rates", ["1e-3"], [1e-3]), ("mode", "2", 2), ("size", None, None)),
        # What is wanted as text, or may be, stays what it is; so does what stands for nothing.
        *(("name", "10", "10"), ("either", "10", "10"), ("mode", "1", "1"), ("kind", "1", "1")),
        *(("size", "ten", "ten"), ("size", "9" * 5000, "9" * 5000), ("size", 2.5, 2.5)),
    ],
)
def test_text_that_stands_for_what_is_annotated(name: str, value: Any, wanted: Any) -> None:
    cfg = {"class_path": f"{HERE}.Typed", "init_args": {name: value}}
    built: Typed = build_object(cfg, nn.Module, "model")
    assert built.given[name] == wanted
    assert type(built.given[name]) is type(wanted)


def test_whole_numbers_among_an_optimizers_betas() -> None:
    adam = {"class_path": "torch.optim.Adam", "init_args": {"lr": "1e-2", "betas": [0, 0.9]}}
    optimizer = given(optimizer=adam)["optimizer"]([nn.Parameter(torch.ones(1))])
    assert (optimizer.defaults["lr"], *optimizer.defaults["betas"]) == (1e-2, 0.0, 0.9)


def test_an_optimizer_is_a_factory() -> None:
    parameters = [nn.Parameter(torch.ones(1))]
    plateau = {"class_path": "torch.optim.lr_scheduler.StepLR", "init_args": {"step_size": 3}}
    built = given(optimizer=ADAM, scheduler=plateau)
    optimizer = built["optimizer"](parameters)
    assert (type(optimizer), optimizer.defaults["lr"]) == (torch.optim.Adam, 0.5)
    assert built["scheduler"](optimizer).step_size == 3


def test_a_factory_where_one_is_annotated_or_asked_for() -> None:
    assert given(make=LINEAR)["make"]().in_features == 2
    partial = LINEAR | {"init_args": {"in_features": 2}, "partial": True}
    assert given(net=partial)["net"](out_features=5).out_features == 5
    assert isinstance(given(make=LINEAR | {"partial": False})["make"], nn.Linear)


def test_a_function_is_called() -> None:
    answer = {"class_path": f"{HERE}.make_answer", "init_args": {"factor": 2}}
    assert given(net=answer)["net"] == 42


def make_answer(factor: int) -> int:
    return 21 * factor


def test_a_mapping_stays_one_where_it_is_wanted() -> None:
    assert given(config=LINEAR)["config"] == LINEAR


@pytest.mark.parametrize(
    ("nested", "key", "problem"),
    [
        ({"class_path": "gone.Away"}, "class_path", "No module named 'gone'"),
        ({"class_path": "torch.nn.Gone"}, "class_path", "no such class"),
        ({"class_path": "torch.nn.Linear"}, "init_args", "missing a required argument"),
        (
            {"class_path": "torch.optim.Adam", "init_args": {"rate": 1}},
            "init_args",
            "unexpected keyword argument 'rate'",
        ),
    ],
)
def test_what_cannot_be_built_is_named(nested: dict[str, Any], key: str, problem: str) -> None:
    where, what = fails(net=nested)
    assert where == f"model.init_args.net.{key}"
    assert problem in what


class Colour(StrEnum):
    RED = "red"


def test_hyperparameters_can_always_be_loaded(tmp_path: Path) -> None:
    files = CheckpointFiles(None, lambda: None, lambda _: None)
    factory = functools.partial(torch.optim.Adam, lr=0.5)
    given = {"lr": 0.5, "optimizer": factory, "nested": [{"colour": Colour.RED, "size": (1, 2)}]}
    files.save_checkpoint({"hyper_parameters": given, "epoch": 1}, tmp_path / "a.ckpt")
    loaded = load_plain(tmp_path / "a.ckpt")
    assert loaded["epoch"] == 1
    assert loaded["hyper_parameters"]["lr"] == 0.5
    assert "Adam" in loaded["hyper_parameters"]["optimizer"]
    assert loaded["hyper_parameters"]["nested"] == [
        {"colour": "<Colour.RED: 'red'>", "size": (1, 2)}
    ]
