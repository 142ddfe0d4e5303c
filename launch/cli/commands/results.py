"""`pcm results`: what a sweep came to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launch.cli.options import RunsDir
from launch.results.format import Format
from pcm.errors import UsageError

if TYPE_CHECKING:
    from launch.results.columns import Named
    from launch.results.query import Query
    from launch.results.rows import Result


MOST_WITH_COSTS = 500
"""Of more, a table shows hours only when it is asked for them: that is a few files each."""


def results(
    words: Annotated[
        list[str],
        typer.Argument(help="Sweeps or experiments.", metavar="SWEEP|ID...", show_default=False),
    ],
    *,
    where: Annotated[
        str | None,
        typer.Option(help="Only these rows, e.g. 'lr<1e-3 and state=done'.", metavar="EXPR"),
    ] = None,
    sort: Annotated[
        str | None, typer.Option(help="An axis, a metric or a fact.", metavar="NAME")
    ] = None,
    reverse: Annotated[bool, typer.Option("--reverse", help="The greatest first.")] = False,
    top: Annotated[
        int | None, typer.Option(help="The first so many rows.", min=1, metavar="N")
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="A metric to show, with :last, :best, :min or :max, or @ and a step, "
            "e.g. val/loss:min, val/loss@1000; repeatable.",
            metavar="NAME",
        ),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(help="Columns with commas between: id, name, hours, axes ...", metavar="LIST"),
    ] = None,
    group_by: Annotated[
        str | None,
        typer.Option(
            help="Mean and spread of what agrees in these axes; `all` is all but the seed.",
            metavar="LIST",
        ),
    ] = None,
    as_format: Annotated[
        Format,
        typer.Option(
            "--format",
            help="CSV, JSON and Parquet have every metric, exactly; the last one needs -o, and "
            "pyarrow or Polars.",
        ),
    ] = Format.TABLE,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to a file.", metavar="FILE")
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(help="Only those whose sweep has this tag; repeatable.", metavar="TAG"),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Show all metrics, however wide the table.")
    ] = False,
    runs_dir: RunsDir = None,
) -> None:
    """Show one row a point: its axes and its last metrics.

    \b
    Examples:
      pcm results quickstart
      pcm results quickstart --where 'lr<1e-3' --sort val/loss --top 5
      pcm results quickstart --group-by all --metric val/loss:min
      pcm results quickstart --format csv -o quickstart.csv
    """
    from launch.report.terminal import note
    from launch.results.query import Query
    from launch.results.rows import results_of
    from launch.store.finding import find_experiments, open_store

    form = Format.JSON if as_json else as_format
    if output is not None and form is Format.TABLE:
        raise UsageError("a table is for the terminal", "add --format csv, or another one, to -o")
    if form.is_binary and (output is None or group_by is not None):
        raise UsageError(f"{form} is for rows in a file", "add -o FILE, and leave --group-by out")
    query = Query(where, sort, reverse, top, _split(columns), tuple(metric or ()))
    experiments = find_experiments(open_store(runs_dir), words)
    if tag:
        experiments = [each for each in experiments if set(tag) <= set(each.tags)]
    is_cheap = len(experiments) <= MOST_WITH_COSTS
    with_costs = is_cheap or form is not Format.TABLE or query.needs_costs
    found = results_of(experiments, note, with_costs=with_costs)
    if group_by is not None:
        _print_groups(found, query, group_by, form, output)
        return
    filtered = query.filtered(found)
    chosen = query.first(filtered, found)
    if form.is_binary and output is not None:
        _write_parquet(chosen, query.named(found), output)
    elif form is Format.TABLE:
        _print_table(chosen, filtered, found, query, everything=everything)
    else:
        from launch.report.results import results_text

        _write(results_text(chosen, form, query.named(found)), output)


def _print_table(
    chosen: "list[Result]",
    filtered: "list[Result]",
    found: "list[Result]",
    query: "Query",
    *,
    everything: bool,
) -> None:
    from launch.report.results import named_table, print_results
    from launch.report.table import print_table
    from launch.text import counted

    named = query.named(found)
    if named is None:
        print_results(chosen, among=filtered, everything=everything)
    else:
        print_table(named_table(chosen, named))
    if len(chosen) < len(found):
        typer.echo(f"{len(chosen):,} of {counted(len(found), 'experiment')}")


def _print_groups(
    found: "list[Result]", query: "Query", group_by: str, form: Format, output: Path | None
) -> None:
    from launch.report.groups_table import groups_csv, groups_records, groups_sheet, legend
    from launch.report.results import sheet_text, shown_metrics
    from launch.report.table import print_table, table
    from launch.report.terminal import json_text
    from launch.results.columns import Columns
    from launch.results.groups import group_value, grouped
    from launch.results.moments import is_more_better
    from launch.results.ordering import ordered
    from pcm.printable import printable

    every = Columns(found)
    axes = every.but("seed") if group_by == "all" else list(map(every.find, _split(group_by)))
    names = query.metrics or tuple(shown_metrics(every.metrics)[:3])
    metrics = [every.find(name) for name in names]
    groups = grouped(query.filtered(found), axes, metrics)
    if query.order is not None:
        of = group_value(query.order, axes, metrics)
        groups = ordered(groups, of, descending=query.is_descending(found))
    groups = groups[: query.top]
    if form is Format.JSON:
        _write(json_text(groups_records(groups, axes, metrics)) + "\n", output)
        return
    if form is Format.CSV:
        _write(groups_csv(groups, axes, metrics), output)
        return
    greatest = [query.reverse or is_more_better(found, name) for name in names]
    head, rows = groups_sheet(groups, axes, metrics, greatest)
    if form is not Format.TABLE:
        _write(sheet_text(head, rows, form), output)
        return
    print_table(table(head, rows))
    if metrics:
        typer.echo(printable(legend(metrics, greatest)))


def _split(text: str | None) -> tuple[str, ...]:
    return tuple(filter(None, (word.strip() for word in (text or "").split(","))))


def _write_parquet(chosen: "list[Result]", named: "list[Named] | None", output: Path) -> None:
    from launch.report.output_file import as_output
    from launch.results.collection import Results, columns_of, write_parquet

    rows = Results(chosen)
    columns = rows.columns() if named is None else columns_of(rows, named)
    with as_output(output):
        write_parquet(columns, output)


def _write(text: str, output: Path | None) -> None:
    """To a file as a whole or not at all, else to the terminal."""
    import sys

    from launch.report.output_file import write_output
    from pcm.printable import printable

    if output is None:
        typer.echo(printable(text) if sys.stdout.isatty() else text, nl=False)
    else:
        write_output(output, text)
