"""Looking at run directories and processes, a few small reads an experiment -> facts."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from launch.processes import Process
from launch.queue import queued_ids
from launch.records import names_in, newest_attempt, read_record
from launch.status import AttemptFacts, Progress, Status, derive_state
from launch.store import Experiment, RunsRoot
from launch.why import first_failing_rank, reason
from pcm.run_dir import AttemptDir, RunDir

HEARTBEAT_S = 120.0
"""On another machine, training that has said nothing for so long is taken for dead."""

START_S = 600.0
"""As `HEARTBEAT_S`, before training's first word."""

# Paths are costly where there are ten thousand attempts to look at; names are not.
_ANY = AttemptDir(Path())
_FINISHED, _STOPPED, _STOP = _ANY.finished.name, _ANY.stopped.name, _ANY.stop.name
_FAILED, _PROGRESS = _ANY.failed.name, _ANY.progress.name

BIRTH_S = 10.0
"""A folder of an attempt may be as long without its record."""


def read_statuses(experiments: Iterable[Experiment]) -> dict[str, Status]:
    """Status of each experiment, by its id."""
    known: dict[Path, tuple[set[str], set[str]]] = {}
    statuses = {}
    for experiment in experiments:
        root = RunsRoot(experiment.launch.root)
        if root.path not in known:
            known[root.path] = queued_ids(root), _cancelled_ids(root)
        queued, cancelled = known[root.path]
        statuses[experiment.id] = _status(
            experiment.run_dir,
            is_queued=experiment.id in queued,
            is_cancelled=experiment.id in cancelled,
        )
    return statuses


def read_status(experiment: Experiment) -> Status:
    """Status of one experiment."""
    return read_statuses([experiment])[experiment.id]


def attempt_facts(files: AttemptDir) -> AttemptFacts:
    """What the files of an attempt and its processes tell."""
    names = names_in(files.path)
    if _FINISHED in names:
        return AttemptFacts(files.number, is_alive=False, is_finished=True)
    record = read_record(files.attempt)
    stop = read_record(files.stop) if _STOP in names else {}
    return AttemptFacts(
        number=files.number,
        is_alive=_is_alive(files, names, record),
        is_stopped=_STOPPED in names,
        stop_reason=str(stop.get("reason", "interrupt")) if _STOP in names else None,
        failure=_failure(files, names) if _FAILED in names else None,
        trouble=None if record else "its attempt.json is missing or unreadable",
    )


def _status(run_dir: RunDir, *, is_queued: bool, is_cancelled: bool) -> Status:
    files = newest_attempt(run_dir)
    facts = None if files is None else attempt_facts(files)
    state, detail = derive_state(facts, is_queued=is_queued, is_cancelled=is_cancelled)
    if files is None:
        return Status(state, detail)
    return Status(state, detail, files.number, _progress(files))


def _is_alive(files: AttemptDir, names: set[str], record: Mapping[str, Any]) -> bool:
    """Whether it has not ended and the supervisor of rank 0 runs, as far as can be told here."""
    supervisor = Process.from_record(record)
    if supervisor is None:
        return _age(files.path) < BIRTH_S
    if sum(name.startswith("outcome-") for name in names) >= record.get("world_size", 1):
        return False
    if supervisor.is_local:
        return supervisor.is_alive
    if _PROGRESS in names:
        return _age(files.progress) < HEARTBEAT_S
    return _age(files.attempt) < START_S


def _failure(files: AttemptDir, names: set[str]) -> str:
    """One line about the first rank that failed."""
    rank = first_failing_rank(files, names)
    return f"rank {rank}: {reason(files, rank)}"


def _progress(files: AttemptDir) -> Progress | None:
    record = read_record(files.progress)
    known = {field.name: record.get(field.name) for field in fields(Progress)}
    return Progress(**known) if record else None


def _cancelled_ids(root: RunsRoot) -> set[str]:
    return {name.removesuffix(".json") for name in names_in(root.cancelled_folder)}


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
