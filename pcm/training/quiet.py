"""What Lightning tells about itself, left out of the log of a rank."""

import logging
import warnings

from lightning.pytorch.utilities import rank_zero_only

from pcm.rank.ranks import Ranks

_WRONG_WARNINGS = (
    "You're resuming from a checkpoint that ended before the epoch ended",
    "The `srun` command is available on your system but is not used",
    "Detected call of `lr_scheduler.step\\(\\)` before `optimizer.step\\(\\)`",
    "`isinstance\\(treespec, LeafSpec\\)` is deprecated",
    "You have overridden `transfer_batch_to_device` in `LightningModule`",
    "The number of training batches \\(\\d+\\) is smaller than the logging interval",
)
"""Beginnings of warnings that are wrong here."""


def quieten(ranks: Ranks) -> None:
    """Leave out what Lightning tells about itself, and warnings that are wrong here."""
    rank_zero_only.rank = ranks.rank  # type: ignore[attr-defined]  # set at run time
    for name in ("lightning.pytorch", "lightning.fabric"):
        for handler in logging.getLogger(name).handlers:
            handler.addFilter(_is_worth_telling)
    for beginning in _WRONG_WARNINGS:
        warnings.filterwarnings("ignore", message=beginning)


def _is_worth_telling(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or "lightning" not in record.pathname.split("/")
