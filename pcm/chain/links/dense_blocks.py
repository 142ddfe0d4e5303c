"""Multilayer perceptrons and single small modules."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from pcm.chain.choice import choose
from pcm.chain.links.nnmodules import build_module
from pcm.chain.types import Batch, LinkOutput
from pcm.config.structures import links as structures


class Residual(nn.Module):
    """x + f(x): f keeps the dimension."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """(..., dim) -> (..., dim)."""
        total: Tensor = x + self.inner(x)
        return total


class Shortcut(nn.Module):
    """Linear(x) + f(x): f may change the dimension."""

    def __init__(self, inner: nn.Module, input_dim: int, output_dim: int) -> None:
        super().__init__()
        self.inner = inner
        self.shortcut = nn.Linear(input_dim, output_dim)

    def forward(self, x: Tensor) -> Tensor:
        """(..., input_dim) -> (..., output_dim)."""
        total: Tensor = self.shortcut(x) + self.inner(x)
        return total


WRAPPERS: dict[str, Callable[[nn.Module, int, int], nn.Module]] = {
    "residual": lambda inner, _input_dim, _output_dim: Residual(inner),
    "shortcut": Shortcut,
}


def _hidden_layer(
    input_dim: int, output_dim: int, module_specs: Sequence[Mapping[str, Any]]
) -> list[nn.Module]:
    """A linear layer, then the modules in order."""
    # The norm subtracts the mean, and a bias with it.
    has_bias = all(spec["nnmodule_spec_path"] != "norm/batch" for spec in module_specs)
    linear = nn.Linear(input_dim, output_dim, bias=has_bias)
    nn.init.xavier_normal_(linear.weight)
    modules = [
        build_module(spec["nnmodule_spec_path"], spec["kwargs"], output_dim)
        for spec in module_specs
    ]
    return [linear, *modules]


class DenseBlockStack(nn.Module):
    """A multilayer perceptron: hidden layers with their modules, then a bare linear layer."""

    _config_structure = structures.DENSE_BLOCK_STACK

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        super().__init__()
        dims = [cfg["input_dim"], *cfg["hidden_dims"]]
        layers: list[nn.Module] = []
        for input_dim, output_dim in pairwise(dims):
            layers += _hidden_layer(input_dim, output_dim, cfg["ordered_module_specs"])
        layers.append(nn.Linear(dims[-1], cfg["output_dim"]))
        self.layers: nn.Module = nn.Sequential(*layers)
        if cfg["block_wrapper_name"] is not None:
            wrapper = choose(WRAPPERS, cfg["block_wrapper_name"], "block wrapper")
            self.layers = wrapper(self.layers, cfg["input_dim"], cfg["output_dim"])

    def forward(self, batch: Batch, data_name: str) -> LinkOutput:
        """Replace `data_name`: (..., input_dim) -> (..., output_dim)."""
        batch[data_name] = self.layers(batch[data_name])
        return batch, []


class StandaloneTinyModule(nn.Module):
    """One small module, e.g. the activation of an output."""

    _config_structure = structures.STANDALONE_TINY_MODULE

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        super().__init__()
        self.module = build_module(cfg["nnmodule_spec_path"], cfg["kwargs"], cfg["output_dim"])

    def forward(self, batch: Batch, data_name: str) -> LinkOutput:
        """Replace `data_name` by a tensor of the same shape."""
        batch[data_name] = self.module(batch[data_name])
        return batch, []
