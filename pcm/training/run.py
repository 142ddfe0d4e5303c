"""One rank of one experiment, from its run directory to its end."""

import logging
import sys
import traceback
import warnings
from contextlib import nullcontext, suppress
from typing import Any

import torch
import torch.distributed as dist
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Trainer
from lightning.pytorch.utilities import rank_zero_only

from pcm.config.document import load_document
from pcm.errors import ExitCode, NotFoundError, PcmError
from pcm.run_dir import read_json, write_json, write_metrics_table
from pcm.training import generators, lightning_internals
from pcm.training.agreement import Agreement, Alone, Together, Wish
from pcm.training.build import build_data, build_model, build_trainer, choose_device, config_error
from pcm.training.checkpoint_io import CheckpointFiles
from pcm.training.console import tell
from pcm.training.loaders import make_replayable
from pcm.training.logger import TrainingLogger
from pcm.training.manifests import Manifest, prune
from pcm.training.progress import Heartbeat, Progress
from pcm.training.ranks import Ranks
from pcm.training.rendezvous import StoppedWhileMeetingError, process_group
from pcm.training.saver import Clock, Saver
from pcm.training.session import Session, StopTraining
from pcm.training.settings import checkpoint_seconds
from pcm.training.starting import StartingPoint, find_start, share_start
from pcm.training.task import Task, record_stop

_WRONG_WARNINGS = (
    "You're resuming from a checkpoint that ended before the epoch ended",
    "The `srun` command is available on your system but is not used",
    "Detected call of `lr_scheduler.step\\\\(\\\\)` before `optimizer.step\\\\(\\\\)`",
    "`isinstance\\(treespec, LeafSpec\\)` is deprecated",
)


class Run:
    """One rank's training: to its end, to a stop, or to an error, each with its record."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._ranks = task.ranks
        self._progress = Progress()
        self._clock = Clock(checkpoint_seconds())
        self._files: CheckpointFiles | None = None

    def train(self) -> ExitCode:
        """Train, or go on training."""
        task, is_first = self._task, self._ranks.is_first
        rank_zero_only.rank = self._ranks.rank  # type: ignore[attr-defined]  # set at run time
        _quieten()
        heartbeat = Heartbeat(task.attempt.progress, self._progress) if is_first else nullcontext()
        try:
            with heartbeat:
                self._train()
        except (StopTraining, StoppedWhileMeetingError):
            return self._leave_stopped()
        except BaseException as error:
            return self._leave_failed(error)
        return ExitCode.DONE

    def _train(self) -> None:
        run_dir, ranks = self._task.run_dir, self._ranks
        experiment, config = _read(self._task)
        device = choose_device(config.get("trainer") or {}, ranks)
        if device.type == "cuda":
            torch.cuda.set_device(device)
        name = str(experiment["id"])
        with process_group(ranks, self._task.attempt, name, device, self._task.stop):
            group = _cpu_group(ranks)
            choice = None
            if ranks.is_first:
                choice = find_start(run_dir, experiment, self._task.checkpoint)
            self._fit(experiment, config, share_start(choice, group), group, device)

    def _fit(
        self,
        experiment: dict[str, Any],
        config: dict[str, Any],
        start: StartingPoint,
        group: dist.ProcessGroup | None,
        device: torch.device,
    ) -> None:
        task, progress = self._task, self._progress
        logger = TrainingLogger(task.run_dir, experiment, task.attempt.number, start.step, progress)
        self._files = self._open_files(start, logger)
        saver = Saver(
            task.run_dir,
            task.attempt,
            self._ranks,
            progress=progress,
            clock=self._clock,
            group=group,
        )
        session = Session(
            self._ranks,
            config["seed"],
            is_own=start.is_own,
            saver=saver,
            agreement=self._agreement(group),
            progress=progress,
        )
        generators.seed_all(config["seed"])
        model, data = build_model(config["model"]), build_data(config)
        trainer = build_trainer(
            config,
            self._ranks,
            device,
            model,
            callbacks=[session],
            files=self._files,
            logger=logger,
        )
        lightning_internals.take_over(trainer, session.before_step, make_replayable)
        progress.count_steps = lambda: lightning_internals.steps_done(trainer)
        try:
            trainer.fit(model, datamodule=data, ckpt_path=start.checkpoint)
        except MisconfigurationException as error:
            raise config_error("trainer", str(error)) from error
        self._leave_finished(trainer)

    def _open_files(self, start: StartingPoint, logger: TrainingLogger) -> CheckpointFiles:
        def after_commit(manifest: Manifest) -> None:
            logger.log_checkpoint(manifest.file, manifest.step)
            prune(self._task.run_dir.checkpoints)

        newest = start.checkpoint if start.is_own else None
        return CheckpointFiles(newest, before_commit=logger.save, after_commit=after_commit)

    def _agreement(self, group: dist.ProcessGroup | None) -> Agreement:
        def wish() -> Wish:
            if self._task.stop.is_asked:
                return Wish.STOP
            return Wish.SAVE if self._clock.is_due else Wish.GO_ON

        return Alone(wish) if group is None else Together(group, self._ranks.rank, wish)

    # -- the three ways to end

    def _leave_finished(self, trainer: Trainer) -> None:
        if not self._ranks.is_first:
            return
        self._write_table()
        record = {
            "step": lightning_internals.steps_done(trainer),
            "epoch": lightning_internals.epoch_of(trainer),
            "metrics": {name: float(value) for name, value in trainer.callback_metrics.items()},
        }
        write_json(self._task.attempt.finished, record)

    def _leave_stopped(self) -> ExitCode:
        if self._ranks.is_first:
            self._write_table()
            newest = self._files.newest if self._files is not None else None
            checkpoint = None if newest is None else newest.name
            step, epoch = self._progress.count_steps(), self._progress.epoch
            record_stop(self._task, checkpoint, step, epoch)
        return ExitCode.STOPPED

    def _leave_failed(self, error: BaseException) -> ExitCode:
        if isinstance(error, PcmError):
            tell(f"rank {self._ranks.rank}: {error}")
        else:
            traceback.print_exception(error)
        sys.stderr.flush()
        record = {
            "type": type(error).__name__,
            "message": str(error),
            "traceback": "".join(traceback.format_exception(error)),
            "rank": self._ranks.rank,
        }
        with suppress(OSError):
            write_json(self._task.attempt.error(self._ranks.rank), record)
            if self._ranks.is_first:
                self._write_table()
        if isinstance(error, PcmError):
            return error.exit_code
        was_interrupted = isinstance(error, KeyboardInterrupt | SystemExit)
        return ExitCode.INTERRUPTED if was_interrupted else ExitCode.EXPERIMENT_FAILED

    def _write_table(self) -> None:
        write_metrics_table(self._task.run_dir.metrics, self._task.run_dir.metrics_table)


def _cpu_group(ranks: Ranks) -> dist.ProcessGroup | None:
    """A group of all ranks for what must not wait for a GPU; None for one rank."""
    if ranks.world_size == 1:
        return None
    group = dist.new_group(backend="gloo")
    assert isinstance(group, dist.ProcessGroup)
    return group


def _read(task: Task) -> tuple[dict[str, Any], dict[str, Any]]:
    """The experiment's record and its config.

    Raises:
        NotFoundError: this is no run directory.
    """
    experiment = read_json(task.run_dir.experiment)
    if experiment is None or not task.run_dir.config.exists():
        raise NotFoundError(
            f"{task.run_dir.path} is no run directory: it has no experiment.json or no config.yaml",
            "pcm launch makes run directories",
        )
    config: dict[str, Any] = load_document(task.run_dir.config).data
    return experiment, config


def _quieten() -> None:
    """Leave out what Lightning tells about itself, and warnings that are wrong here."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for beginning in _WRONG_WARNINGS:
        warnings.filterwarnings("ignore", message=beginning)
