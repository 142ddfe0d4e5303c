"""What experiments took of what they asked for, put together."""

from collections.abc import Sequence
from dataclasses import dataclass

from launch.results.advice import Advice, Taken, advise
from launch.results.usage import used_by
from launch.status.looking import lines_of
from launch.store import Experiment
from launch.telling import Tell
from pcm.garbage_collection import no_garbage_collection


@dataclass(frozen=True, slots=True)
class Efficiency:
    """What experiments asked for and took, and what to ask for next time.

    Attributes:
        taken: one an experiment.
        advices: one for each kind of nodes and ranks of which something is done.
    """

    taken: list[Taken]
    advices: list[Advice]


def efficiency_of(experiments: Sequence[Experiment], tell: Tell) -> Efficiency:
    """What these experiments asked for and took, and what to ask for next time."""
    with no_garbage_collection():
        pairs = zip(experiments, lines_of(experiments, tell), strict=True)
        taken = [
            Taken(each.id, each.name, line.state, each.resources, used_by(each))
            for each, line in pairs
        ]
        return Efficiency(taken, advise(taken))
