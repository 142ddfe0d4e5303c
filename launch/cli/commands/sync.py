"""`pcm sync`: send a tracker what it has missed."""

import typer

from launch.cli.options import RunsDir, SweepsOrIds
from pcm.errors import ExitCode


def sync(words: SweepsOrIds, *, runs_dir: RunsDir = None) -> None:
    """Send trackers the metrics that they have missed.

    Needs the training side, where the trackers' clients are installed.

    \b
    Example:
      pcm sync quickstart
    """
    import subprocess

    from launch.container.modules import module_command
    from launch.store.finding import find_experiments, open_store

    failures = 0
    for experiment in find_experiments(open_store(runs_dir), words):
        if not experiment.run_dir.path.exists():
            typer.echo(f"{experiment.id}: not started")
            continue
        typer.echo(f"{experiment.id}: ", nl=False)
        run_dir = experiment.run_dir.path
        command, variables = module_command(experiment.launch, run_dir, "pcm.tracking")
        failures += subprocess.run(command, env=variables, check=False).returncode != 0
    if failures:
        raise typer.Exit(ExitCode.REFUSED)
