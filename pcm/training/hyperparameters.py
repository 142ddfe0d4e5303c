"""A checkpoint's hyperparameters, as far as they load without running code."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pcm.console import tell

_KEYS = ("hyper_parameters", "datamodule_hyper_parameters")
_TYPES = "hparams_type"
"""Of an OmegaConf container, whose class doesn't load."""

_PLAIN = (type(None), bool, int, float, str, bytes, torch.Tensor, torch.dtype, np.generic)


def write_as_text(checkpoint: dict[str, Any]) -> list[str]:
    """Put text in the place of what doesn't load; the names of what it was."""
    changed: list[str] = []
    for key in _KEYS:
        if key in checkpoint:
            checkpoint[key] = _plain(checkpoint[key], "", changed)
    if not isinstance(checkpoint.get(_TYPES), str | None):
        del checkpoint[_TYPES]
    return changed


def tell_of_text(changed: list[str]) -> None:
    """Say which hyperparameters a checkpoint has as text alone."""
    if changed:
        names = ", ".join(changed)
        tell(f"warning: hyperparameters are text in checkpoints, which load no code: {names}")


def _plain(value: Any, name: str, changed: list[str]) -> Any:
    if isinstance(value, Mapping) or type(value).__name__ == "DictConfig":
        return {str(key): _plain(value[key], f"{name}.{key}".lstrip("."), changed) for key in value}
    if type(value) in (list, tuple) or type(value).__name__ == "ListConfig":
        each = [_plain(part, f"{name}.{index}", changed) for index, part in enumerate(value)]
        return tuple(each) if type(value) is tuple else each
    if type(value) in _PLAIN or isinstance(value, np.generic | Path):
        return value
    changed.append(name)
    return str(value) if not callable(value) else getattr(value, "__qualname__", repr(value))
