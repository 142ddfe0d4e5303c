"""What a sweep came to: one row a point, with its axes and last metrics."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.table import Table

from launch.grid.points import short_labels
from launch.report.table import Column, table, width
from launch.status.state import State
from launch.text import number
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
    for row in read_journal(journal):
        step = row.step
        values.update(row.values)
    return step, values


def union(groups: Iterable[Iterable[str]]) -> list[str]:
    """All names, each once, in the order in which they appear."""
    return list(dict.fromkeys(name for group in groups for name in group))


def shown_metrics(names: Sequence[str]) -> list[str]:
    """Metrics worth a column: those of validation, or all where there are none; totals first."""
    chosen = [name for name in names if name.startswith("val/")] or names
    # The total and the bounds have one-word names; parts are called <loss>-<link>.
    return sorted(chosen, key=lambda name: ("-" in name, name != "val/loss"))


def results_table(results: Sequence[Result], columns: int, *, everything: bool = False) -> Table:
    """A row a point, with as many metrics as fit into `columns`, at least one."""
    axes = union(result.axes for result in results)
    metrics = shown_metrics(union(sorted(result.metrics) for result in results))
    while True:
        head, rows = _cells(results, axes, metrics)
        if everything or len(metrics) <= 1 or width(head, rows) <= columns:
            return table(head, rows)
        metrics = metrics[:-1]


def _cells(
    results: Sequence[Result], axes: Sequence[str], metrics: Sequence[str]
) -> tuple[list[Column], list[list[str]]]:
    titles = short_labels(axes)
    # Names repeat the axes, so they are for experiments that have none.
    named = not axes
    head = [
        Column("id"),
        *([Column("experiment", fold=True)] if named else []),
        Column("state"),
        *(Column(titles[path], fold=True) for path in axes),
        *(Column(name, number=True) for name in metrics),
    ]
    rows = [
        [
            result.id,
            *([result.name] if named else []),
            result.state,
            *(_value(result.axes.get(path)) for path in axes),
            *(number(result.metrics.get(name)) for name in metrics),
        ]
        for result in results
    ]
    return head, rows


def _value(value: Any) -> str:
    return "" if value is None else str(value)


def results_csv(results: Sequence[Result]) -> str:
    """The rows with all metrics, exact numbers, full paths."""
    axes = union(result.axes for result in results)
    metrics = union(sorted(result.metrics) for result in results)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", "name", "state", "step", *axes, *metrics])
    for result in results:
        values = [result.axes.get(path) for path in axes]
        numbers = [result.metrics.get(name) for name in metrics]
        writer.writerow([result.id, result.name, result.state, result.step, *values, *numbers])
    return text.getvalue()


def results_records(results: Sequence[Result]) -> list[dict[str, Any]]:
    """The rows for programs."""
    return [asdict(result) for result in results]
