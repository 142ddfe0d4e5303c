"""`pcm resume`: go on with what has ended without being done."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from launch.cli.checkpoints import BY_RANK, checkpoint_file
from launch.cli.collecting import print_results, results_of
from launch.cli.finding import find_experiments, open_store
from launch.cli.holding import RESUMABLE, choose
from launch.cli.options import MaxParallel, RunsDir, SweepsOrIds
from launch.cli.running import leave, run_experiments
from launch.cli.submitting import resume_on_slurm
from launch.executor import Executor
from launch.status.state import State
from pcm.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from launch.store import Experiment


def resume(
    words: SweepsOrIds,
    *,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            help="Go on from this one: a file name, best or last. The newest without.",
            metavar="NAME",
        ),
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only those that failed.")] = False,
    executor: Annotated[
        Executor | None, typer.Option(help="Where to run; as they were launched without.")
    ] = None,
    max_parallel: MaxParallel = None,
    runs_dir: RunsDir = None,
) -> None:
    """Go on with what was stopped or has failed.

    So does what was cancelled, got lost or never started. Each continues in its run
    directory and tracker run, from its newest whole checkpoint. What waits or runs already is
    not resumed: the others are, and the exit code is 4.

    \b
    Examples:
      pcm resume 3f2a
      pcm resume quickstart --failed
      pcm resume 3f2a --checkpoint best
    """
    store = open_store(runs_dir)
    choice = choose(find_experiments(store, words), (State.FAILED,) if failed else RESUMABLE)
    held = list(choice.held)
    if choice.free:
        _check_checkpoint(choice.free, checkpoint)
        where = executor or _executor_of(choice.free)
        if where is Executor.SLURM:
            held += resume_on_slurm(choice.free, store, checkpoint=checkpoint)
        else:
            _resume_here(choice.free, where, max_parallel=max_parallel, checkpoint=checkpoint)
    elif not held:
        typer.echo("Nothing to resume.")
    if held:
        raise typer.Exit(ExitCode.REFUSED)


def _check_checkpoint(experiments: "Sequence[Experiment]", name: str | None) -> None:
    """Refuse to start anything where one of them has no checkpoint of this name."""
    if name is not None and name not in BY_RANK:
        for experiment in experiments:
            checkpoint_file(experiment, name)


def _resume_here(
    chosen: "Sequence[Experiment]",
    executor: Executor,
    *,
    max_parallel: int | None,
    checkpoint: str | None,
) -> None:
    """Run experiments to their end."""
    _uncancel(chosen)
    run = run_experiments(chosen, executor, max_parallel=max_parallel, checkpoint=checkpoint)
    print_results(results_of(chosen))
    leave(run, chosen)


def _executor_of(experiments: "Sequence[Experiment]") -> Executor:
    """The one that launched them."""
    names = {str(each.launch.record.get("executor", Executor.SLURM)) for each in experiments}
    if len(names) > 1:
        raise UsageError(
            f"they were launched by different executors: {', '.join(sorted(names))}",
            "choose one with --executor",
        )
    return Executor(names.pop())


def _uncancel(experiments: "Sequence[Experiment]") -> None:
    from launch.store import RunsRoot
    from launch.store.markers import uncancel

    for experiment in experiments:
        uncancel(RunsRoot(experiment.launch.root), experiment.id)
