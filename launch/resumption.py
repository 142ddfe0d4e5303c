"""Going on with experiments that have ended without being done."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from launch.executor import Executor
from launch.local.gpus_here import require_gpus_of
from launch.local.running import run_here
from launch.proposal import Show
from launch.status.state import State
from launch.store import Experiment, RunsRoot, Store
from launch.store.leftovers import remove_leftovers
from launch.store.markers import uncancel
from launch.store.named_checkpoints import BY_RANK, checkpoint_file
from launch.submit.completion import Completion
from launch.submit.launches import resume_on_slurm
from launch.submit.resumable import RESUMABLE, Choice, choose
from launch.submit.sbatch_errors import NoRoomError
from launch.telling import Tell
from pcm.errors import UsageError


@dataclass(frozen=True, slots=True)
class Resumption:
    """What came of it.

    Attributes:
        choice: what was free to be resumed, and what was not.
        completion: how the experiments ended; None if nobody waited for them.
        no_room: why Slurm hasn't got all of them yet; None if it has.
    """

    choice: Choice
    completion: Completion | None = None
    no_room: NoRoomError | None = None


def choose_resumable(experiments: Sequence[Experiment], tell: Tell, *, failed: bool) -> Choice:
    """Which of them may be resumed.

    Args:
        failed: only those that failed.
    """
    return choose(experiments, tell, (State.FAILED,) if failed else RESUMABLE)


def resume_chosen(
    choice: Choice,
    store: Store,
    show: Show,
    tell: Tell,
    *,
    executor: Executor | None,
    site: str | None = None,
    max_parallel: int | None,
    checkpoint: str | None,
) -> Resumption:
    """Go on with what is free to be resumed.

    Args:
        show: called every now and then with the experiments that run here.
        executor: where; as they were launched for None.
        site: of Slurm, by name or file; as they were launched for None.
        checkpoint: the one to go on from: a file name, `best` or `last`; None takes the newest.

    Raises:
        NotFoundError: one of them has no such checkpoint; then none is resumed.
        UsageError: they were launched by different executors.
        ConfigError: here they would end for want of GPUs.
        RefusedError: the executor doesn't take them.
    """
    if not choice.free:
        return Resumption(choice)
    _require_checkpoint(choice.free, checkpoint)
    remove_leftovers(store.root, {each.sweep for each in choice.free})
    where = executor or _executor_of(choice.free)
    if where is Executor.LOCAL:
        require_gpus_of(choice.free)
    if where is Executor.SLURM:
        resumed = resume_on_slurm(choice.free, store, tell, site=site, checkpoint=checkpoint)
        held = [*choice.held, *resumed.choice.held]
        left = [*choice.left, *resumed.choice.left]
        return Resumption(replace(resumed.choice, held=held, left=left), no_room=resumed.no_room)
    for experiment in choice.free:
        uncancel(RunsRoot(experiment.launch.root), experiment.id)
    run = run_here(choice.free, where, show, max_parallel=max_parallel, checkpoint=checkpoint)
    return Resumption(choice, run)


def _require_checkpoint(experiments: Sequence[Experiment], name: str | None) -> None:
    """Refuse to start anything where one of them has no checkpoint of this name."""
    if name is not None and name not in BY_RANK:
        for experiment in experiments:
            checkpoint_file(experiment, name)


def _executor_of(experiments: Sequence[Experiment]) -> Executor:
    """The one that launched them."""
    names = {str(each.launch.record.get("executor", Executor.SLURM)) for each in experiments}
    if len(names) > 1:
        raise UsageError(
            f"they were launched by different executors: {', '.join(sorted(names))}",
            "choose one with --executor",
        )
    return Executor(names.pop())
