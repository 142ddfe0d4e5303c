"""Conditional MNIST for a Trainer, or by itself."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from lightning.pytorch.utilities import rank_zero_info
from numpy.typing import NDArray

from pcm.config.structure import validate_config_structure
from pcm.config.structures.data import DATA
from pcm.data.batches import BatchLoader
from pcm.data.conditions import Conditions
from pcm.data.digits import BUNDLED, Digits, load_digits
from pcm.data.download import ensure_files
from pcm.data.draws import Purpose, Stream
from pcm.errors import PcmError

DATA_DIR_VARIABLE = "PCM_DATA_DIR"


class ConditionalMNIST(LightningDataModule):
    """Digits transformed under random conditions, of which the model is told some.

    Full MNIST where a data folder is named, else the bundled sample. Batches are finished
    on the device of the attached Trainer, each rank's own share; without a Trainer, on the
    CPU for a single rank.
    """

    _config_structure = DATA

    def __init__(
        self,
        train_cfg: Mapping[str, Any],
        val_cfg: Mapping[str, Any],
        batch_size: int,
        seed: int,
        *,
        subsample_size: int | None = None,
        data_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        """Check the configs; nothing is read yet.

        Args:
            train_cfg, val_cfg: contents of data files; `train` in each says which split.
            batch_size: samples of a batch on one rank.
            subsample_size: train on this many digits, chosen by the seed, and validate on
                as many at most; None for all.
            data_dir: has, or gets by download, MNIST/raw/; None for $PCM_DATA_DIR, and
                without that the bundled sample.

        Raises:
            ConfigError: a config is invalid.
            PcmError: a size is not positive.
        """
        super().__init__()
        for cfg in (train_cfg, val_cfg):
            validate_config_structure(cfg, self._config_structure)
        for name, size in (("batch_size", batch_size), ("subsample_size", subsample_size)):
            if size is not None and size < 1:
                raise PcmError(f"{name} is {size}", hint="a number from 1")
        self._train_cfg = train_cfg
        self._val_cfg = val_cfg
        self._batch_size = batch_size
        self._seed = seed
        self._subsample_size = subsample_size
        folder = data_dir or os.environ.get(DATA_DIR_VARIABLE)
        self._data_dir = Path(folder).expanduser() if folder else None
        self._why_no_files: str | None = f"{DATA_DIR_VARIABLE} is not set"
        self._digits: dict[bool, Digits] = {}

    def prepare_data(self) -> None:
        """Download full MNIST where a data folder is named, has none, and the network allows."""
        if self._data_dir is not None:
            self._why_no_files = ensure_files(self._data_dir)

    def setup(self, stage: str | None = None) -> None:  # noqa: ARG002 - Lightning's signature
        """Read the digits.

        Raises:
            PcmError: the files are damaged, or ranks have different digits.
        """
        if self._digits:
            return
        splits = {self._train_cfg["train"], self._val_cfg["train"]}
        self._digits = {split: load_digits(split, self._data_dir) for split in splits}
        self._agree_on_digits()
        rank_zero_info(self._notice())

    def train_dataloader(self) -> BatchLoader:
        """A new order and new conditions each epoch."""
        digits = self._split(self._train_cfg)
        wanted = self._subsample_size
        if wanted is not None and wanted > len(digits):
            raise PcmError(
                f"subsample_size is {wanted:,}, but there are {len(digits):,} digits"
                f" in {digits.source}",
                hint=f"at most {len(digits):,}, or a data folder with full MNIST",
            )
        return self._loader(self._train_cfg, digits, shuffle=True)

    def val_dataloader(self) -> BatchLoader:
        """A fixed order, and the same conditions each time."""
        return self._loader(self._val_cfg, self._split(self._val_cfg), shuffle=False)

    def test_dataloader(self) -> BatchLoader:
        """The validation data, in their order: there is no third set."""
        return self.val_dataloader()

    def predict_dataloader(self) -> BatchLoader:
        """The validation data, in their order: there is no third set."""
        return self.val_dataloader()

    def state_dict(self) -> dict[str, Any]:
        """Which digits were trained on; positions and draws need no state."""
        return {"digits": self._split(self._train_cfg).fingerprint}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Check that training goes on with the digits that it began with.

        Raises:
            PcmError: they are others.
        """
        digits = self._split(self._train_cfg)
        if state_dict["digits"] != digits.fingerprint:
            raise PcmError(
                f"the checkpoint was trained on other digits than {digits.source}",
                hint=f"set {DATA_DIR_VARIABLE} as it was when training began",
            )

    def _split(self, cfg: Mapping[str, Any]) -> Digits:
        self.setup()
        return self._digits[cfg["train"]]

    def _notice(self) -> str:
        source = next(iter(self._digits.values())).source
        counts = [
            f"{len(self._digits[split]):,} {name}"
            for split, name in ((True, "train"), (False, "test"))
            if split in self._digits
        ]
        reason = f" ({self._why_no_files})" if source == BUNDLED and self._why_no_files else ""
        return f"Digits: {source}, {', '.join(counts)}{reason}"

    def _agree_on_digits(self) -> None:
        if self.trainer is None or self.trainer.world_size == 1:
            return
        mine = {split: digits.fingerprint for split, digits in self._digits.items()}
        if self.trainer.strategy.broadcast(mine) != mine:
            sources = ", ".join(digits.source for digits in self._digits.values())
            raise PcmError(
                f"rank {self.trainer.global_rank} has other digits than rank 0: {sources}",
                hint=f"a {DATA_DIR_VARIABLE} that all nodes share",
            )

    def _loader(self, cfg: Mapping[str, Any], digits: Digits, *, shuffle: bool) -> BatchLoader:
        trainer = self.trainer
        device = torch.device("cpu") if trainer is None else trainer.strategy.root_device
        rank, world_size = (0, 1) if trainer is None else (trainer.global_rank, trainer.world_size)
        samples = self._samples(digits)
        if not shuffle and len(samples) < world_size:
            raise PcmError(
                f"{len(samples)} digits to validate on can't be shared by {world_size} ranks",
                hint="a larger subsample_size, or fewer ranks",
            )
        return BatchLoader(
            digits.to(device),
            Conditions(cfg, digits.images.shape[-1], device),
            samples,
            seed=self._seed,
            batch_size=self._batch_size,
            shuffle=shuffle,
            rank=rank,
            world_size=world_size,
        )

    def _samples(self, digits: Digits) -> NDArray[np.int64]:
        everything = np.arange(len(digits))
        if self._subsample_size is None:
            return everything
        shuffled = Stream(self._seed, digits.train, 0).shuffled(everything, Purpose.SUBSAMPLE)
        return np.sort(shuffled[: self._subsample_size])
