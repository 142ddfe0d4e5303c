"""How often checkpoints are written and which are kept, as the host side froze it for training."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pcm.console import tell
from pcm.run_dir.checkpoint_interval import Interval
from pcm.run_dir.paths import RunDir
from pcm.run_dir.typed_json import Damaged, read, write

MONITORED = ("val/loss", "val_loss")
"""The metrics, of which the first that exists says which checkpoint is the best, unless a file
names another."""


_ONE_THING = ({"monitor", "mode"}, {"every", "minutes"})
"""Keys that one file says together."""


class Mode(StrEnum):
    """Which value of a metric is the best."""

    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class Checkpointing:
    """`checkpointing.json`: what `checkpoints:` of a grid or a trainer file says.

    It changes no result, so that a later launch of the same experiment may change it.

    Attributes:
        every: how often one is taken, besides a stop, the end and a new best: the text of an
            `Interval`.
        minutes: between two checkpoints inside an epoch, where every epoch's end has one besides;
            None goes by `every`.
        keep: the newest so many are kept.
        monitor: the metric that says which are the best; None for the first of `MONITORED`.
        keep_best: the best so many are kept besides.
    """

    minutes: float | None = None
    keep: int = 2
    monitor: str | None = None
    mode: Mode = Mode.MIN
    keep_best: int = 1
    every: str = str(Interval())

    @classmethod
    def of(cls, *, grid: Mapping[str, Any], trainer: Mapping[str, Any]) -> "Checkpointing":
        """What two files say together, the grid file's word over the trainer file's.

        A metric and its mode are one thing: a grid file that names another metric says too
        which of its values is the best. So are two ways to say how often.
        """
        given = {key: value for key, value in grid.items() if value is not None}
        below = {key: value for key, value in trainer.items() if value is not None}
        for keys in _ONE_THING:
            if given.keys() & keys:
                below = {key: value for key, value in below.items() if key not in keys}
        given = {**below, **given}
        if "mode" in given:
            given["mode"] = Mode(given["mode"])
        if "every" in given:
            given["every"] = str(Interval.parse(given["every"]))
        if "minutes" in given:
            # A whole number may be too large for the clock, which a float never is.
            given["minutes"] = float(given["minutes"])
        return cls(**given)

    @property
    def monitored(self) -> tuple[str, ...]:
        """Metrics of which the first that exists says which is the best."""
        return MONITORED if self.monitor is None else (self.monitor,)


DEFAULTS = Checkpointing()


def monitored_value(metrics: Mapping[str, float], names: Sequence[str]) -> float | None:
    """What best is judged by: the first metric that exists; None without a finite one."""
    value = next((metrics[name] for name in names if name in metrics), math.nan)
    return value if math.isfinite(value) else None


def read_checkpointing(run_dir: RunDir) -> Checkpointing:
    """What was frozen for an experiment; the defaults where nothing was, or it can't be read."""
    record = read(Checkpointing, run_dir.checkpointing)
    if isinstance(record, Damaged):
        tell(f"warning: {record}; checkpoints are written as if no file said how")
    return record if isinstance(record, Checkpointing) else DEFAULTS


def freeze_checkpointing(run_dir: RunDir, wanted: Checkpointing) -> None:
    """Write down what the newest launch wants, unless that is there already."""
    if read(Checkpointing, run_dir.checkpointing) != wanted:
        write(run_dir.checkpointing, wanted)
