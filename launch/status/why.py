"""Why an attempt failed: which rank was first, what it said, how its process ended."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from launch.damage import whole
from launch.status.missing import absence, absent_ranks
from launch.store.records import names_in, newest_attempt
from pcm.run_dir import AttemptDir, RunDir
from pcm.run_dir.records import ErrorRecord, FailureRecord, OutcomeRecord
from pcm.run_dir.typed_json import read

TRACEBACK_LINES = 25

LOG_BYTES = 20_000
"""How much of a log's end is looked at."""

_OUTCOME, _ERROR = (re.compile(rf"{word}-\d+\.json") for word in ("outcome", "error"))


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
    error = whole(read(ErrorRecord, files.error(rank)))
    text = (None if error is None else error.traceback) or log_end(files.log(rank))
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
    for name in sorted(name for name in names if _OUTCOME.fullmatch(name)):
        outcome = whole(read(OutcomeRecord, files.path / name))
        if outcome is not None and (outcome.is_silent or (outcome.signal and not outcome.killed)):
            return _rank_of(name)
    errors = [name for name in names if _ERROR.fullmatch(name)]
    if errors:
        return _rank_of(min(errors, key=lambda name: (files.path / name).stat().st_mtime_ns))
    failure = whole(read(FailureRecord, files.failed))
    return 0 if failure is None else failure.rank


def reason(files: AttemptDir, rank: int) -> str:
    """One line about the failure of a rank, the first of several if its message has more."""
    if rank in absent_ranks(files, names_in(files.path)):
        return absence(files, rank)
    error = whole(read(ErrorRecord, files.error(rank)))
    outcome = whole(read(OutcomeRecord, files.outcome(rank)))
    if error is not None and not (outcome is not None and outcome.is_silent):
        message = _first_line(error.message)
        return f"{error.type}: {message}" if message else error.type
    failure = whole(read(FailureRecord, files.failed))
    is_its_own = failure is not None and failure.rank == rank
    return _ending((failure if is_its_own else outcome) or FailureRecord(rank))


def log_end(log: Path) -> str:
    """The last lines of a log."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - LOG_BYTES))
            return stream.read().decode(errors="replace")
    except OSError:
        return ""


def _ending(record: OutcomeRecord | FailureRecord) -> str:
    """How a process ended."""
    if record.message:
        return _first_line(record.message)
    exit_code = f"exit code {record.exit_code}"
    if record.out_of_memory:
        return f"out of memory ({record.signal or exit_code})"
    return f"killed by {record.signal}" if record.signal else exit_code


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "")


def _rank_of(name: str) -> int:
    return int(name.removesuffix(".json").rpartition("-")[2])
