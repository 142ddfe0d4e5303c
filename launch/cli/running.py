"""Running experiments in the foreground: progress, results, and the exit code of it all."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

import typer

from launch.executor import Executor
from launch.status.state import State
from pcm.errors import ExitCode

if TYPE_CHECKING:
    from launch.local.runner import LocalRun
    from launch.status.state import Status
    from launch.store import Experiment

BROKEN = (State.FAILED, State.LOST)


def run_experiments(
    experiments: "Sequence[Experiment]",
    executor: Executor,
    *,
    max_parallel: int | None = None,
    checkpoint: str | None = None,
    err: bool = False,
) -> "LocalRun":
    """Run frozen experiments to their end and show how they fare.

    Args:
        max_parallel: how many at once; for None as many as fit on this machine, and no more
            than the grid file allows.
        checkpoint: the one to go on from: a name, `best` or `last`; the newest for None.
        err: show it on standard error.

    Raises:
        RefusedError: the executor can't run them.
    """
    assert executor is not Executor.SLURM
    if executor is Executor.DEBUG:
        return _run_in_this_process(experiments, checkpoint)
    from launch.local.runner import run_local
    from launch.report.live import live_view
    from launch.report.table import console
    from launch.status.state import Line

    limit = max_parallel or _room_for(experiments)
    with live_view(console(err=err)) as show:

        def on_tick(statuses: "Mapping[str, Status]") -> None:
            show([Line(each.id, each.name, statuses[each.id]) for each in experiments])

        return run_local(experiments, limit, on_tick, checkpoint=checkpoint)


def _room_for(experiments: "Sequence[Experiment]") -> int:
    """How many run at once: what the grid file allows, as far as this machine has room."""
    from launch.local.runner import default_parallel

    room = {default_parallel(each.world_size, each.resources.gpus) for each in experiments}
    allowed = {each.resources.max_parallel for each in experiments}
    return min(room | {limit for limit in allowed if limit is not None})


def _run_in_this_process(experiments: "Sequence[Experiment]", checkpoint: str | None) -> "LocalRun":
    """One after the other, up to the first that somebody stops."""
    from launch.local.debug import run_debug
    from launch.local.runner import LocalRun
    from launch.status.facts import read_statuses

    is_interrupted = False
    for experiment in experiments:
        is_interrupted = run_debug(experiment, checkpoint).state is State.STOPPED
        if is_interrupted:
            break
    return LocalRun(read_statuses(experiments), is_interrupted)


def leave(run: "LocalRun", experiments: "Sequence[Experiment]") -> None:
    """Say what is not done and how to go on.

    Raises:
        typer.Exit: an experiment failed, somebody interrupted, or has an experiment in hand.
    """
    for message in run.refused.values():
        typer.echo(f"not started: {message}", err=True)
    ours = [each for each in experiments if each.id not in run.refused]
    unfinished = [each for each in ours if run.statuses[each.id].state is not State.DONE]
    if unfinished:
        _leave_unfinished(run, unfinished)
    if run.refused:
        raise typer.Exit(ExitCode.REFUSED)


def _leave_unfinished(run: "LocalRun", unfinished: "Sequence[Experiment]") -> NoReturn:
    broken = [each for each in unfinished if run.statuses[each.id].state in BROKEN]
    for each in broken:
        status = run.statuses[each.id]
        typer.echo(f"{each.id} {status.state}: {status.detail}; pcm logs {each.id}", err=True)
    ids = " ".join(each.id for each in unfinished[:4])
    words = ids if len(unfinished) <= 4 else " ".join(sorted({each.sweep for each in unfinished}))
    typer.echo(f"{len(unfinished)} not done; to go on: pcm resume {words}", err=True)
    # What somebody else cancelled was interrupted too.
    failed = broken and not run.is_interrupted
    raise typer.Exit(ExitCode.EXPERIMENT_FAILED if failed else ExitCode.INTERRUPTED)
