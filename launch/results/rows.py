"""One row a point: its axes and its last metrics."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from launch.damage import notice
from launch.status.looking import lines_of
from launch.status.state import State
from launch.store import Experiment
from launch.telling import Tell, say_nothing
from pcm.run_dir import read_journal


@dataclass(frozen=True, slots=True)
class Result:
    """One point of a sweep.

    Attributes:
        step: training batches done when the last metric was logged; None before the first.
        metrics: the last value of each metric.
        axes: what the point overrides, by path.
    """

    id: str
    name: str
    state: State
    step: int | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    axes: dict[str, Any] = field(default_factory=dict)


def last_metrics(journal: Path) -> tuple[int | None, dict[str, float]]:
    """The last step that was logged, and the last value of each metric."""
    step, values = None, {}
    for row in read_journal(journal, notice):
        step = row.step
        values.update(row.values)
    return step, values


def results_of(experiments: Sequence[Experiment], tell: Tell = say_nothing) -> list[Result]:
    """What each experiment came to so far.

    Args:
        tell: called with what is missing where Slurm can't be asked.
    """
    return [
        Result(
            line.id,
            line.name,
            line.state,
            *last_metrics(experiment.run_dir.metrics),
            dict(experiment.overrides),
        )
        for experiment, line in zip(experiments, lines_of(experiments, tell), strict=True)
    ]
