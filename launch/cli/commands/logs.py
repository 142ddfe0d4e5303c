"""`pcm logs`: what an experiment printed, across its ranks and attempts."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launch.cli.options import RunsDir, SweepOrId
from pcm.errors import NotFoundError, UsageError
from pcm.printable import printable

if TYPE_CHECKING:
    from launch.status.state import Line
    from launch.store import Experiment
    from pcm.run_dir import AttemptDir

INTERVAL_S = 0.5
"""Between two looks at a log that is followed."""

CHUNK = 1 << 16
"""Bytes read at once."""

SHOWN = 8
"""So many experiments are named where one has to be chosen."""


def logs(
    word: SweepOrId,
    *,
    follow: Annotated[
        bool,
        typer.Option("--follow", "-f", help="Go on until the experiment has ended."),
    ] = False,
    rank: Annotated[int, typer.Option(help="Whose output.", min=0, metavar="N")] = 0,
    all_ranks: Annotated[
        bool, typer.Option("--all-ranks", help="Everybody's output, each line with its rank.")
    ] = False,
    attempt: Annotated[
        int | None, typer.Option(help="Of which attempt; the newest without.", min=1, metavar="N")
    ] = None,
    runs_dir: RunsDir = None,
) -> None:
    """Print what an experiment printed.

    Followed, it waits for what is in the queue, and goes on with the next attempt when one is
    interrupted. Of a sweep, what each experiment printed, each line with its id.

    \b
    Examples:
      pcm logs 3f2a -f
      pcm logs 3f2a --rank 1 --attempt 2
      pcm logs 3f2a -f --all-ranks
      pcm logs quickstart
    """
    from launch.store.finding import find_experiments, open_store
    from launch.store.output import attempt_of, require_logs

    experiments = find_experiments(open_store(runs_dir), [word])
    wanted = None if all_ranks else rank
    if len(experiments) > 1:
        if follow:
            raise _needs_one(word, experiments)
        _print_each(experiments, wanted, attempt)
        return
    [experiment] = experiments
    if follow:
        _follow(experiment, wanted, attempt)
        return
    files = attempt_of(experiment.run_dir, attempt)
    require_logs(files, wanted)
    if not _has_words(files, wanted):
        typer.echo(f"attempt {files.number} has printed nothing", err=True)
    _Output(wanted).print_news(files, is_over=True)


def _needs_one(word: str, experiments: "list[Experiment]") -> UsageError:
    named = "\n".join(f"  {each.id}  {each.name}" for each in experiments[:SHOWN])
    more = f"\n  and {len(experiments) - SHOWN:,} more" if len(experiments) > SHOWN else ""
    problem = f"one experiment can be followed at a time, and {word} has {len(experiments):,}"
    return UsageError(f"{problem}:\n{named}{more}", "give the id of one of them")


def _print_each(experiments: "list[Experiment]", rank: int | None, number: int | None) -> None:
    """The logs of many, as far as there are any."""
    from launch.store.output import find_attempt

    silent = 0
    for experiment in experiments:
        files = find_attempt(experiment.run_dir, number)
        if files is None or not _has_words(files, rank):
            silent += 1
            continue
        _Output(rank, f"{experiment.id} ").print_news(files, is_over=True)
    if silent:
        typer.echo(f"{silent:,} of {len(experiments):,} have printed nothing", err=True)


def _follow(experiment: "Experiment", rank: int | None, number: int | None) -> None:
    """Print attempts as they come and grow, up to the end of all or of the one asked for."""
    from launch.report.terminal import note
    from launch.status.looking import Looking
    from launch.store.output import attempt_of

    looking, output, run_dir = Looking(note), _Output(rank), experiment.run_dir
    first = attempt_of(run_dir, number).number if number or run_dir.attempts() else 1
    said = ""
    while True:
        # Where it stands, and only then what it has printed: so the end isn't missed.
        [line] = looking.lines([experiment])
        attempts = [each for each in run_dir.attempts() if each.number >= first]
        is_over = line.state.is_ended or (number is not None and line.status.attempt > number)
        for files in attempts[:1] if number else attempts:
            output.print_news(files, is_over=is_over or files.number < attempts[-1].number)
        if is_over:
            break
        said = _tell_waiting(line, said)
        time.sleep(INTERVAL_S)
    if not attempts:
        raise NotFoundError(f"experiment {line.id} never started: {line.status.detail}")


def _tell_waiting(line: "Line", said: str) -> str:
    """Say on standard error what is waited for, unless that was said last."""
    if line.state.is_active:
        return said
    text = ": ".join(filter(None, [line.state, line.status.detail]))
    if text != said:
        typer.echo(printable(text), err=True)
    return text


class _Output:
    """Copies logs to the terminal byte by byte; those of several by whole lines.

    Args:
        rank: None for all.
        name: goes before each line; "" for none.
    """

    def __init__(self, rank: int | None, name: str = "") -> None:
        self._rank = rank
        self._name = name
        self._positions: dict[Path, int] = {}
        self._last: int | None = None

    def print_news(self, files: "AttemptDir", *, is_over: bool) -> None:
        """What an attempt has printed since the last time.

        Args:
            is_over: whether nothing more comes, so that a line without an end is one too.
        """
        from launch.store.output import rank_logs

        for log in rank_logs(files, self._rank):
            while chunk := self._next(log, is_over=is_over):
                self._print_head(files.number)
                typer.echo(self._marked(chunk, log), nl=False)

    @property
    def _is_by_line(self) -> bool:
        return self._rank is None or self._name != ""

    def _next(self, log: Path, *, is_over: bool) -> bytes:
        start = self._positions.get(log, 0)
        with log.open("rb") as stream:
            stream.seek(start)
            chunk = stream.read(CHUNK)
        if self._is_by_line and not (is_over and len(chunk) < CHUNK):
            chunk = chunk[: chunk.rfind(b"\n") + 1] or (chunk if len(chunk) == CHUNK else b"")
        self._positions[log] = start + len(chunk)
        return chunk

    def _marked(self, chunk: bytes, log: Path) -> bytes:
        """With the experiment, the rank or both before each line, where there are several."""
        if not self._is_by_line:
            return chunk
        rank = log.stem.replace("-", " ") if self._rank is None else ""
        mark = f"{self._name}{rank}".strip().encode() + b": "
        end = b"" if chunk.endswith(b"\n") else b"\n"
        return b"".join(mark + line for line in chunk.splitlines(keepends=True)) + end

    def _print_head(self, number: int) -> None:
        """Say where another attempt begins."""
        if self._last not in (None, number):
            typer.echo(f"--- attempt {number}", err=True)
        self._last = number


def _has_words(files: "AttemptDir", rank: int | None) -> bool:
    from launch.store.output import rank_logs

    return any(path.stat().st_size for path in rank_logs(files, rank))
