"""`pcm show` and `pcm logs`: one experiment, all there is to know and what it printed."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from launch.cli.finding import open_store
from launch.cli.options import ExperimentId, Json, RunsDir
from launch.cli.printing import print_json
from pcm.errors import NotFoundError

if TYPE_CHECKING:
    from pcm.run_dir import AttemptDir, RunDir

INTERVAL_S = 0.25
"""Between two looks at a log that is followed."""

CHUNK = 1 << 16


def show(identifier: ExperimentId, *, runs_dir: RunsDir = None, as_json: Json = False) -> None:
    """Show all there is to know of one experiment.

    \b
    Example:
      pcm show 3f2a
    """
    from launch.facts import read_status
    from launch.report.experiment import attempts_table, experiment_record, headlines

    experiment = open_store(runs_dir).find(identifier)
    record = experiment_record(experiment, read_status(experiment))
    if as_json:
        print_json(record)
        return
    from launch.report.table import console

    facts = headlines(record)
    width = max(len(label) for label, _ in facts)
    typer.echo(record["name"])
    for label, text in facts:
        typer.echo(f"  {label:{width}}  {text}")
    if record["attempts"]:
        console().print(attempts_table(record["attempts"]))


def logs(
    identifier: ExperimentId,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the attempt has ended.")
    ] = False,
    rank: Annotated[int, typer.Option(help="Whose output.", min=0)] = 0,
    attempt: Annotated[
        int | None, typer.Option(help="Of which attempt; the newest without.", min=1)
    ] = None,
    runs_dir: RunsDir = None,
) -> None:
    """Print what a rank of an experiment printed.

    \b
    Examples:
      pcm logs 3f2a -f
      pcm logs 3f2a --rank 1 --attempt 2
    """
    from launch.facts import attempt_facts

    files = _attempt(open_store(runs_dir).find(identifier).run_dir, attempt)
    log = files.log(rank)
    if not log.exists():
        raise NotFoundError(
            f"attempt {files.number} has no output of rank {rank}",
            f"there is {', '.join(_ranks(files)) or 'none of any rank'}",
        )
    goes_on = (lambda: attempt_facts(files).is_alive) if follow else lambda: False
    _print_log(log, goes_on)


def _attempt(run_dir: "RunDir", number: int | None) -> "AttemptDir":
    attempts = run_dir.attempts()
    if not attempts:
        raise NotFoundError(
            f"experiment {run_dir.path.name} has not started yet",
            f"pcm status {run_dir.path.name}",
        )
    if number is None:
        return attempts[-1]
    found = [attempt for attempt in attempts if attempt.number == number]
    if not found:
        numbers = ", ".join(str(attempt.number) for attempt in attempts)
        raise NotFoundError(f"there is no attempt {number}", f"there is {numbers}")
    return found[0]


def _ranks(files: "AttemptDir") -> list[str]:
    return sorted(path.stem for path in files.path.glob("rank-*.log"))


def _print_log(log: Path, goes_on: Callable[[], bool]) -> None:
    """Copy a log to the terminal byte by byte, and its growth while `goes_on()`."""
    with log.open("rb") as stream:
        while goes_on():
            _print_rest(stream)
            time.sleep(INTERVAL_S)
        _print_rest(stream)


def _print_rest(stream: BinaryIO) -> None:
    while chunk := stream.read(CHUNK):
        typer.echo(chunk, nl=False)
