"""`pcm resume`: go on with what has ended without being done."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from launch.cli.checkpoints import BY_RANK, checkpoint_file
from launch.cli.collecting import print_results, results_of
from launch.cli.finding import find_experiments, lines_of, open_store
from launch.cli.options import Executor, MaxParallel, RunsDir, SweepsOrIds
from launch.cli.running import leave, run_experiments
from launch.cli.submitting import resume_on_slurm
from launch.status import State
from pcm.errors import UsageError

if TYPE_CHECKING:
    from launch.store import Experiment

RESUMABLE = (State.NEW, State.STOPPED, State.FAILED, State.LOST, State.CANCELLED)


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
    directory and tracker run, from its newest whole checkpoint.

    \b
    Examples:
      pcm resume 3f2a
      pcm resume quickstart --failed
      pcm resume 3f2a --checkpoint best
    """
    store = open_store(runs_dir)
    chosen = _resumable(find_experiments(store, words), (State.FAILED,) if failed else RESUMABLE)
    if not chosen:
        typer.echo("Nothing to resume.")
        return
    if checkpoint is not None and checkpoint not in BY_RANK:
        for experiment in chosen:
            checkpoint_file(experiment, checkpoint)
    where = executor or _executor_of(chosen)
    if where is Executor.SLURM:
        resume_on_slurm(chosen, store, checkpoint=checkpoint)
        return
    _uncancel(chosen)
    run = run_experiments(chosen, where, max_parallel=max_parallel, checkpoint=checkpoint)
    print_results(results_of(chosen))
    leave(run, chosen)


def _resumable(experiments: "Sequence[Experiment]", states: Sequence[State]) -> "list[Experiment]":
    """Those in one of the states; says what is left out and why."""
    lines = lines_of(experiments)
    for line in lines:
        if line.state not in states:
            typer.echo(f"{line.id} {line.name}: {line.state}, left as it is")
    return [
        experiment
        for experiment, line in zip(experiments, lines, strict=True)
        if line.state in states
    ]


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
    from launch.stop import uncancel
    from launch.store import RunsRoot

    for experiment in experiments:
        uncancel(RunsRoot(experiment.launch.root), experiment.id)
