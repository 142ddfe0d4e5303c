"""Where in Lightning's loops training is, stops and goes on (written for 2.5 and 2.6).

Lightning restarts inside an epoch from its loops' counters, which it saves in the midst of
a step, where they say different things in different hooks. Here a checkpoint is taken at
three places only, and the counters are written as Lightning's restart needs them:

- `step`: between two steps, after everything that belongs to the one before: as if saved
  in `on_train_batch_end`, the place from which Lightning continues with the next batch.
- `validation`: at a validation's start: as if saved with its first batch under way, the
  place from which Lightning runs a validation as a whole.
- `epoch`: between two epochs: nothing is under way.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from lightning.pytorch import Trainer

from pcm.internals.module_tensors import fit_buffers

_FETCHES_ITSELF = "iterator_wrapper"

LoopStates = dict[str, dict[str, Any]]


class Place(StrEnum):
    """Where in the course of training a checkpoint was taken."""

    STEP = "step"
    VALIDATION = "validation"
    EPOCH = "epoch"


def take_over(
    trainer: Trainer,
    before_step: Callable[[], None],
    before_validation: Callable[[], None],
) -> None:
    """Hook into the loops, and keep Lightning from signals and from a broadcast per step.

    Args:
        before_validation: called before anything of a validation is done.
        before_step: called when everything of the step before is done and logged, also
            before an epoch's first step.
    """
    epoch_loop = trainer.fit_loop.epoch_loop
    advance = epoch_loop.advance

    def advance_after(fetcher: Any) -> None:
        before_step()
        advance(fetcher)

    validate = epoch_loop.val_loop.run

    def validate_after() -> Any:
        before_validation()
        return validate()

    load_weights = trainer.strategy.load_model_state_dict

    def load_weights_as_trained(checkpoint: Any, strict: bool = True) -> None:
        # Lightning converts a module to double precision only after it has loaded the weights,
        # which were rounded to single precision thereby.
        trainer.precision_plugin.convert_module(trainer.lightning_module)
        fit_buffers(trainer.lightning_module, checkpoint.get("state_dict", {}))
        load_weights(checkpoint, strict=strict)

    def do_nothing() -> None:
        pass

    _replace(epoch_loop, "advance", advance_after)
    _replace(epoch_loop.val_loop, "run", validate_after)
    _replace(trainer.strategy, "load_model_state_dict", load_weights_as_trained)
    # A broadcast read at once, every step: on a GPU it costs a synchronisation.
    if hasattr(epoch_loop, "_broadcast_sigterm_tensor"):
        _replace(epoch_loop, "_broadcast_sigterm_tensor", do_nothing)
    # Its handlers communicate, which hangs when ranks are signalled at different steps.
    _replace(trainer._signal_connector, "register_signal_handlers", do_nothing)


def take_over_loaders(
    trainer: Trainer,
    before_training: Callable[[], int | None],
    make_validation: Callable[[Callable[[], None]], None],
    prepare_loader: Callable[..., object],
) -> None:
    """Hook into the making of loaders.

    Args:
        before_training: called before training's loaders are made; the epoch in which these were
            made first, if that is another.
        make_validation: called to make a validation's loaders, with what makes them.
        prepare_loader: wraps each loader once it has its sampler; is told `is_for_training`.
    """
    val_loop = trainer.fit_loop.epoch_loop.val_loop
    setup_loaders = trainer.fit_loop.setup_data
    in_setup = [False]

    def setup_loaders_for_training() -> None:
        fit_loop = trainer.fit_loop
        if fit_loop._combined_loader is not None and not fit_loop._should_reload_train_dl:
            return
        epoch = before_training()
        in_setup[0] = True
        try:
            setup_loaders()
        finally:
            in_setup[0] = False
        if epoch is not None:
            fit_loop._last_train_dl_reload_epoch = epoch

    setup_validation = val_loop.setup_data

    def setup_loaders_for_validation() -> None:
        is_made = bool(validation_loaders(trainer))
        if not is_made or val_loop._should_reload_val_dl:
            make_validation(setup_validation)

    def prepare(loader: object) -> object:
        return prepare_loader(loader, is_for_training=in_setup[0])

    _replace(trainer.fit_loop, "setup_data", setup_loaders_for_training)
    _replace(val_loop, "setup_data", setup_loaders_for_validation)
    _replace(trainer.strategy, "process_dataloader", prepare)


def watch_fetching(trainer: Trainer, begin: Callable[[], None], end: Callable[[], None]) -> None:
    """Have it noted when training asks its loaders for a batch, and when it has it.

    Its fetchers call what profilers measure with, also where steps fetch for themselves.
    """
    epoch_loop = trainer.fit_loop.epoch_loop
    before, after = epoch_loop._on_before_fetch, epoch_loop._on_after_fetch

    def begin_first() -> None:
        before()
        begin()

    def end_first() -> None:
        end()
        after()

    _replace(epoch_loop, "_on_before_fetch", begin_first)
    _replace(epoch_loop, "_on_after_fetch", end_first)


def watch_skipping(trainer: Trainer, skipped: Callable[[], None]) -> None:
    """Have it called where a batch of training is skipped, before any hook that follows.

    Such a batch is None, or the module's `on_train_batch_start` has returned -1: Lightning counts
    it as processed, but not as started.
    """
    progress = trainer.fit_loop.epoch_loop.batch_progress
    start, process = progress.increment_started, progress.increment_processed
    is_started = [False]

    def start_and_note() -> None:
        is_started[0] = True
        start()

    def process_or_skip() -> None:
        if not is_started[0]:
            skipped()
        is_started[0] = False
        process()

    _replace(progress, "increment_started", start_and_note)
    _replace(progress, "increment_processed", process_or_skip)


def _replace(owner: object, name: str, function: Callable[..., Any]) -> None:
    assert hasattr(owner, name), f"this version of Lightning has no {name}"
    setattr(owner, name, function)


def steps_done(trainer: Trainer) -> int:
    """Training batches begun, over all attempts: between steps, those that are done."""
    return int(trainer.fit_loop.epoch_loop.batch_progress.total.ready)


def batches_done(trainer: Trainer) -> int:
    """Training batches begun in the present epoch."""
    return int(trainer.fit_loop.epoch_loop.batch_progress.current.ready)


def is_at_last_step(trainer: Trainer) -> bool:
    """Whether an optimizer has taken as many steps as `max_steps` allows."""
    return 0 <= trainer.max_steps <= trainer.global_step


def is_accumulating(trainer: Trainer) -> bool:
    """Whether gradients of earlier batches wait for an optimizer's step."""
    return trainer.accumulate_grad_batches > 1 and trainer.fit_loop.epoch_loop._should_accumulate()


def train_loaders(trainer: Trainer) -> list[Any]:
    """The training loaders as they are iterated."""
    loader = trainer.fit_loop._combined_loader
    assert loader is not None
    return list(loader.flattened)


def validation_loaders(trainer: Trainer) -> list[Any]:
    """The validation's loaders as they are iterated; none before they are made."""
    loader = trainer.fit_loop.epoch_loop.val_loop._combined_loader
    return [] if loader is None else list(loader.flattened)


def make_validation_loaders(trainer: Trainer) -> None:
    """Make them before the validation that needs them, as Lightning does at training's start."""
    trainer.validating = True
    trainer.fit_loop.epoch_loop.val_loop.setup_data()
    trainer.training = True


def epoch_of_validation_loaders(trainer: Trainer) -> float:
    """The epoch in which they were made, by which Lightning knows when to make others."""
    return float(trainer.fit_loop.epoch_loop.val_loop._last_val_dl_reload_epoch)


def set_epoch_of_validation_loaders(trainer: Trainer, epoch: float) -> None:
    """Have them count as made then."""
    trainer.fit_loop.epoch_loop.val_loop._last_val_dl_reload_epoch = epoch


def restart_iteration(trainer: Trainer, done: int, skip: int) -> None:
    """Iterate over the training loaders anew, as if `done` batches had been fetched.

    Args:
        skip: batches to fetch and drop.
    """
    fetcher = trainer.fit_loop._data_fetcher
    assert fetcher is not None
    iter(fetcher)
    # Where steps fetch for themselves, the fetcher hands out what fetches.
    batches: Any = getattr(fetcher, _FETCHES_ITSELF, fetcher)
    for _ in range(skip):
        next(batches)
    fetcher.fetched = done


def batches_fetched(trainer: Trainer) -> int:
    """Training batches fetched in the present epoch: as many as begun, but where steps of a
    `dataloader_iter` fetch for themselves.
    """
    fetcher = trainer.fit_loop._data_fetcher
    is_own = fetcher is not None and hasattr(fetcher, _FETCHES_ITSELF)
    return fetcher.fetched if fetcher is not None and is_own else batches_done(trainer)


def forget_restart(trainer: Trainer) -> None:
    """Let the next epoch begin like any other; called in `on_train_start`."""
    trainer.fit_loop._restarting = False
    trainer.fit_loop.epoch_loop.restarting = False


def forget_restart_of_epoch(trainer: Trainer) -> None:
    """Let an epoch that was begun again end like any other, once its loop goes on.

    Lightning leaves out the step of ReduceLROnPlateau at such an epoch's end.
    """
    trainer.fit_loop._restarting = False


def begin_and_end(trainer: Trainer, begun: Callable[[], None]) -> None:
    """Have a training that has nothing left begin and end, with the hooks of both.

    Lightning leaves them out, so that what is done at an end would never be done by a training
    that was killed between its last checkpoint and there.

    Args:
        begun: called between the two.
    """
    trainer.fit_loop.on_run_start()
    begun()
    trainer.fit_loop.on_run_end()


def write_place(loops: LoopStates, place: Place) -> None:
    """Change the loops' saved counters to what a restart from `place` needs."""
    fit = loops["fit_loop"]
    epochs = fit["epoch_progress"]
    batches = fit["epoch_loop.batch_progress"]
    for counter in (batches["total"], batches["current"]):
        # A batch that was None or was skipped is counted as begun alone.
        counter["started"] = counter["processed"] = counter["completed"] = counter["ready"]
    if place is Place.EPOCH:
        for counter in (epochs["total"], epochs["current"]):
            counter["ready"] = counter["started"] = counter["processed"] = counter["completed"]
    elif place is Place.STEP:
        for counter in (batches["total"], batches["current"]):
            counter["completed"] -= 1
        # Lightning adds it back, together with the batch above.
        fit["epoch_loop.state_dict"]["_batches_that_stepped"] -= 1
    else:
        validation = fit["epoch_loop.val_loop.batch_progress"]
        validation["total"] = {"ready": 1, "started": 1, "processed": 0, "completed": 0}
        validation["current"] = {"ready": 0, "started": 0, "processed": 0, "completed": 0}
        validation["is_last_batch"] = False


def begin_epoch_again(loops: LoopStates, place: Place) -> None:
    """Change counters written for `place` to what a restart from its epoch's beginning needs.

    Steps are counted on: those of the epoch's first time have been taken.
    """
    if place is Place.STEP:
        loops["fit_loop"]["epoch_loop.state_dict"]["_batches_that_stepped"] += 1
    write_place(loops, Place.EPOCH)


def epoch_of(trainer: Trainer) -> int:
    """The epoch under way, or the next one between two epochs; from 0."""
    return int(trainer.fit_loop.epoch_progress.current.processed)  # type: ignore[attr-defined]
