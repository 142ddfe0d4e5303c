"""Names and kwargs that are written down without torch, held against torch and Lightning."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from lightning import Trainer
from lightning.pytorch import callbacks
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.utilities.types import LRSchedulerConfig
from torch import nn, optim
from torch.optim import lr_scheduler

from pcm.config.shapes import Record, Rule
from pcm.config.structure import ConfigStructure
from pcm.config.structures.callbacks import CALLBACK_KWARGS
from pcm.config.structures.lightning_callbacks import LIGHTNING_CALLBACKS
from pcm.config.structures.links import LINKS
from pcm.config.structures.modules import MODULES, has_parameters
from pcm.config.structures.optimizers import LR_SCHEDULER, LR_SCHEDULERS, OPTIMIZERS
from pcm.config.structures.trainer_kwargs import PARAMETERS, SET_ELSEWHERE

MODULE_CLASSES: dict[str, type[nn.Module]] = {
    "activation/relu": nn.ReLU,
    "activation/prelu": nn.PReLU,
    "activation/rrelu": nn.RReLU,
    "activation/celu": nn.CELU,
    "activation/selu": nn.SELU,
    "activation/sigmoid": nn.Sigmoid,
    "activation/tanh": nn.Tanh,
    "norm/batch": nn.BatchNorm1d,
    "norm/layer": nn.LayerNorm,
    "dropout/ordinary": nn.Dropout,
}
WIDTHS = {"norm/batch": {"num_features": 3}, "norm/layer": {"normalized_shape": 3}}


def parameters_of(function: Callable[..., Any]) -> set[str]:
    return set(inspect.signature(function).parameters) - {"self"}


def keys_of(structure: ConfigStructure) -> set[str]:
    while isinstance(structure, Rule):
        structure = structure.structure
    assert isinstance(structure, Record)
    return set(structure.keys())


def test_trainer_kwargs() -> None:
    assert set(PARAMETERS) == parameters_of(Trainer.__init__)
    assert set(PARAMETERS) >= SET_ELSEWHERE.keys()


def test_lr_monitor_kwargs() -> None:
    assert keys_of(CALLBACK_KWARGS["lr_monitor"]) == parameters_of(LearningRateMonitor)


BEYOND_YAML = {
    "StochasticWeightAveraging": {"avg_fn"},
    "BackboneFinetuning": {"lambda_func"},
    "RichProgressBar": {"theme", "console_kwargs"},
}
"""What a callback's constructor takes that is no plain data."""


@pytest.mark.parametrize("name", LIGHTNING_CALLBACKS)
def test_kwargs_of_lightnings_callbacks(name: str) -> None:
    class_name = LIGHTNING_CALLBACKS[name].class_name
    own = getattr(callbacks, class_name, None)
    if own is None:
        pytest.skip(f"this version of Lightning has no {class_name}")
    parameters = dict(inspect.signature(own).parameters)
    structure = LIGHTNING_CALLBACKS[name].kwargs
    record = structure.structure if isinstance(structure, Rule) else structure
    assert isinstance(record, Record)
    plain = {key for key, each in parameters.items() if each.kind is not each.VAR_KEYWORD}
    assert set(record.keys()) == plain - BEYOND_YAML.get(class_name, set())
    needed = {key for key in plain if parameters[key].default is inspect.Parameter.empty}
    assert set(record.required) == needed


def test_scheduler_config_keys() -> None:
    wanted = parameters_of(LRSchedulerConfig) - {"scheduler"}
    assert keys_of(LR_SCHEDULER["out_cfg_kwargs"]) == wanted


@pytest.mark.parametrize(
    ("name", "optimizer"),
    [
        ("adam", optim.Adam),
        ("sgd", optim.SGD),
        ("adagrad", optim.Adagrad),
        ("rmsprop", optim.RMSprop),
    ],
)
def test_optimizer_kwargs(name: str, optimizer: type[optim.Optimizer]) -> None:
    assert keys_of(OPTIMIZERS[name]) == parameters_of(optimizer) - {"params"}
    # None of them is required: `Record.required` is empty for all.
    assert all(
        parameter.default is not inspect.Parameter.empty
        for key, parameter in inspect.signature(optimizer).parameters.items()
        if key != "params"
    )


@pytest.mark.parametrize(
    ("name", "scheduler", "beyond"),
    [
        ("step", lr_scheduler.StepLR, {"total_iters"}),
        ("linear", lr_scheduler.LinearLR, set()),
        ("const", lr_scheduler.ConstantLR, set()),
    ],
)
def test_lr_scheduler_kwargs(name: str, scheduler: type[Any], beyond: set[str]) -> None:
    known = parameters_of(scheduler) - {"optimizer", "last_epoch", "verbose"}
    assert keys_of(LR_SCHEDULERS[name]) == known | beyond


def test_every_module_is_compared() -> None:
    assert MODULES.keys() == MODULE_CLASSES.keys()


@pytest.mark.parametrize("path", MODULES)
def test_module_kwargs(path: str) -> None:
    # Where and in which type parameters lie is Lightning's business.
    wanted = parameters_of(MODULE_CLASSES[path]) - {"device", "dtype"}
    assert keys_of(MODULES[path]) <= wanted
    assert wanted - keys_of(MODULES[path]) <= {"args", "kwargs", "bias"}


@pytest.mark.parametrize("path", MODULES)
@pytest.mark.parametrize("kwargs", [{}, {"affine": False}, {"elementwise_affine": False}])
def test_which_modules_have_parameters(path: str, kwargs: dict[str, Any]) -> None:
    if not kwargs.keys() <= keys_of(MODULES[path]):
        return
    module = MODULE_CLASSES[path](**WIDTHS.get(path, {}), **kwargs)
    assert has_parameters(path, kwargs) == any(True for _ in module.parameters())


def test_transformer_kwargs() -> None:
    spec = LINKS["condition_embedding/condition_set_embedding_transformer"]
    assert isinstance(spec.structure, Rule)
    transformer = spec.structure.structure["transformer"]
    layer = keys_of(transformer["encoder_layer_kwargs"])
    assert layer == parameters_of(nn.TransformerEncoderLayer) - {"d_model", "device", "dtype"}
    encoder = keys_of(transformer["encoder_kwargs"])
    assert encoder == parameters_of(nn.TransformerEncoder) - {"encoder_layer", "norm"}
