"""Which rank never came to a collective operation that the others waited in, after its time-out."""

from collections.abc import Collection

from launch.machine.activity import STOPPED
from launch.store.records import read_record
from pcm.run_dir import AttemptDir
from pcm.run_dir.attempt_records import AttemptRecord
from pcm.run_dir.typed_json import read


def has_timed_out(files: AttemptDir, names: Collection[str]) -> bool:
    """Whether a rank of an attempt has waited in vain for another one.

    Args:
        names: of the attempt's files.
    """
    records = [name for name in names if name.startswith(("error-", "outcome-"))]
    return any(read_record(files.path / name).get("timed_out") for name in records)


def absent_ranks(files: AttemptDir, names: Collection[str]) -> list[int]:
    """The ranks that the others waited for; none where nobody did, or all came too late.

    Who waits has something to say when the time is over, or is ended by its own watchdog. The
    one that hangs says nothing, and is killed by its supervisor.
    """
    if not has_timed_out(files, names):
        return []
    record = read(AttemptRecord, files.attempt)
    ranks = range(record.world_size if isinstance(record, AttemptRecord) else 1)
    silent = (rank for rank in ranks if files.error(rank).name not in names)
    return [rank for rank in silent if _was_killed(files, rank)]


def absence(files: AttemptDir, rank: int) -> str:
    """One line about a rank that never came."""
    note = read_record(files.state(rank))
    is_stopped = note.get("state") in STOPPED
    text = "never came to where the other ranks waited for it"
    return f"{text}: a signal had stopped it" if is_stopped else text


def _was_killed(files: AttemptDir, rank: int) -> bool:
    outcome = read_record(files.outcome(rank))
    return not outcome or bool(outcome.get("killed"))
