"""Looking at run directories and processes, a few small reads an experiment -> facts."""

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from launch.processes import Process
from launch.queue import queued_ids
from launch.status import AttemptFacts, Progress, Status, derive_state
from launch.stop import cancelled_folder
from launch.store import Experiment, RunsRoot
from pcm.run_dir import AttemptDir, RunDir, read_json

HEARTBEAT_S = 120.0
"""On another machine, training that has said nothing for so long is taken for dead."""

START_S = 600.0
"""As `HEARTBEAT_S`, before training's first word."""

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
    names = _names(files.path)
    record = _record(files.attempt, names)
    stop = _record(files.stop, names)
    is_finished = files.finished.name in names
    return AttemptFacts(
        number=files.number,
        is_alive=not is_finished and _is_alive(files, names, record),
        is_finished=is_finished,
        is_stopped=files.stopped.name in names,
        stop_reason=str(stop.get("reason", "interrupt")) if files.stop.name in names else None,
        failure=_failure(files, names),
        trouble=None if record else "its attempt.json is missing or unreadable",
    )


def _status(run_dir: RunDir, *, is_queued: bool, is_cancelled: bool) -> Status:
    files = newest_attempt(run_dir)
    facts = None if files is None else attempt_facts(files)
    state, detail = derive_state(facts, is_queued=is_queued, is_cancelled=is_cancelled)
    if files is None:
        return Status(state, detail)
    return Status(state, detail, files.number, _progress(files))


def newest_attempt(run_dir: RunDir) -> AttemptDir | None:
    """The newest attempt; None before the first. One look at the folder."""
    numbers = [int(name) for name in _names(run_dir.attempts_folder) if name.isdecimal()]
    return run_dir.attempt(max(numbers)) if numbers else None


def _is_alive(files: AttemptDir, names: set[str], record: Mapping[str, Any]) -> bool:
    """Whether it has not ended and the supervisor of rank 0 runs, as far as can be told here."""
    supervisor = Process.from_record(record)
    if supervisor is None:
        return _age(files.path) < BIRTH_S
    if sum(name.startswith("outcome-") for name in names) >= record.get("world_size", 1):
        return False
    if supervisor.is_local:
        return supervisor.is_alive
    if files.progress.name in names:
        return _age(files.progress) < HEARTBEAT_S
    return _age(files.attempt) < START_S


def _failure(files: AttemptDir, names: set[str]) -> str | None:
    """One line about the first rank that failed: its exception if it told one."""
    if files.failed.name not in names:
        return None
    failed = _record(files.failed, names)
    rank = failed.get("rank", 0)
    error = _record(files.error(rank), names) if isinstance(rank, int) else {}
    if error:
        return f"rank {rank}: {error.get('type')}: {_first_line(error.get('message'))}"
    return f"rank {rank}: {ending(failed)}"


def ending(record: Mapping[str, Any]) -> str:
    """How a process ended, in words, from its outcome or from the record of a failure."""
    if record.get("message"):
        return _first_line(record["message"])
    if record.get("signal"):
        return f"killed by {record['signal']}"
    return f"exit code {record.get('exit_code')}"


def _progress(files: AttemptDir) -> Progress | None:
    record = read_record(files.progress)
    known = {field.name: record.get(field.name) for field in fields(Progress)}
    return Progress(**known) if record else None


def _record(path: Path, names: set[str]) -> dict[str, Any]:
    return read_record(path) if path.name in names else {}


def read_record(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty where there is none or it can't be read."""
    try:
        record = read_json(path)
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _names(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder))  # noqa: PTH208 - a third of the time of iterdir
    except (FileNotFoundError, NotADirectoryError):
        return set()


def _cancelled_ids(root: RunsRoot) -> set[str]:
    return {name.removesuffix(".json") for name in _names(cancelled_folder(root))}


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _first_line(text: Any) -> str:
    return next(iter(str(text).strip().splitlines()), "")
