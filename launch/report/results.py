"""What a sweep came to, for people and programs: one row a point, or one a group of points."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from launch.report.markup import latex_table, markdown_table
from launch.report.table import Column, console, table, width
from launch.report.terminal import json_text, note
from launch.results.columns import FACTS, Columns, Named
from launch.results.format import Format
from launch.results.rows import Result
from launch.text import number, short_labels

SHOWN_COSTS = ("hours", "gpu_hours", "attempts", "gpu_use")
"""Columns behind the metrics, where somebody looked at what experiments took."""

PIPE_COLUMNS = 120
"""Room for metrics where there is no terminal; a log is read by people too."""


def print_results(found: Sequence[Result], *, everything: bool = False) -> None:
    """The usual table, as wide as the terminal.

    Args:
        everything: all metrics, however wide that gets.
    """
    terminal = console()
    columns = terminal.width if terminal.is_terminal else min(terminal.width, PIPE_COLUMNS)
    shown, left_out = _fitting(found, columns, everything=everything)
    terminal.print(table(*_cells(found, _varying(found), shown)))
    if left_out:
        note(f"left out for want of room: {', '.join(left_out)}; `pcm results --all` has them")


def results_text(
    found: Sequence[Result], as_format: Format, named: Sequence[Named] | None = None
) -> str:
    """Results for a file, a pipe or a paper.

    Args:
        as_format: none but a table for a terminal, see `print_results`.
        named: the columns; None for the usual ones, which are all for CSV and JSON.
    """
    if as_format is Format.JSON:
        records = results_records(found) if named is None else named_records(found, named)
        return json_text(records) + "\n"
    if named is None and as_format is Format.CSV:
        return results_csv(found)
    if named is None:
        metrics = [Columns(found).find(name) for name in shown_metrics(_metrics(found))]
        head, rows = _cells(found, _varying(found), metrics)
        titles = [column.title for column in head]
    else:
        titles = [each.path if as_format is Format.CSV else each.name for each in named]
        rows = [[_cell(each.of(row), as_format) for each in named] for row in found]
    return sheet_text(titles, rows, as_format)


def sheet_text(titles: Sequence[str], rows: Sequence[Sequence[str]], as_format: Format) -> str:
    """Titles and cells as CSV, or as a table of a paper."""
    if as_format is Format.MARKDOWN:
        return markdown_table(titles, rows)
    if as_format is Format.LATEX:
        return latex_table(titles, rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([titles, *rows])
    return text.getvalue()


def named_table(found: Sequence[Result], named: Sequence[Named]) -> Table:
    """A row a point, with the columns that were asked for."""
    rows = [[_cell(each.of(row), Format.TABLE) for each in named] for row in found]
    head = [
        Column(each.name, number=_is_number(each, found), fold=not _is_number(each, found))
        for each in named
    ]
    return table(head, rows)


def named_records(found: Sequence[Result], named: Sequence[Named]) -> list[dict[str, Any]]:
    """The rows for programs, with the columns that were asked for."""
    return [{each.path: each.of(row) for each in named} for row in found]


def _is_number(column: Named, rows: Sequence[Result]) -> bool:
    values = [value for row in rows if (value := column.of(row)) is not None]
    return bool(values) and all(isinstance(value, int | float) for value in values)


def _cell(value: Any, as_format: Format) -> str:
    if isinstance(value, float):
        return repr(value) if as_format is Format.CSV else number(value)
    return _value(value)


def _axes(results: Sequence[Result]) -> list[str]:
    return union(result.axes for result in results)


def _metrics(results: Sequence[Result]) -> list[str]:
    return union(sorted(result.metrics) for result in results)


def union(groups: Iterable[Iterable[str]]) -> list[str]:
    """All names, each once, in the order in which they appear."""
    return list(dict.fromkeys(name for group in groups for name in group))


def shown_metrics(names: Sequence[str]) -> list[str]:
    """Metrics worth a column: those of validation, or all where there are none; totals first."""
    chosen = [name for name in names if name.startswith("val/")] or names
    # The total and the bounds have one-word names; parts are called <loss>-<link>.
    return sorted(chosen, key=lambda name: ("-" in name, name != "val/loss"))


def varying(points: Sequence[Mapping[str, Any]]) -> list[str]:
    """Paths of the axes that differ somewhere; where nothing does, all."""
    paths = union(points)
    differing = [path for path in paths if len({repr(point.get(path)) for point in points}) > 1]
    return differing or paths


def results_table(results: Sequence[Result], columns: int, *, everything: bool = False) -> Table:
    """A row a point, with as many metrics as fit into `columns`, at least one."""
    shown, _ = _fitting(results, columns, everything=everything)
    return table(*_cells(results, _varying(results), shown))


def _varying(results: Sequence[Result]) -> list[str]:
    return varying([result.axes for result in results])


def _fitting(
    results: Sequence[Result], columns: int, *, everything: bool
) -> tuple[list[Named], list[str]]:
    """Metrics, then what it cost, as far as there is room; and the names of the others."""
    every, axes = Columns(results), _varying(results)
    metrics = [every.find(name) for name in shown_metrics(_metrics(results))]
    wanted = [*metrics, *(every.find(name) for name in SHOWN_COSTS if _is_telling(name, results))]
    shown = wanted
    while not everything and len(shown) > 1 and width(*_cells(results, axes, shown)) > columns:
        shown = shown[:-1]
    return shown, [column.name for column in wanted[len(shown) :]]


def _is_telling(fact: str, results: Sequence[Result]) -> bool:
    """Whether it is known and more than what goes without saying."""
    usual = 1 if fact == "attempts" else 0
    return any((FACTS[fact](result) or 0) > usual for result in results)


def _cells(
    results: Sequence[Result], axes: Sequence[str], shown: Sequence[Named]
) -> tuple[list[Column], list[list[str]]]:
    titles = short_labels(axes)
    # Names repeat the axes, so they are for experiments that have none.
    named = not axes
    head = [
        Column("id"),
        *([Column("experiment", fold=True)] if named else []),
        Column("state"),
        *(Column(titles[path], fold=True) for path in axes),
        *(Column(column.name, number=True) for column in shown),
    ]
    rows = [
        [
            result.id,
            *([result.name] if named else []),
            result.state,
            *(_value(result.axes.get(path)) for path in axes),
            *(number(column.of(result)) for column in shown),
        ]
        for result in results
    ]
    return head, rows


def _value(value: Any) -> str:
    return "" if value is None else str(value)


def results_csv(results: Sequence[Result]) -> str:
    """The rows with all metrics, exact numbers, full paths."""
    axes, metrics = _axes(results), _metrics(results)
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
