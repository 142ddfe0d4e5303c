"""What each rank of a running attempt does: seen here, or as its supervisor noted elsewhere."""

import time
from collections.abc import Iterator

from launch.machine.activity import STOPPED, activity_of
from launch.machine.processes import Process
from launch.store.records import read_record
from launch.text import span
from pcm.run_dir import AttemptDir
from pcm.run_dir.attempt_records import AttemptRecord
from pcm.run_dir.records import StateRecord
from pcm.run_dir.typed_json import read

BETWEEN_S = 0.5
"""Between two looks at processes here, to see whether they get any CPU."""

MOST = 16
"""So many ranks are told of; of larger jobs only those that are stopped or gone besides."""

_WORDS = {
    "R": "runs",
    "S": "sleeps",
    "D": "waits for a disk or a file server",
    "I": "is idle",
    "Z": "has ended",
}


def rank_states(files: AttemptDir) -> Iterator[tuple[int, str]]:
    """Each rank and one line about what it does."""
    record = read(AttemptRecord, files.attempt)
    ranks = range(record.world_size if isinstance(record, AttemptRecord) else 0)
    here = {rank: _process(files, rank) for rank in ranks}
    first = {rank: _look(process) for rank, process in here.items()}
    if any(first.values()):
        time.sleep(BETWEEN_S)
    for rank, process in here.items():
        text = _told(process, first[rank]) or _noted(files, rank)
        if rank < MOST or "stopped" in text or "gone" in text:
            yield rank, text


def _process(files: AttemptDir, rank: int) -> Process | None:
    return Process.from_record(read_record(files.supervisor(rank)), "child_")


def _look(process: Process | None) -> StateRecord | None:
    activity = None if process is None else activity_of(process)
    if activity is None:
        return None
    return StateRecord(
        activity.state, activity.cpu_s, waits_in=activity.waits_in, stopped=activity.stopped
    )


def _told(process: Process | None, before: StateRecord | None) -> str | None:
    """Of a process of this machine; None of another's."""
    if process is None or not process.is_local:
        return None
    now = _look(process)
    if now is None or before is None:
        return "its process is gone"
    return describe(now, now.cpu_s - before.cpu_s, BETWEEN_S)


def _noted(files: AttemptDir, rank: int) -> str:
    note = read(StateRecord, files.state(rank))
    if not isinstance(note, StateRecord):
        return "nothing is known of it yet"
    text = describe(note, note.cpu_s - note.cpu_before_s, note.between_s)
    host = read_record(files.supervisor(rank)).get("host", "another machine")
    age = "" if note.time is None else f", {span(max(0.0, time.time() - note.time))} ago"
    return f"{text} (on {host}{age})"


def describe(note: StateRecord, grown_s: float, between_s: float) -> str:
    """State, CPU time and where it waits, in a line.

    Args:
        grown_s: CPU time that it got in the last `between_s` seconds; 0 for neither.
    """
    parts = [_state(note), f"{note.cpu_s:.1f} s of CPU"]
    if between_s > 0:
        share = f"{grown_s:.2f} s" if grown_s > 0 else "none"
        parts.append(f"{share} in the last {between_s:.3g} s")
    if note.waits_in:
        parts.append(f"in {note.waits_in}")
    return ", ".join(parts)


def _state(note: StateRecord) -> str:
    if note.state in STOPPED:
        return "is stopped by a signal"
    word = _WORDS.get(note.state, f"is in state {note.state}")
    if not note.stopped:
        return word
    workers = "worker is" if note.stopped == 1 else "workers are"
    return f"{word}, {note.stopped} {workers} stopped by a signal"
