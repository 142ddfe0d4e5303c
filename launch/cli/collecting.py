"""`pcm results`: what a sweep came to."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from launch.cli.finding import find_experiments, lines_of, open_store
from launch.cli.options import RunsDir
from launch.cli.printing import print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from launch.report.results import Result
    from launch.store import Experiment


PIPE_COLUMNS = 120
"""Room for metrics where there is no terminal; a log is read by people too."""


class Format(StrEnum):
    """How results are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def results(
    words: Annotated[
        list[str],
        typer.Argument(help="Sweeps or experiments.", metavar="SWEEP|ID", show_default=False),
    ],
    *,
    as_format: Annotated[
        Format, typer.Option("--format", help="CSV and JSON have every metric, exactly.")
    ] = Format.TABLE,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Show all metrics, however wide the table.")
    ] = False,
    runs_dir: RunsDir = None,
) -> None:
    """Show one row a point: its axes and its last metrics.

    \b
    Examples:
      pcm results quickstart
      pcm results quickstart --format csv > quickstart.csv
    """
    found = results_of(find_experiments(open_store(runs_dir), words))
    print_results(found, Format.JSON if as_json else as_format, everything=everything)


def results_of(experiments: "Sequence[Experiment]") -> "list[Result]":
    """What each experiment came to so far; says so where Slurm can't be asked."""
    from launch.report.results import Result, last_metrics

    return [
        Result(
            line.id,
            line.name,
            line.state,
            *last_metrics(experiment.run_dir.metrics),
            dict(experiment.overrides),
        )
        for experiment, line in zip(experiments, lines_of(experiments), strict=True)
    ]


def print_results(
    found: "Sequence[Result]", as_format: Format = Format.TABLE, *, everything: bool = False
) -> None:
    """Print them as asked for."""
    from launch.report.results import results_csv, results_records, results_table
    from launch.report.table import console

    if as_format is Format.CSV:
        typer.echo(results_csv(found), nl=False)
    elif as_format is Format.JSON:
        print_json(results_records(found))
    else:
        terminal = console()
        columns = terminal.width if terminal.is_terminal else min(terminal.width, PIPE_COLUMNS)
        terminal.print(results_table(found, columns, everything=everything))
