"""What a module's `on_save_checkpoint` adds, and could not be loaded without running its code."""

import io
from collections.abc import Mapping
from typing import Any

import torch
from lightning.pytorch import LightningModule

from pcm.console import tell
from pcm.training.checkpoints.loading_plain import load_plain

_KEY = "pcm_left_out"
"""Names the entries of a checkpoint that were left out of it."""

Content = dict[str, Any]


class HookEntries:
    """Leaves such entries out of a checkpoint, and has the module add them to it once loaded.

    Objects that a library wants to find beside the weights, such as the encoders of its data, are
    nearly always attributes of the module: it is built with them again, and what training has
    changed of them is kept with its other attributes.
    """

    def __init__(self, model: LightningModule) -> None:
        self._model = model
        self._names: list[str] | None = None

    def without(self, checkpoint: Content) -> Content:
        """The checkpoint as it can be loaded; which entries that takes is found once."""
        if self._names is None:
            self._names = self._find(checkpoint)
        if not self._names:
            return checkpoint
        return {**_without(checkpoint, self._names), _KEY: self._names}

    def added_to(self, checkpoint: Content) -> Content:
        """A checkpoint that was loaded, with what the module adds to one now."""
        names = checkpoint.pop(_KEY, ())
        return {**checkpoint, **self._added(checkpoint, names)} if names else checkpoint

    def _find(self, checkpoint: Content) -> list[str]:
        if not _overrides_hook(self._model):
            return []
        names = [name for name, value in checkpoint.items() if not _is_loadable(name, value)]
        mine = sorted(self._added(checkpoint, names)) if names else []
        if mine:
            tell(
                f"warning: left out of checkpoints, since loading it would run code: what "
                f"on_save_checkpoint() adds as {', '.join(mine)}; a resume takes it from the module"
                " as it is built then"
            )
        return mine

    def _added(self, checkpoint: Content, names: list[str]) -> Content:
        """What the module's hook adds by these names."""
        # The hook may change mappings that are there already, as hyperparameters are.
        there = _without(checkpoint, names)
        own = {k: dict(v) if isinstance(v, Mapping) else v for k, v in there.items()}
        self._model.on_save_checkpoint(own)
        return {name: own[name] for name in names if name in own}


def _overrides_hook(model: LightningModule) -> bool:
    return type(model).on_save_checkpoint is not LightningModule.on_save_checkpoint


def _without(checkpoint: Content, names: list[str]) -> Content:
    return {name: value for name, value in checkpoint.items() if name not in names}


_LIGHTNINGS = ("state_dict", "optimizer_states", "lr_schedulers", "loops", "callbacks", "pcm")
"""Entries that are large, and not of the hook."""


def _is_loadable(name: str, value: Any) -> bool:
    if name in _LIGHTNINGS:
        return True
    file = io.BytesIO()
    try:
        torch.save(value, file)
        file.seek(0)
        load_plain(file)
    except Exception:
        return False
    return True
