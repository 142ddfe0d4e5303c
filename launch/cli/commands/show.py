"""`pcm show`: one experiment, all there is to know."""

import typer

from launch.cli.options import ExperimentId, Json, RunsDir


def show(identifier: ExperimentId, *, runs_dir: RunsDir = None, as_json: Json = False) -> None:
    """Show all there is to know of one experiment.

    \b
    Example:
      pcm show 3f2a
    """
    from launch.report.experiment import attempts_table, experiment_record, headlines
    from launch.report.table import console
    from launch.report.terminal import note, print_facts, print_json
    from launch.status.looking import lines_of
    from launch.store.finding import open_store
    from launch.store.records import notice_damaged

    experiment = open_store(runs_dir).find(identifier)
    notice_damaged(experiment)
    [line] = lines_of([experiment], note)
    record = experiment_record(experiment, line.status)
    if as_json:
        print_json(record)
        return
    typer.echo(record["name"])
    print_facts(headlines(record))
    if record["attempts"]:
        console().print(attempts_table(record["attempts"]))
