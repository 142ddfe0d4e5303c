"""What a sweep came to, for people and programs: one row a point."""

import csv
import io
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import typer
from rich.table import Table

from launch.grid.points import short_labels
from launch.report.table import Column, console, table, width
from launch.report.terminal import print_json
from launch.results.format import Format
from launch.results.rows import Result
from launch.text import number
from pcm.config.printable import printable

PIPE_COLUMNS = 120
"""Room for metrics where there is no terminal; a log is read by people too."""


def print_results(
    found: Sequence[Result], as_format: Format = Format.TABLE, *, everything: bool = False
) -> None:
    """Print them as asked for."""
    if as_format is Format.CSV:
        text = results_csv(found)
        typer.echo(printable(text) if sys.stdout.isatty() else text, nl=False)
    elif as_format is Format.JSON:
        print_json(results_records(found))
    else:
        terminal = console()
        columns = terminal.width if terminal.is_terminal else min(terminal.width, PIPE_COLUMNS)
        terminal.print(results_table(found, columns, everything=everything))


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
