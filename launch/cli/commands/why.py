"""`pcm why`: how an experiment came to be where it is."""

import typer

from launch.cli.options import ExperimentId, Json, RunsDir


def why(identifier: ExperimentId, *, runs_dir: RunsDir = None, as_json: Json = False) -> None:
    """Say why an experiment waits, or how it came to its end.

    The queue's reason and expected start; the rank that failed first, the end of its traceback,
    its exit code or signal, and the memory it used.

    \b
    Example:
      pcm why 3f2a
    """
    from launch.report.explain import explain
    from launch.report.terminal import note, print_facts, print_json
    from launch.status.looking import lines_of
    from launch.store.finding import open_store
    from launch.store.records import notice_damaged

    experiment = open_store(runs_dir).find(identifier)
    notice_damaged(experiment)
    [line] = lines_of([experiment], note)
    explanation = explain(experiment, line.status)
    if as_json:
        print_json({"id": line.id, **dict(explanation.facts), "text": explanation.text})
        return
    typer.echo(f"{line.id} {line.name}")
    print_facts(explanation.facts)
    if explanation.text:
        typer.echo(f"\n{explanation.text}")
