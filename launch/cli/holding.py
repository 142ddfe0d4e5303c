"""Which of the experiments that somebody wants to resume may be, and what is in the others' way."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from launch.cli.finding import lines_of
from launch.status.state import State

if TYPE_CHECKING:
    from launch.store import Experiment

RESUMABLE = (State.NEW, State.STOPPED, State.FAILED, State.LOST, State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Choice:
    """Experiments, sorted.

    Attributes:
        free: to be resumed.
        held: that somebody else has in hand, or that wait or run already.
    """

    free: "list[Experiment]"
    held: "list[Experiment]"


def choose(
    experiments: "Sequence[Experiment]",
    states: Collection[State] = RESUMABLE,
    queued: Collection[str] = (),
) -> Choice:
    """Sort experiments by where they stand now; says what is left out and why.

    Args:
        states: those in another one were not asked for.
        queued: ids of experiments that have a job in Slurm's queue, whatever their state.
    """
    from launch.status.holder import holder

    choice = Choice([], [])
    for experiment, line in zip(experiments, lines_of(experiments), strict=True):
        where = holder(experiment, line.status)
        if where is None and line.id in queued:
            where = "still has a job in Slurm's queue"
        if where is not None and states == RESUMABLE:
            typer.echo(f"{line.id} {line.name} is not resumed: it {where}", err=True)
            choice.held.append(experiment)
        elif line.state in states and where is None:
            choice.free.append(experiment)
        else:
            typer.echo(f"{line.id} {line.name}: {line.state}, left as it is")
    return choice
