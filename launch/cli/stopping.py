"""`pcm cancel`: stop experiments for good."""

import typer

from launch.cli.asking import confirm
from launch.cli.finding import find_experiments, lines_of, open_store
from launch.cli.options import RunsDir, SweepsOrIds, Yes
from launch.report.text import counted
from launch.status import State


def cancel(words: SweepsOrIds, *, yes: Yes = False, runs_dir: RunsDir = None) -> None:
    """Stop experiments for good, with a checkpoint.

    What waits never starts, what runs stops within seconds. Launching the grid again leaves
    them alone; `pcm resume` brings them back.

    \b
    Examples:
      pcm cancel 3f2a
      pcm cancel quickstart --yes
    """
    from launch.stop import cancel as cancel_experiment

    store = open_store(runs_dir)
    lines = lines_of(find_experiments(store, words))
    chosen = [line for line in lines if line.state not in (State.DONE, State.CANCELLED)]
    for line in chosen:
        typer.echo(f"{line.id} {line.name}: {line.state}")
    if not chosen:
        typer.echo("Nothing to cancel.")
        return
    confirm(f"Cancel {counted(len(chosen), 'experiment')}?", yes=yes)
    for line in chosen:
        cancel_experiment(store.root, line.id)
    typer.echo(f"Cancelled {counted(len(chosen), 'experiment')}.")
