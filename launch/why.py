"""Why an experiment failed: which rank was first, what it said, how its process ended."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launch.facts import ending, newest_attempt, read_record
from pcm.run_dir import AttemptDir, RunDir

TRACEBACK_LINES = 25

LOG_BYTES = 20_000
"""How much of a log's end is looked at."""


@dataclass(frozen=True, slots=True)
class Why:
    """The cause of a failure.

    Attributes:
        rank: the one that failed first.
        reason: one line.
        text: the end of its traceback; without one, the end of its log.
        log: its log.
    """

    attempt: int
    rank: int
    reason: str
    text: str
    log: Path


def why(run_dir: RunDir) -> Why | None:
    """The cause of the newest attempt's failure; None if it did not fail."""
    files = newest_attempt(run_dir)
    if files is None or not files.failed.exists():
        return None
    rank = first_failing_rank(files)
    error = read_record(files.error(rank))
    text = str(error.get("traceback") or log_end(files.log(rank)))
    tail = "\n".join(text.strip().splitlines()[-TRACEBACK_LINES:])
    return Why(files.number, rank, _reason(files, rank, error), tail, files.log(rank))


def first_failing_rank(files: AttemptDir) -> int:
    """The rank whose failure made the others fail.

    A rank that was killed says nothing, and the others' complaints about lost connections are
    there sooner than the news of its end. Else it is the first one that told an error.
    """
    for outcome in sorted(files.path.glob("outcome-*.json")):
        record = read_record(outcome)
        if record.get("signal") and not record.get("killed"):
            return _rank_of(outcome)
    errors = sorted(files.path.glob("error-*.json"), key=lambda path: path.stat().st_mtime_ns)
    if errors:
        return _rank_of(errors[0])
    rank = read_record(files.failed).get("rank")
    return rank if isinstance(rank, int) else 0


def log_end(log: Path) -> str:
    """The last lines of a log."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - LOG_BYTES))
            return stream.read().decode(errors="replace")
    except FileNotFoundError:
        return ""


def _reason(files: AttemptDir, rank: int, error: dict[str, Any]) -> str:
    if error:
        return f"{error.get('type')}: {error.get('message')}"
    failed = read_record(files.failed)
    return ending(failed if failed.get("rank") == rank else read_record(files.outcome(rank)))


def _rank_of(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])
