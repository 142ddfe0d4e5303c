"""The callback that makes a run resumable: where to save, where to stop, how to go on."""

from collections.abc import Callable, Sequence
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor
from torch.optim import Optimizer

from pcm import generators
from pcm.errors import PcmError
from pcm.internals import loops
from pcm.internals.averaging import fit_to_current, resume_averaging
from pcm.internals.buckets import fix_buckets
from pcm.internals.logged_means import continue_epoch
from pcm.internals.loops import Place
from pcm.rank.progress import Progress
from pcm.rank.ranks import Ranks
from pcm.training.agreement import Agreement, Wish
from pcm.training.building.trainer_callbacks import capture_callbacks
from pcm.training.checkpoints.saver import Saver
from pcm.training.checkpoints.schedule import Schedule
from pcm.training.length import describe_length
from pcm.training.states import loaders
from pcm.training.states.attributes import Attributes
from pcm.training.states.making import Making
from pcm.training.states.module_state import fingerprint
from pcm.training.states.parameter_groups import capture_groups, restore_groups
from pcm.training.states.rank_state import capture_rank, restore_rank
from pcm.training.states.start_state import KEY, Start, read_start
from pcm.training.states.waiting_gradients import WaitingGradients
from pcm.training.want_of_data import require_batches, require_data


class StopTraining(Exception):  # noqa: N818 - a way out of Lightning's loops, no error
    """A stop was agreed on by all ranks; what there is to save has been saved."""


class Session(Callback):
    """Saves at three places, stops there, and puts every rank back into its state there.

    The places are described in `pcm.internals.loops`. Each rank's generators and
    accumulators are captured and restored at the same line of the same hook, so that what
    happens from there on happens alike, whether for the first time or again.

    Must be the first of the Trainer's callbacks: what later ones do in a hook comes after.

    Args:
        seed: the experiment's.
        is_own: whether the checkpoint to start from, if any, is this experiment's.
        note_unkept: called with the names of attributes that no checkpoint can have.

    Attributes:
        has_begun: whether steps, or the sanity check before them, may have run.
    """

    def __init__(
        self,
        ranks: Ranks,
        seed: int,
        *,
        is_own: bool,
        saver: Saver,
        schedule: Schedule,
        agreement: Agreement,
        progress: Progress,
        note_unkept: Callable[[Sequence[str]], None],
    ) -> None:
        self._ranks = ranks
        self._seed = seed
        self._is_own = is_own
        self._saver = saver
        self._schedule = schedule
        self._agreement = agreement
        self._progress = progress
        self._note_unkept = note_unkept
        self._trainer: Trainer | None = None
        self.has_begun = False
        # The checkpoint's part of ours, from its loading until training is at its place: while
        # there is one, nothing is saved and no stop is taken, since ranks are not yet restored.
        self._start: Start | None = None
        # This rank's state at the validation's start. A stop inside of it saves that one, for the
        # validation is then done again as a whole, with the same draws.
        self._at_validation: dict[str, Any] = {}
        self._callbacks_at_validation: dict[str, Any] = {}
        # Whether a validation has ended since the last checkpoint: its metrics go into the next
        # one alone, which is the one that `best` may then choose.
        self._is_validated = False
        # Whether this process is still to begin its first epoch, whose iterators Lightning makes
        # before the hook in which the loaders are told their place.
        self._is_first_epoch = True
        self._attributes: Attributes | None = None
        self._gradients = WaitingGradients()
        self.making = Making()
        # What the parameters were when the validation began.
        self._before_validation: list[float] = []

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:  # noqa: ARG002
        """Remember the trainer, which `before_step` is not given."""
        self._trainer = trainer

    def on_load_checkpoint(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        checkpoint: dict[str, Any],
    ) -> None:
        """Keep our part until training is at its place.

        Raises:
            PcmError: it cannot be continued here.
        """
        self._start = read_start(checkpoint, self._ranks, self._is_own)
        self.making.start_from(self._start.state or {})
        self._saver.skip(checkpoint[KEY]["step"], self._start.place)
        fit_to_current(pl_module, checkpoint)
        if self._is_own:
            # Lightning checks again what it continues between two epochs; callbacks would see it.
            trainer.num_sanity_val_steps = 0
        if trainer.strategy.restore_checkpoint_after_setup:
            # Strategies that share weights out load them after `on_fit_start`.
            self._give_metrics(trainer)

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Give callbacks the metrics that there were; also if there is nothing left to do."""
        self._give_metrics(trainer)

    def _give_metrics(self, trainer: Trainer) -> None:
        if self._start is not None and self._start.state is not None:
            trainer.callback_metrics.update(self._start.state["callback_metrics"])
            trainer.should_stop = self._start.state.get("module", {}).get("should_stop", False)

    def before_optimizer_states(self) -> None:
        """Have optimizers hold what they held, if they are about to be given their states."""
        trainer = self._trainer
        if trainer is not None and self._start is not None:
            restore_groups(trainer, trainer.lightning_module, self._start.groups)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Seed this rank, or prepare for the place where training goes on."""
        self.has_begun = True
        is_inside = self._start is not None and self._start.place is not Place.EPOCH
        describe_length(trainer, self._progress, is_inside=is_inside)
        self._attributes = self._attributes or Attributes(pl_module, self._note_unkept)
        fix_buckets(trainer.strategy.model)
        if self._start is not None and self._start.place is Place.EPOCH:
            loops.forget_restart(trainer)
        if self._start is None or self._start.state is None:
            generators.seed_rank(self._seed, self._ranks.rank)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Place `epoch`: save what the epoch before led to, if it is due; stop if asked."""
        self._restore(trainer, pl_module)
        resume_averaging(trainer)
        wish = self._agreement.settle()
        self._progress.chances += 1
        self._progress.epoch = loops.epoch_of(trainer)
        is_taken = wish is not Wish.GO_ON or self._schedule.takes_epoch(loops.epoch_of(trainer))
        if is_taken and loops.steps_done(trainer) > 0:
            self._save(trainer, Place.EPOCH, "stop" if wish is Wish.STOP else "epoch")
        if wish is Wish.STOP:
            raise StopTraining
        loaders.begin_epoch(trainer, loops.epoch_of(trainer))

    def before_step(self) -> None:
        """Place `step`: find it again after a start from there; else save, stop, or neither."""
        trainer = self._trainer
        assert trainer is not None
        # Between steps, rather than in `on_train_batch_end`: there, what the step logs and its
        # schedulers are not done yet, and later callbacks have still to see it.
        if self._start is not None:
            self._go_on(trainer, self._start)
        elif self._is_first_epoch:
            # Lightning began this iteration before the loaders knew their place, and before
            # anybody's `on_train_epoch_start` could tell them the epoch.
            loops.restart_iteration(trainer, done=0, skip=0)
            self._is_first_epoch = False
        # Before an epoch's first step the place is the epoch's boundary, which was just saved.
        elif loops.batches_done(trainer) > 0:
            wish = self._agreement.poll()
            if loops.is_accumulating(trainer):
                return
            self._progress.chances += 1
            if wish is not Wish.GO_ON:
                self._save(trainer, Place.STEP, "stop" if wish is Wish.STOP else "interval")
                if wish is Wish.STOP:
                    raise StopTraining

    def on_sanity_check_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Note what was built: a resume has no such check, and nothing that it leaves behind."""
        self.has_begun = True
        self._attributes = Attributes(pl_module, self._note_unkept)

    def before_validation(self) -> None:
        """Place `validation`: capture what a stop inside of it saves."""
        trainer = self._trainer
        assert trainer is not None
        if trainer.sanity_checking:
            return
        model = trainer.lightning_module
        self._restore(trainer, model)
        self._progress.phase = "validating"
        self._at_validation = self._capture(trainer, model)
        self._callbacks_at_validation = capture_callbacks(trainer)
        self._before_validation = fingerprint(model)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Stop before its first batch if asked."""
        if not trainer.sanity_checking:
            self._stop_in_validation(trainer)

    def on_validation_batch_end(self, trainer: Trainer, *_: Any, **__: Any) -> None:
        """Stop inside a validation if asked: it will be done again as a whole."""
        if not trainer.sanity_checking:
            self._stop_in_validation(trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Let the next checkpoint carry the metrics."""
        if not trainer.sanity_checking:
            self._is_validated = True
            if self._ranks.is_first:
                self._schedule.note_validation(_metrics_of(trainer))
            self._progress.phase = "training"

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Refuse an epoch that had nothing to train on."""
        require_batches(trainer)

    def on_test_batch_end(self, *_: Any, **__: Any) -> None:
        """Stop inside a test if asked: it comes after the last checkpoint, and is done again."""
        self._progress.chances += 1
        if self._agreement.poll() is Wish.STOP:
            raise StopTraining

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Save the end.

        Raises:
            PcmError: it can't be saved, or is none, for want of data; on all ranks.
        """
        self._progress.epoch = loops.epoch_of(trainer)
        require_data(trainer)
        self._save(trainer, Place.EPOCH, "end")
        if self._saver.trouble is not None:
            raise unsaved_end(loops.steps_done(trainer), self._saver.trouble)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Be at training's end again where nothing was left of it: a test may follow."""
        start = self._start
        if self._is_own and start is not None and start.place is Place.EPOCH:
            loops.begin_and_end(trainer, lambda: self._restore(trainer, pl_module))

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add our part: the place, and every rank's state there."""
        place = self._saver.place
        if place is None:
            return
        loops.write_place(checkpoint["loops"], place)
        is_validation = place is Place.VALIDATION
        if is_validation:
            checkpoint["callbacks"] = self._callbacks_at_validation
        mine = self._at_validation if is_validation else self._capture(trainer, pl_module)
        groups = capture_groups(trainer, pl_module)
        checkpoint[KEY] = {**self._saver.our_part(trainer, mine), "groups": groups}

    def on_before_backward(
        self,
        trainer: Trainer,  # noqa: ARG002
        pl_module: LightningModule,
        loss: Tensor,  # noqa: ARG002
    ) -> None:
        """Note that gradients are made."""
        if not pl_module.automatic_optimization:
            self._gradients.note_backward()

    def on_before_optimizer_step(
        self,
        trainer: Trainer,  # noqa: ARG002
        pl_module: LightningModule,
        optimizer: Optimizer,
    ) -> None:
        """Note that an optimizer uses them."""
        if not pl_module.automatic_optimization:
            self._gradients.note_step(optimizer)

    def _capture(self, trainer: Trainer, model: LightningModule) -> dict[str, Any]:
        # A validation may come while gradients are accumulated; so may a stop in it.
        may_wait = not model.automatic_optimization or loops.is_accumulating(trainer)
        gradients = self._gradients if may_wait else None
        state = capture_rank(trainer, model, self._attributes, gradients)
        return {**state, **self.making.capture(trainer)}

    def _restore(self, trainer: Trainer, model: LightningModule) -> None:
        """Put this rank into its state, once."""
        start, self._start = self._start, None
        if start is not None and start.state is not None:
            assert self._attributes is not None
            self.making.restore(trainer)
            restore_rank(trainer, model, self._attributes, start.state)

    def _go_on(self, trainer: Trainer, start: Start) -> None:
        """Find the place in the epoch again, after a start from inside of it."""
        assert start.state is not None, "it was refused when it was loaded"
        batch = loops.batches_done(trainer)
        if batch < trainer.num_training_batches:
            epoch = loops.epoch_of(trainer)
            fetched = start.state.get("fetched", batch)
            loaders.go_to(trainer, epoch, batch, fetched, start.state["loaders"])
        continue_epoch(trainer)
        loops.forget_restart_of_epoch(trainer)
        self._is_first_epoch = False
        if start.place is Place.STEP:
            self._restore(trainer, trainer.lightning_module)
        resume_averaging(trainer)

    def _stop_in_validation(self, trainer: Trainer) -> None:
        self._progress.chances += 1
        if self._agreement.poll() is not Wish.STOP:
            return
        # Some validate with averaged weights, which are swapped in for it. The next place, at most
        # an epoch's end, has the others back.
        if fingerprint(trainer.lightning_module) == self._before_validation:
            self._save(trainer, Place.VALIDATION, "stop")
            raise StopTraining

    def _save(self, trainer: Trainer, place: Place, reason: str) -> None:
        metrics = {}
        if self._is_validated:
            metrics = _metrics_of(trainer)
        self._saver.save(trainer, place, reason, metrics)
        self._is_validated = False


def _metrics_of(trainer: Trainer) -> dict[str, float]:
    return {name: float(value) for name, value in trainer.callback_metrics.items()}


def unsaved_end(step: int, reason: str) -> PcmError:
    """Training is at its end, and its weights are nowhere."""
    return PcmError(
        f"the end of training, step {step}, could not be saved: {reason}",
        "see to the disk, then launch or resume: it goes on from the newest checkpoint",
    )
