"""`pcm show` and `pcm why`: one experiment, all there is to know, and how that came about."""

from collections.abc import Sequence

import typer

from launch.cli.finding import lines_of, open_store
from launch.cli.options import ExperimentId, Json, RunsDir
from launch.cli.printing import print_json


def show(identifier: ExperimentId, *, runs_dir: RunsDir = None, as_json: Json = False) -> None:
    """Show all there is to know of one experiment.

    \b
    Example:
      pcm show 3f2a
    """
    from launch.report.experiment import attempts_table, experiment_record, headlines

    experiment = open_store(runs_dir).find(identifier)
    [line] = lines_of([experiment])
    record = experiment_record(experiment, line.status)
    if as_json:
        print_json(record)
        return
    from launch.report.table import console

    typer.echo(record["name"])
    _print_facts(headlines(record))
    if record["attempts"]:
        console().print(attempts_table(record["attempts"]))


def why(identifier: ExperimentId, *, runs_dir: RunsDir = None, as_json: Json = False) -> None:
    """Say why an experiment waits, or how it came to its end.

    The queue's reason and expected start; the rank that failed first, the end of its traceback,
    its exit code or signal, and the memory it used.

    \b
    Example:
      pcm why 3f2a
    """
    from launch.report.explain import explain

    experiment = open_store(runs_dir).find(identifier)
    [line] = lines_of([experiment])
    explanation = explain(experiment, line.status)
    if as_json:
        print_json({"id": line.id, **dict(explanation.facts), "text": explanation.text})
        return
    typer.echo(f"{line.id} {line.name}")
    _print_facts(explanation.facts)
    if explanation.text:
        typer.echo(f"\n{explanation.text}")


def _print_facts(facts: "Sequence[tuple[str, str]]") -> None:
    width = max(len(label) for label, _ in facts)
    for label, text in facts:
        typer.echo(f"  {label:{width}}  {text}")
