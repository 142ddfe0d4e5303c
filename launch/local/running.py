"""Frozen experiments on this machine, by either of its executors."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from launch.executor import Executor
from launch.local.debug import run_debug
from launch.local.runner import default_parallel, run_local
from launch.site import task_limit
from launch.status.state import Line, State, Status
from launch.status.statuses import read_statuses
from launch.store import Experiment
from launch.submit.completion import Completion
from pcm.errors import RefusedError


def run_here(
    experiments: Sequence[Experiment],
    executor: Executor,
    show: Callable[[Sequence[Line]], None],
    *,
    max_parallel: int | None = None,
    checkpoint: str | None = None,
) -> Completion:
    """Run frozen experiments to their end.

    Args:
        show: called again and again with all of them as they stand.
        max_parallel: how many at once; for None as many as fit on this machine, and no more
            than the grid file allows.
        checkpoint: the one to go on from: a name, `best` or `last`; the newest for None.

    Raises:
        RefusedError: the executor can't run them.
    """
    assert executor is not Executor.SLURM
    if threading.current_thread() is not threading.main_thread():
        # Signals reach no other thread, and a Ctrl-C could stop nothing.
        problem = "experiments run on this machine from a program's main thread alone"
        raise RefusedError(problem, "call it there, or as `pcm launch` in a process of its own")
    if executor is Executor.DEBUG:
        return _run_in_this_process(experiments, checkpoint)

    def on_tick(statuses: Mapping[str, Status]) -> None:
        show([Line(each.id, each.name, statuses[each.id]) for each in experiments])

    limit = max_parallel or _room_for(experiments)
    return run_local(experiments, limit, on_tick, checkpoint=checkpoint)


def _room_for(experiments: Sequence[Experiment]) -> int:
    """How many run at once: what the grid file allows, as far as this machine has room."""
    room = {default_parallel(each.world_size, each.resources.gpus) for each in experiments}
    allowed = {task_limit(replace(each.resources, pack=None)) for each in experiments}
    return min(room | {limit for limit in allowed if limit is not None})


def _run_in_this_process(experiments: Sequence[Experiment], checkpoint: str | None) -> Completion:
    """One after the other, up to the first that somebody stops."""
    is_interrupted = False
    for experiment in experiments:
        is_interrupted = run_debug(experiment, checkpoint).state is State.STOPPED
        if is_interrupted:
            break
    return Completion(read_statuses(experiments), is_interrupted)
