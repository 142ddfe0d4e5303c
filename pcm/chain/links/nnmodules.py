"""Small torch modules that a config names by `nnmodule_spec_path`."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from pcm.chain.choice import choose
from pcm.config.structures.modules import WIDTH_KEYWORDS
from pcm.errors import ConfigError, Fault

MODULES: dict[str, type[nn.Module]] = {
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


def build_module(spec_path: str, kwargs: Mapping[str, Any], width: int | None) -> nn.Module:
    """The module at `spec_path`.

    Args:
        kwargs: torch's own for that module.
        width: number of features that norms see; None if unknown.

    Raises:
        ConfigError: no such module, or a norm without a width.
    """
    module = choose(MODULES, spec_path, "module")
    keyword = WIDTH_KEYWORDS.get(spec_path)
    if keyword is None or keyword in kwargs:
        return module(**kwargs)
    if width is None:
        raise ConfigError([Fault(f"'{spec_path}' needs to know its width", hint="set output_dim")])
    return module(**{keyword: width}, **kwargs)
