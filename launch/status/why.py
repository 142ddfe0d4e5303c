"""Why an attempt failed: which rank was first, what it said, how its process ended."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launch.status.missing import absence, absent_ranks
from launch.store.records import names_in, newest_attempt, read_record
from pcm.run_dir import AttemptDir, RunDir

TRACEBACK_LINES = 25

LOG_BYTES = 20_000
"""How much of a log's end is looked at."""


@dataclass(frozen=True, slots=True)
class Why:
    """The cause of a failure.

    Attributes:
        rank: the one that failed first.
        reason: its exception, or how its process ended.
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
    rank = first_failing_rank(files, names_in(files.path))
    traceback = read_record(files.error(rank)).get("traceback")
    text = str(traceback or log_end(files.log(rank)))
    tail = "\n".join(text.strip().splitlines()[-TRACEBACK_LINES:])
    return Why(files.number, rank, reason(files, rank), tail, files.log(rank))


def first_failing_rank(files: AttemptDir, names: Collection[str]) -> int:
    """The rank whose failure made the others fail.

    A rank that was killed, or whose node is gone, says nothing, and the others' complaints about
    lost connections may be there sooner than the news of its end. Nor does one that the others
    have waited for in vain. Else it is the first one that told an error.

    Args:
        names: of the attempt's files.
    """
    absent = absent_ranks(files, names)
    if absent:
        return absent[0]
    for outcome in sorted(name for name in names if name.startswith("outcome-")):
        record = read_record(files.path / outcome)
        if record.get("is_silent") or (record.get("signal") and not record.get("killed")):
            return _rank_of(outcome)
    errors = [name for name in names if name.startswith("error-")]
    if errors:
        return _rank_of(min(errors, key=lambda name: (files.path / name).stat().st_mtime_ns))
    rank = read_record(files.failed).get("rank")
    return rank if isinstance(rank, int) else 0


def reason(files: AttemptDir, rank: int) -> str:
    """One line about the failure of a rank, the first of several if its message has more."""
    if rank in absent_ranks(files, names_in(files.path)):
        return absence(files, rank)
    error, outcome = read_record(files.error(rank)), read_record(files.outcome(rank))
    if error and not outcome.get("is_silent"):
        return f"{error.get('type')}: {_first_line(error.get('message'))}"
    failed = read_record(files.failed)
    return _ending(failed if failed.get("rank") == rank else outcome)


def log_end(log: Path) -> str:
    """The last lines of a log."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - LOG_BYTES))
            return stream.read().decode(errors="replace")
    except OSError:
        return ""


def _ending(record: Mapping[str, Any]) -> str:
    """How a process ended, from its outcome or from the record of a failure."""
    if record.get("message"):
        return _first_line(record["message"])
    signal, exit_code = record.get("signal"), f"exit code {record.get('exit_code')}"
    if record.get("out_of_memory"):
        return f"out of memory ({signal or exit_code})"
    return f"killed by {signal}" if signal else exit_code


def _first_line(text: Any) -> str:
    return next(iter(str(text).strip().splitlines()), "")


def _rank_of(name: str) -> int:
    return int(name.removesuffix(".json").rpartition("-")[2])
