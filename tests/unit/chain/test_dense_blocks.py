"""Multilayer perceptrons against the same thing written out."""

from typing import Any

import pytest
import torch
from torch import nn

from pcm.chain.links.dense_blocks import DenseBlockStack, StandaloneTinyModule
from pcm.chain.links.nnmodules import MODULES
from pcm.errors import ConfigError


def stack_cfg(**changes: Any) -> dict[str, Any]:
    cfg = {
        "input_dim": 5,
        "output_dim": 3,
        "hidden_dims": [7, 6],
        "ordered_module_specs": [{"nnmodule_spec_path": "activation/relu", "kwargs": {}}],
        "block_wrapper_name": None,
    }
    return cfg | changes


def linears(module: nn.Module) -> list[nn.Linear]:
    return [each for each in module.modules() if isinstance(each, nn.Linear)]


def test_a_stack_is_linear_relu_linear_relu_linear() -> None:
    stack = DenseBlockStack(stack_cfg())
    x = torch.randn(4, 5)
    first, second, last = linears(stack)
    expected = last(torch.relu(second(torch.relu(first(x)))))
    batch, losses = stack(batch={"x": x, "other": x}, data_name="x")
    torch.testing.assert_close(batch["x"], expected)
    assert batch["other"] is x
    assert losses == []


def test_dimensions_before_the_last_are_kept() -> None:
    batch, _ = DenseBlockStack(stack_cfg())({"x": torch.randn(4, 2, 5)}, data_name="x")
    assert batch["x"].shape == (4, 2, 3)


def test_without_hidden_layers_a_stack_is_one_linear_layer() -> None:
    stack = DenseBlockStack(stack_cfg(hidden_dims=[]))
    (only,) = linears(stack)
    x = torch.randn(4, 5)
    batch, _ = stack({"x": x}, data_name="x")
    torch.testing.assert_close(batch["x"], only(x))


def test_the_modules_come_in_order_and_not_after_the_last_layer() -> None:
    specs = [
        {"nnmodule_spec_path": "norm/layer", "kwargs": {"eps": 0.5}},
        {"nnmodule_spec_path": "activation/selu", "kwargs": {}},
        {"nnmodule_spec_path": "dropout/ordinary", "kwargs": {"p": 0.25}},
    ]
    stack = DenseBlockStack(stack_cfg(hidden_dims=[7], ordered_module_specs=specs))
    kinds = [type(each) for each in stack.layers.children()]
    assert kinds == [nn.Linear, nn.LayerNorm, nn.SELU, nn.Dropout, nn.Linear]
    norm = next(each for each in stack.modules() if isinstance(each, nn.LayerNorm))
    assert norm.normalized_shape == (7,)
    assert norm.eps == 0.5


@pytest.mark.parametrize(("norm", "has_bias"), [("norm/batch", False), ("norm/layer", True)])
def test_a_batch_norm_takes_the_bias_of_the_layer_before_it(norm: str, has_bias: bool) -> None:
    specs = [{"nnmodule_spec_path": norm, "kwargs": {}}]
    *hidden, last = linears(DenseBlockStack(stack_cfg(ordered_module_specs=specs)))
    assert [layer.bias is not None for layer in hidden] == [has_bias] * 2
    assert last.bias is not None


def test_hidden_weights_are_xavier_normal() -> None:
    stack = DenseBlockStack(stack_cfg(input_dim=300, hidden_dims=[500]))
    weight = linears(stack)[0].weight
    expected_std = (2 / (300 + 500)) ** 0.5
    assert weight.std().item() == pytest.approx(expected_std, rel=0.02)
    # A uniform distribution of this std ends at 1.73 of it.
    assert weight.abs().max().item() > 3 * expected_std


def test_residual_adds_the_input_to_the_whole_stack() -> None:
    stack = DenseBlockStack(stack_cfg(output_dim=5, block_wrapper_name="residual"))
    first, second, last = linears(stack)
    x = torch.randn(4, 5)
    expected = x + last(torch.relu(second(torch.relu(first(x)))))
    torch.testing.assert_close(stack({"x": x}, data_name="x")[0]["x"], expected)


def test_shortcut_adds_a_linear_map_of_the_input() -> None:
    stack = DenseBlockStack(stack_cfg(hidden_dims=[7], block_wrapper_name="shortcut"))
    first, last, shortcut = linears(stack)
    x = torch.randn(4, 5)
    expected = shortcut(x) + last(torch.relu(first(x)))
    torch.testing.assert_close(stack({"x": x}, data_name="x")[0]["x"], expected)


@pytest.mark.parametrize("spec_path", MODULES)
def test_every_module_stands_alone(spec_path: str) -> None:
    link = StandaloneTinyModule({"nnmodule_spec_path": spec_path, "kwargs": {}, "output_dim": 5})
    batch, losses = link({"x": torch.randn(4, 5)}, data_name="x")
    assert batch["x"].shape == (4, 5)
    assert losses == []


def test_a_norm_alone_needs_its_width() -> None:
    cfg: dict[str, Any] = {"nnmodule_spec_path": "norm/batch", "kwargs": {}, "output_dim": None}
    with pytest.raises(ConfigError, match="needs to know its width"):
        StandaloneTinyModule(cfg)


def test_a_misspelt_module_is_answered_with_the_nearest() -> None:
    cfg: dict[str, Any] = {
        "nnmodule_spec_path": "activation/rely",
        "kwargs": {},
        "output_dim": None,
    }
    with pytest.raises(ConfigError, match="did you mean 'activation/relu'"):
        StandaloneTinyModule(cfg)
