"""One rank of one experiment, from its run directory to its end."""

from contextlib import closing, suppress
from datetime import timedelta
from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import LightningModule, Trainer

from pcm import generators
from pcm.console import tell
from pcm.errors import ExitCode
from pcm.internals import loops
from pcm.internals.optimizer_states import before_optimizer_states
from pcm.internals.required import check_internals
from pcm.rank.progress import Heartbeat, Progress
from pcm.rank.ranks import Ranks
from pcm.rank.settings import checkpoint_minutes, collective_seconds
from pcm.rank.task import Task, record_stop, record_unkept
from pcm.run_dir.attempt_records import StoppedRecord
from pcm.run_dir.checkpointing import read_checkpointing
from pcm.run_dir.checkpoints import (
    Manifest,
    best_first,
    make_room,
    prune,
    read_manifests,
)
from pcm.training.agreement import Agreement, Wish, agreement_of
from pcm.training.building.build import build_data, build_model, build_trainer
from pcm.training.building.devices import choose_device
from pcm.training.building.strategy_choice import needs_group
from pcm.training.checkpoints.checkpoint_io import CheckpointFiles
from pcm.training.checkpoints.hook_entries import HookEntries
from pcm.training.checkpoints.saver import Saver
from pcm.training.checkpoints.schedule import LONGEST_S, Schedule, mean_between_interruptions
from pcm.training.checkpoints.starting import StartingPoint, find_start, share_start, step_of
from pcm.training.experiment_files import read_experiment
from pcm.training.faults import config_error, is_lightnings
from pcm.training.final_records import record_failure, record_finish, write_table
from pcm.training.finding.search import look_before_training
from pcm.training.quiet import quieten
from pcm.training.rendezvous import StoppedWhileMeetingError, process_group
from pcm.training.session import Session, StopTraining, unsaved_end
from pcm.training.skipped_batches import skip_together
from pcm.training.testing import require_test, test, wants_test
from pcm.training.training_logger import TrainingLogger
from pcm.training.want_of_data import require_data

_DATA_INTERVAL_S = 30.0
"""Between two notes of other ranks about their data, as between those of what they use."""


class Run:
    """One rank's training: to its end, to a stop, or to an error, each with its record."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._ranks = task.ranks
        self._progress = Progress()
        self._checkpointing = read_checkpointing(task.run_dir)
        self._logger: TrainingLogger | None = None
        self._files: CheckpointFiles | None = None

    def train(self) -> ExitCode:
        """Train, or go on training."""
        quieten(self._ranks)
        try:
            with self._heartbeat():
                return self._train()
        except BaseException as error:
            return record_failure(self._task, error)
        finally:
            if self._logger is not None:
                self._logger.close()

    def _heartbeat(self) -> Heartbeat:
        """Rank 0 tells of all that goes on; what others may know better is how their data are."""
        file = self._task.attempt.data(self._ranks.rank)
        if self._ranks.is_first:
            return Heartbeat(file, self._progress)
        return Heartbeat(file, self._progress.data_wait, _DATA_INTERVAL_S)

    def _train(self) -> ExitCode:
        check_internals()
        task, ranks = self._task, self._ranks
        experiment, config = read_experiment(task.run_dir)
        device = choose_device(config.get("trainer") or {}, ranks)
        if device.type == "cuda":
            torch.cuda.set_device(device)
        try:
            with process_group(
                ranks,
                task.attempt,
                str(experiment["id"]),
                device,
                task.stop,
                is_needed=needs_group(config),
            ):
                group = _cpu_group(ranks)
                choice = None
                if ranks.is_first:
                    choice = find_start(task.run_dir, experiment, task.checkpoint)
                start = share_start(choice, group)
                session = self._open(experiment, config, start, group)
                return self._fit(config, device, session, start, group)
        except StoppedWhileMeetingError:
            return self._leave_stopped()

    def _open(
        self,
        experiment: dict[str, Any],
        config: dict[str, Any],
        start: StartingPoint,
        group: dist.ProcessGroup | None,
    ) -> Session:
        """Open the journal and the checkpoints, and put together what watches over training."""
        task, ranks, progress = self._task, self._ranks, self._progress
        logger = TrainingLogger(task.run_dir, experiment, task.attempt.number, start.step, progress)
        schedule = self._schedule(start)
        progress.interval = min(schedule.period, LONGEST_S)

        def after_save(trouble: str | None) -> None:
            progress.note_save(trouble)
            schedule.note_end(is_saved=trouble is None)

        newest = start.checkpoint if start.is_own else None
        self._logger = logger
        self._files = CheckpointFiles(
            newest,
            logger.sync,
            partial(self._note_commit, logger),
            make_room=lambda: make_room(task.run_dir.checkpoints, self._checkpointing),
            after_save=after_save,
        )
        saver = Saver(
            task.run_dir,
            task.attempt,
            ranks,
            files=self._files,
            progress=progress,
            schedule=schedule,
            group=group,
        )
        return Session(
            ranks,
            config["seed"],
            is_own=start.is_own,
            saver=saver,
            schedule=schedule,
            agreement=self._agreement(schedule, group),
            progress=progress,
            note_unkept=partial(record_unkept, task),
        )

    def _note_commit(self, logger: TrainingLogger, manifest: Manifest) -> None:
        """A checkpoint counts: trackers are to hear of it, and older ones may go."""
        run_dir = self._task.run_dir
        try:
            logger.log_checkpoint(manifest.file, manifest.step)
        except OSError as error:
            # The stream keeps what it could not write, and syncing it comes before the next
            # commit and before the end.
            tell(f"warning: {run_dir.events} could not be written: {error}")
        prune(run_dir.checkpoints, self._checkpointing)

    def _schedule(self, start: StartingPoint) -> Schedule:
        wanted, attempts = self._checkpointing, self._task.run_dir.attempts()
        saved = read_manifests(self._task.run_dir.checkpoints) if start.is_own else []
        best = next(iter(best_first(saved, wanted)), None)
        earlier = [each for each in attempts if each.number < self._task.attempt.number]
        return Schedule(
            wanted,
            minutes=checkpoint_minutes(wanted),
            between_interruptions=mean_between_interruptions(earlier),
            best=None if best is None else best.monitored(wanted.monitored),
            step=start.step or 0,
        )

    def _agreement(self, schedule: Schedule, group: dist.ProcessGroup | None) -> Agreement:
        def wish() -> Wish:
            if self._task.stop.is_asked:
                return Wish.STOP
            is_due = schedule.is_due(self._progress.count_steps())
            return Wish.SAVE if is_due else Wish.GO_ON

        return agreement_of(wish, group, self._ranks.rank)

    def _fit(
        self,
        config: dict[str, Any],
        device: torch.device,
        session: Session,
        start: StartingPoint,
        group: dist.ProcessGroup | None,
    ) -> ExitCode:
        assert self._files is not None
        assert self._logger is not None
        generators.seed_all(config["seed"])
        model, data = build_model(config["model"]), build_data(config)
        self._files.entries = HookEntries(model)
        if wants_test(config):
            require_test(model, data)
        trainer = self._trainer(config, device, model, session, group)
        look_before_training(
            trainer,
            self._task,
            config,
            device,
            start,
            progress=self._progress,
            logger=self._logger,
            group=group,
        )
        wait = self._progress.data_wait
        loops.watch_fetching(trainer, wait.begin, wait.end)
        skip_together(trainer, self._ranks)
        self._progress.count_steps = lambda: loops.steps_done(trainer)
        try:
            with closing(self._files), closing(wait):
                trainer.fit(model, datamodule=data, ckpt_path=start.checkpoint)
            if wants_test(config):
                test(trainer, model, data)
        except StopTraining:
            return self._leave_stopped()
        except (MisconfigurationException, ValueError) as error:
            # What Lightning refuses before it trains is the config's; later it is the code's, or
            # the data's, and its place is in the traceback.
            if session.has_begun or not is_lightnings(error):
                raise
            raise config_error("trainer", str(error)) from error
        return self._leave_finished(trainer)

    def _trainer(
        self,
        config: dict[str, Any],
        device: torch.device,
        model: LightningModule,
        session: Session,
        group: dist.ProcessGroup | None,
    ) -> Trainer:
        """The Trainer, whose loops call the session where Lightning has no hook."""
        assert self._files is not None
        assert self._logger is not None
        trainer = build_trainer(
            config,
            self._ranks,
            device,
            model,
            callbacks=[session],
            files=self._files,
            logger=self._logger,
            group=group,
        )
        loops.take_over(trainer, session.before_step, session.before_validation)
        session.making.take_over(trainer)
        before_optimizer_states(trainer, session.before_optimizer_states)
        return trainer

    def _leave_finished(self, trainer: Trainer) -> ExitCode:
        assert self._logger is not None
        require_data(trainer)
        if self._ranks.is_first:
            self._require_saved(loops.steps_done(trainer))
        self._logger.sync()
        write_table(self._task)
        record_finish(self._task, trainer)
        return ExitCode.DONE

    def _require_saved(self, step: int) -> None:
        """Refuse to call an experiment done whose last weights are nowhere."""
        assert self._files is not None
        newest = self._files.newest
        if step > 0 and (newest is None or step_of(newest) != step):
            raise unsaved_end(step, "no checkpoint of its own has it")

    def _leave_stopped(self) -> ExitCode:
        # The journal has what the table has: where there is no room, the stop counts.
        with suppress(OSError):
            write_table(self._task)
        if self._ranks.is_first:
            record_stop(self._task, self._stopped_record())
        return ExitCode.STOPPED

    def _stopped_record(self) -> StoppedRecord:
        newest = None if self._files is None else self._files.newest
        trouble = None if self._files is None else self._files.trouble
        return StoppedRecord(
            checkpoint=None if newest is None else newest.name,
            step=self._progress.count_steps(),
            epoch=self._progress.epoch,
            reason=self._task.stop.reason,
            saved_step=None if trouble is None else 0 if newest is None else step_of(newest),
            unsaved=trouble,
        )


def _cpu_group(ranks: Ranks) -> dist.ProcessGroup | None:
    """A group of all ranks for what must not wait for a GPU; None for one rank."""
    if ranks.world_size == 1:
        return None
    # Without one it would be gloo's own half hour, whatever was asked for.
    timeout = timedelta(seconds=collective_seconds())
    group = dist.new_group(backend="gloo", timeout=timeout)
    assert isinstance(group, dist.ProcessGroup)
    return group
