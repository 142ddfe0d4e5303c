"""A module's hyperparameters in a checkpoint: plain data, and the text of what is none."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningDataModule, LightningModule

_KEYS = (
    LightningModule.CHECKPOINT_HYPER_PARAMS_KEY,
    LightningDataModule.CHECKPOINT_HYPER_PARAMS_KEY,
)
_PLAIN = (
    *(type(None), bool, int, float, complex, str, bytes),
    *(torch.Tensor, torch.dtype, torch.device, torch.Size, np.generic, PurePosixPath),
)


def with_plain_hyperparameters(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """The checkpoint, its hyperparameters such that they can be loaded without running code.

    `save_hyperparameters()` keeps whatever a module was given: a factory, an object, an enum.
    Loading those would need their code to be trusted, so a checkpoint has their text.
    """
    known = {key: _plain(checkpoint[key]) for key in _KEYS if key in checkpoint}
    return {**checkpoint, **known}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_plain(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [*map(_plain, value)] if isinstance(value, list) else tuple(map(_plain, value))
    # A subclass, such as an enum of strings, is loaded by its own code.
    is_plain = type(value) in _PLAIN or isinstance(value, torch.Tensor | np.generic | PurePosixPath)
    return value if is_plain else repr(value)
