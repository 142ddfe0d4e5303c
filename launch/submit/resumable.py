"""Which of the experiments that somebody wants to resume may be, and what is in the others' way."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from launch.damage import remedy
from launch.status.holder import holder
from launch.status.looking import lines_of
from launch.status.state import State
from launch.store import Experiment
from launch.store.records import damage_of
from launch.telling import Tell

RESUMABLE = (State.NEW, State.STOPPED, State.FAILED, State.LOST, State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Choice:
    """Experiments, sorted.

    Attributes:
        free: to be resumed.
        held: that somebody else has in hand, or that wait or run already, or whose records are
            damaged; and where.
        left: in none of the states that were asked for; and in which.
    """

    free: list[Experiment]
    held: list[tuple[Experiment, str]]
    left: list[tuple[Experiment, State]]


def choose(
    experiments: Sequence[Experiment],
    tell: Tell,
    states: Collection[State] = RESUMABLE,
    queued: Collection[str] = (),
) -> Choice:
    """Sort experiments by where they stand now.

    Args:
        tell: called with what is missing where Slurm can't be asked.
        states: those in another one were not asked for.
        queued: ids of experiments that have a job in Slurm's queue, whatever their state.
    """
    choice = Choice([], [], [])
    for experiment, line in zip(experiments, lines_of(experiments, tell), strict=True):
        where = holder(experiment, line.status)
        if where is None and line.id in queued:
            where = "still has a job in Slurm's queue"
        if where is None and (line.state in states) and (damage := damage_of(experiment)):
            choice.held.append((experiment, f"can't go on: {damage}; try: {remedy(damage)}"))
        elif where is not None and states == RESUMABLE:
            choice.held.append((experiment, where))
        elif line.state in states and where is None:
            choice.free.append(experiment)
        else:
            choice.left.append((experiment, line.state))
    return choice
