"""Writing checkpoints of a run: when, under which name, with what beside Lightning's own."""

import time
from pathlib import Path
from typing import Any

import torch.distributed as dist
from lightning.pytorch import Trainer

from pcm.internals import loops
from pcm.internals.loops import Place
from pcm.rank.progress import Progress
from pcm.rank.ranks import Ranks
from pcm.run_dir import AttemptDir, RunDir
from pcm.training.agreement import of_first
from pcm.training.checkpoints.checkpoint_io import LAST_CHANCES, CheckpointFiles
from pcm.training.checkpoints.schedule import Schedule


class Saver:
    """Saves together with all ranks; what a rank contributes is gathered on rank 0.

    Attributes:
        place: where the checkpoint under way is taken; None outside of `save`.
        trouble: why the last checkpoint is not on the disk, the same on all ranks; None if it is.
    """

    def __init__(
        self,
        run_dir: RunDir,
        attempt: AttemptDir,
        ranks: Ranks,
        *,
        files: CheckpointFiles,
        progress: Progress,
        schedule: Schedule,
        group: dist.ProcessGroup | None,
    ) -> None:
        self._folder = run_dir.checkpoints
        self._attempt = attempt
        self._ranks = ranks
        self._files = files
        self._progress = progress
        self._schedule = schedule
        self._group = group
        self._saved: tuple[int, Place] | None = None
        self._is_open = False
        self.place: Place | None = None
        self.trouble: str | None = None

    def skip(self, step: int, place: Place) -> None:
        """Training starts from this checkpoint: it need not be written again."""
        self._saved = (step, place)

    def save(self, trainer: Trainer, place: Place, reason: str, metrics: dict[str, float]) -> None:
        """Write a checkpoint, or begin to, unless this very place has one.

        What is the last is written on return: `trouble` tells whether it is.
        """
        phase, self._progress.phase = self._progress.phase, "checkpointing"
        self._settle()
        if self._saved != (loops.steps_done(trainer), place):
            self._save(trainer, place, reason, metrics)
            if reason in LAST_CHANCES:
                self._settle()
        self._progress.phase = phase

    def _save(self, trainer: Trainer, place: Place, reason: str, metrics: dict[str, float]) -> None:
        step = loops.steps_done(trainer)
        self.place = place
        facts = {
            "step": step,
            "epoch": _epoch_in_name(trainer, place),
            "attempt": self._attempt.number,
            "reason": reason,
            "metrics": metrics,
        }
        self._schedule.note_begun(step)
        begun = time.monotonic()
        trainer.save_checkpoint(self._path(facts, place), storage_options=facts)
        self._schedule.note_cost(time.monotonic() - begun)
        self.place = None
        self._saved = (step, place)
        self._is_open = True

    def _settle(self) -> None:
        """Wait for the checkpoint that was begun, if any, and learn what came of it."""
        if not self._is_open:
            return
        self._is_open = False
        self._files.finish()
        # They must save again together, or all of them not.
        self.trouble = of_first(self._files.trouble, self._group)
        if self.trouble is not None:
            self._saved = None

    def our_part(self, trainer: Trainer, mine: dict[str, Any]) -> dict[str, Any]:
        """What is added to Lightning's checkpoint while one is under way; on all ranks."""
        assert self.place is not None
        return {
            "place": self.place.value,
            "step": loops.steps_done(trainer),
            "ranks": self._gather(mine),
        }

    def _gather(self, mine: dict[str, Any]) -> list[Any]:
        if self._group is None:
            return [mine]
        everybody: list[Any] | None = None
        if self._ranks.is_first:
            everybody = [None] * self._ranks.world_size
        dist.gather_object(mine, everybody, dst=0, group=self._group)
        return everybody or []

    def _path(self, facts: dict[str, Any], place: Place) -> Path:
        # The end of the same epoch, after this validation, has the same step.
        suffix = "-validation" if place is Place.VALIDATION else ""
        return self._folder / f"epoch={facts['epoch']}-step={facts['step']}{suffix}.ckpt"


def _epoch_in_name(trainer: Trainer, place: Place) -> int:
    """The epoch that led here, from 0, as in the names of Lightning's own checkpoints."""
    epoch = loops.epoch_of(trainer)
    return max(0, epoch - 1) if place is Place.EPOCH else epoch
