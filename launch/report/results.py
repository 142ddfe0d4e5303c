"""What a sweep came to, for people and programs: one row a point, or one a group of points."""

import csv
import io
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from launch.report.markup import latex_table, markdown_table
from launch.report.table import (
    Column,
    Table,
    least_width,
    print_table,
    table,
    terminal_width,
    width,
)
from launch.report.terminal import json_text, note
from launch.results.columns import FACTS, Columns, Named, union
from launch.results.format import Format
from launch.results.rows import Result
from launch.status.state import State
from launch.text import first_of, number, word

SHOWN_COSTS = ("hours", "gpu_hours", "attempts", "gpu_use")
"""Columns behind the metrics, where somebody looked at what experiments took."""

NAMED = 6
"""Columns that there is no room for are named up to so many; a model may log a thousand."""

PIPE_COLUMNS = 120
"""Room for metrics where there is no terminal; a log is read by people too."""


def print_results(
    found: Sequence[Result], *, among: Sequence[Result] = (), everything: bool = False
) -> None:
    """The usual table, as wide as the terminal.

    Args:
        among: of which these are the first, so that an axis in which those agree is shown, too.
        everything: all metrics, however wide that gets.
    """
    columns = terminal_width()
    if not sys.stdout.isatty():
        columns = min(columns, PIPE_COLUMNS)
    shown, left_out = results_table(found, columns, among=among, everything=everything)
    print_table(shown)
    if left_out:
        names = first_of(left_out, NAMED)
        note(f"left out for want of room: {names}; `pcm results --all` has them")
    if any(row.state is State.DONE for row in found) and not any(row.metrics for row in found):
        note("note: no metrics were logged: a LightningModule's self.log does, or pcm.script's log")


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
        return sheet_text(*_cells(found, _first_columns(found), metrics), as_format)
    if as_format is Format.CSV:
        exact = [[_exact(each.of(row)) for each in named] for row in found]
        return csv_text([each.path for each in named], exact)
    return sheet_text(*_named_cells(found, named), as_format)


def sheet_text(head: Sequence[Column], rows: Sequence[Sequence[str]], as_format: Format) -> str:
    """A table of a paper."""
    as_text = markdown_table if as_format is Format.MARKDOWN else latex_table
    return as_text(head, rows)


def csv_text(titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table for programs; what is not there is empty."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([titles, *rows])
    return text.getvalue()


def named_table(found: Sequence[Result], named: Sequence[Named]) -> Table:
    """A row a point, with the columns that were asked for."""
    return table(*_named_cells(found, named))


def _named_cells(
    found: Sequence[Result], named: Sequence[Named]
) -> tuple[list[Column], list[list[str]]]:
    numbers = [_is_number(each, found) for each in named]
    head = [
        Column(each.name, number=is_number, fold=not is_number and each.name != "id")
        for each, is_number in zip(named, numbers, strict=True)
    ]
    return head, [[_cell(each, row) for each in named] for row in found]


def named_records(found: Sequence[Result], named: Sequence[Named]) -> list[dict[str, Any]]:
    """The rows for programs, with the columns that were asked for."""
    return [{each.path: each.of(row) for each in named} for row in found]


def _is_number(column: Named, rows: Sequence[Result]) -> bool:
    values = [value for row in rows if (value := column.of(row)) is not None]
    return bool(values) and all(isinstance(value, int | float) for value in values)


def _cell(column: Named, row: Result) -> str:
    """For people: axes as the grid file has them, numbers short."""
    value = column.of(row)
    if column.path in row.axes:
        return word(value)
    return number(value) if isinstance(value, float) else "" if value is None else str(value)


def _exact(value: Any) -> str:
    """For programs."""
    if isinstance(value, float):
        return repr(value)
    return "" if value is None else str(value)


def _axes(results: Sequence[Result]) -> list[str]:
    return union(result.axes for result in results)


def _metrics(results: Sequence[Result]) -> list[str]:
    return union(sorted(result.metrics) for result in results)


def shown_metrics(names: Sequence[str]) -> list[str]:
    """Metrics worth a column: those of validation, or all where there are none; totals first."""
    chosen = [name for name in names if name.startswith("val/")] or names
    # The total and the bounds have one-word names; parts are called <loss>-<link>.
    return sorted(chosen, key=lambda name: ("-" in name, name != "val/loss", name))


def varying(points: Sequence[Mapping[str, Any]]) -> list[str]:
    """Paths of the axes that differ somewhere; where nothing does, all."""
    paths = union(points)
    differing = [path for path in paths if len({repr(point.get(path)) for point in points}) > 1]
    return differing or paths


def results_table(
    results: Sequence[Result],
    columns: int,
    *,
    among: Sequence[Result] = (),
    everything: bool = False,
) -> tuple[Table, list[str]]:
    """A row a point, with as many metrics as fit into `columns`, at least one; see `print_results`.

    Returns:
        The table, and the names of what is left out.
    """
    first, shown, left_out = _fitting(results, among or results, columns, everything=everything)
    return table(*_cells(results, first, shown)), left_out


def _first_columns(results: Sequence[Result]) -> list[Named]:
    """What tells the rows apart: which sweep where there are several, and the axes that vary."""
    every = Columns(results)
    axes = [every.find(path) for path in varying([result.axes for result in results])]
    names = ["id", *(["sweep"] if len({result.sweep for result in results}) > 1 else [])]
    # Names repeat the axes, so they are for experiments that have none.
    named = [] if axes else [replace(every.find("name"), name="experiment")]
    return [*map(every.find, names), *named, every.find("state"), *axes]


def _fitting(
    results: Sequence[Result], among: Sequence[Result], columns: int, *, everything: bool
) -> tuple[list[Named], list[Named], list[str]]:
    """What tells rows apart, and metrics, then what it cost, as far as there is room.

    Returns:
        Both, and the names of what is left out: axes only where a single metric is too much.
    """
    first, every = _first_columns(among), Columns(results)
    metrics = [every.find(name) for name in shown_metrics(_metrics(results))]
    wanted = [*metrics, *(every.find(name) for name in SHOWN_COSTS if _is_telling(name, results))]
    shown = wanted
    while not everything and len(shown) > 1 and width(*_cells(results, first, shown)) > columns:
        shown = shown[:-1]
    kept = first
    while not everything and len(kept) > 2 and least_width(*_cells(results, kept, shown)) > columns:
        kept = kept[:-1]
    return kept, shown, [each.name for each in (*first[len(kept) :], *wanted[len(shown) :])]


def _is_telling(fact: str, results: Sequence[Result]) -> bool:
    """Whether it is known and more than what goes without saying."""
    usual = 1 if fact == "attempts" else 0
    return any((FACTS[fact](result) or 0) > usual for result in results)


def _cells(
    results: Sequence[Result], first: Sequence[Named], shown: Sequence[Named]
) -> tuple[list[Column], list[list[str]]]:
    head = [
        *(Column(each.name, fold=each.name not in ("id", "state")) for each in first),
        *(Column(each.name, number=True) for each in shown),
    ]
    rows = [
        [
            *(_cell(each, result) for each in first),
            *(number(each.of(result)) for each in shown),
        ]
        for result in results
    ]
    return head, rows


def results_csv(results: Sequence[Result]) -> str:
    """The rows with all metrics, exact numbers, full paths."""
    axes, metrics = _axes(results), _metrics(results)
    rows = [
        [
            *(result.id, result.name, result.state, result.step),
            *(result.axes.get(path) for path in axes),
            *(result.metrics.get(name) for name in metrics),
        ]
        for result in results
    ]
    return csv_text(["id", "name", "state", "step", *axes, *metrics], rows)


def results_records(results: Sequence[Result]) -> list[dict[str, Any]]:
    """The rows for programs."""
    return [asdict(result) for result in results]
