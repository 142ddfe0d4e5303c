"""The names that a person gives to what is known of a result."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from launch.results.moments import best_value, value_at
from launch.results.rows import Result
from launch.text import short_labels
from pcm.config.names import did_you_mean
from pcm.errors import UsageError


def rounded(value: float | None, digits: int) -> float | None:
    """For people; None stays None."""
    return None if value is None else round(value, digits)


FACTS: dict[str, Callable[[Result], Any]] = {
    "id": lambda row: row.id,
    "name": lambda row: row.name,
    "sweep": lambda row: row.sweep,
    "state": lambda row: str(row.state),
    "step": lambda row: row.step,
    "attempts": lambda row: None if row.cost is None else row.cost.attempts,
    "hours": lambda row: None if row.cost is None else round(row.cost.hours, 4),
    "gpu_hours": lambda row: None if row.cost is None else round(row.cost.gpu_hours, 4),
    "cores_used": lambda row: None if row.used is None else rounded(row.used.cores, 2),
    "memory_mb": lambda row: None if row.used is None else rounded(row.used.memory_mb, 0),
    "gpu_use": lambda row: None if row.used is None else rounded(row.used.gpu_percent, 1),
    "data_wait": lambda row: None if row.used is None else rounded(row.used.data_percent, 1),
}
"""What every experiment has, besides its axes and metrics."""

COSTS = ("attempts", "hours", "gpu_hours", "cores_used", "memory_mb", "gpu_use", "data_wait")
"""Those for which all attempts must be looked at."""

PARTS = {
    "last": "last",
    "min": "least",
    "max": "greatest",
    "last_step": "last_step",
    "min_step": "least_step",
    "max_step": "greatest_step",
}
"""After a metric's name and a colon: `val/loss:min`."""


MOST_NAMED = 16
"""Of all names that there are, where somebody wrote another: about three lines."""


@dataclass(frozen=True, slots=True)
class Named:
    """A column.

    Attributes:
        name: as it is shown: short, and without doubt in this table.
        path: as it stands in the grid file, for programs.
        of: a result's value; None where it has none.
    """

    name: str
    path: str
    of: Callable[[Result], Any]


class Columns:
    """All columns that some results have."""

    def __init__(self, results: Sequence[Result]) -> None:
        self._results = results
        self._axes = union(row.axes for row in results)
        self._metrics = union(row.metrics for row in results)
        self._labels = short_labels(self._axes, FACTS)

    @property
    def axes(self) -> list[Named]:
        """What the points override, in the grid's order."""
        return [self._axis(path) for path in self._axes]

    @property
    def metrics(self) -> list[str]:
        """Names of all metrics, in the order of their first values."""
        return list(self._metrics)

    def values(self, column: Named) -> list[Any]:
        """What a column has, where it has anything."""
        return [value for row in self._results if (value := column.of(row)) is not None]

    def but(self, name: str) -> list[Named]:
        """All axes but one."""
        return [axis for axis in self.axes if name not in (axis.name, axis.path)]

    def find(self, name: str) -> Named:
        """The column of a name: an axis by its path or label, a metric, a fact.

        Raises:
            UsageError: there is none.
        """
        if name in FACTS:
            return Named(name, name, FACTS[name])
        if name in self._axes:
            return self._axis(name)
        for path, label in self._labels.items():
            if name == label:
                return self._axis(path)
        found = self._metric(name)
        if found is not None:
            return Named(name, name, found)
        raise self._unknown(name)

    def _unknown(self, name: str) -> UsageError:
        endings = f"{', '.join(f':{part}' for part in PARTS)}, :best or @STEP"
        metric, sign, part = _ending(name)
        if metric in self._metrics:
            return UsageError(
                f"no '{sign}{part}' of metric '{metric}'", f"a metric may end in {endings}"
            )
        known = [*self._labels.values(), *self._metrics, *FACTS]
        meant = did_you_mean(name, known)
        return UsageError(
            f"no axis, metric or fact '{name}'",
            f"{f'{meant} ' if meant else ''}there is {names_like(name, known)}; "
            f"a metric may end in {endings}",
        )

    def _metric(self, name: str) -> Callable[[Result], Any] | None:
        """Which value of which metric; None where there is no such metric."""
        metric, colon, part = name.rpartition(":")
        if name in self._metrics or not colon:
            metric, part = name, "last"
        if metric in self._metrics and part in PARTS:
            return _of_summary(metric, PARTS[part])
        if metric in self._metrics and part == "best":
            return lambda row: best_value(row, metric)
        metric, at, step = name.rpartition("@")
        if at and metric in self._metrics and step.isdecimal():
            return lambda row: value_at(row, metric, int(step))
        return None

    def _axis(self, path: str) -> Named:
        return Named(self._labels[path], path, lambda row: row.axes.get(path))


def _of_summary(name: str, attribute: str) -> Callable[[Result], Any]:
    def value(row: Result) -> Any:
        summary = row.summaries.get(name)
        return None if summary is None else getattr(summary, attribute)

    return value


def _ending(name: str) -> tuple[str, str, str]:
    """A metric's name, the sign after it, and what of it is wanted."""
    at, colon = name.rpartition("@"), name.rpartition(":")
    return at if len(at[0]) > len(colon[0]) else colon


def names_like(name: str, known: Sequence[str]) -> str:
    """All names, or of very many those that are most like one."""
    if len(known) <= MOST_NAMED:
        return ", ".join(known)
    # Those that are most like it first; axes and metrics stand before facts.
    like = get_close_matches(name, known, MOST_NAMED, 0.3)
    named = list(dict.fromkeys([*like, *known]))[:MOST_NAMED]
    return f"{', '.join(named)} and {len(known) - len(named):,} more"


def union(groups: Iterable[Iterable[str]]) -> list[str]:
    """All names, each once, in the order in which they appear."""
    return list(dict.fromkeys(name for group in groups for name in group))
