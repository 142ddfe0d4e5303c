"""`pcm results`: what a sweep came to."""

from typing import Annotated

import typer

from launch.cli.options import RunsDir
from launch.results.format import Format


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
    from launch.report.results import print_results
    from launch.report.terminal import note
    from launch.results.rows import results_of
    from launch.store.finding import find_experiments, open_store

    found = results_of(find_experiments(open_store(runs_dir), words), note)
    print_results(found, Format.JSON if as_json else as_format, everything=everything)
