"""What the files of an attempt, its processes and Slurm tell: a few small reads -> facts."""

import time
from pathlib import Path

from launch.damage import notice
from launch.machine.processes import Process
from launch.slurm.queue import NOT_ASKED, Queue
from launch.status.derive import AttemptFacts
from launch.store.records import names_in
from pcm.run_dir import AttemptDir
from pcm.run_dir.attempt_records import (
    AttemptRecord,
    KillRecord,
    StoppedRecord,
    StopReason,
    StopRecord,
    VerdictRecord,
)
from pcm.run_dir.typed_json import Damaged, read

HEARTBEAT_S = 120.0
"""On another machine, training that has said nothing for so long is taken for dead."""

START_S = 600.0
"""As `HEARTBEAT_S`, before training's first word."""

_ANY = AttemptDir(Path())
_FINISHED, _STOPPED, _STOP = _ANY.finished.name, _ANY.stopped.name, _ANY.stop.name
_FAILED, _PROGRESS, _VERDICT = _ANY.failed.name, _ANY.progress.name, _ANY.verdict.name
_KILL, _STATE = _ANY.kill.name, _ANY.state(0).name

_WHY = frozenset({_STOPPED, _STOP, _FAILED, _VERDICT, _KILL})
"""Any of these says why an attempt has ended."""

BIRTH_S = 10.0
"""A folder of an attempt may be as long without its record."""


def attempt_facts(files: AttemptDir, queue: Queue = NOT_ASKED) -> AttemptFacts:
    """What the files of an attempt, its processes and Slurm tell."""
    facts = _facts_now(files, queue)
    # Of one that ended between the look at its files and that at its processes, the word is there
    # by now.
    return facts if facts.is_alive or facts.has_word else _facts_now(files, queue)


def _facts_now(files: AttemptDir, queue: Queue) -> AttemptFacts:
    names = names_in(files.path)
    if _FINISHED in names:
        return AttemptFacts(files.number, is_alive=False, is_finished=True)
    record = read(AttemptRecord, files.attempt)
    verdict = read(VerdictRecord, files.verdict) if _VERDICT in names else None
    stop = read(StopRecord, files.stop) if _STOP in names else None
    damaged = []
    for each in (record, verdict, stop):
        if isinstance(each, Damaged):
            notice(each)
            damaged.append(str(each))
    if record is None:
        damaged.insert(0, "its attempt.json is missing")
    if not isinstance(record, AttemptRecord):
        record = AttemptRecord()
    if not isinstance(verdict, VerdictRecord):
        verdict = None
    return AttemptFacts(
        number=files.number,
        is_alive=_is_alive(files, names, record, queue),
        is_stopped=_STOPPED in names,
        lost=_lost(files) if _STOPPED in names else "",
        stop_reason=_stop_reason(stop),
        failure=_failure(files, names) if _FAILED in names else None,
        trouble=damaged[0] if damaged else None,
        job=_slurm_job(record),
        restarts=_restarts(record),
        started=record.started or 0.0,
        verdict=None if verdict is None else verdict.reason,
        comes_back=verdict is not None and verdict.comes_back,
        not_sent_back=None if verdict is None else _not_sent_back(verdict),
        killed=_killed(files) if _KILL in names and _STOPPED not in names else None,
    )


def _not_sent_back(verdict: VerdictRecord) -> str | None:
    """Why a job that was to come back didn't; verdicts of earlier versions don't tell."""
    if not verdict.comes_back or verdict.is_sent_back:
        return None
    return verdict.detail or "its supervisor did not get that far"


def _stop_reason(stop: StopRecord | Damaged | None) -> str | None:
    """Why it was asked to stop; a request that can't be read is one all the same."""
    if isinstance(stop, Damaged):
        return StopReason.INTERRUPT.value
    return None if stop is None else stop.reason.value


def _lost(files: AttemptDir) -> str:
    """What a stop could not save."""
    record = read(StoppedRecord, files.stopped)
    return record.loss if isinstance(record, StoppedRecord) else ""


def _is_alive(files: AttemptDir, names: set[str], record: AttemptRecord, queue: Queue) -> bool:
    """Whether it has not ended and the supervisor of rank 0 runs, as far as can be told here."""
    supervisor = _supervisor(record)
    if supervisor is None:
        return _age(files.path) < BIRTH_S
    if _has_ended(names, record):
        return False
    is_held = _is_held(record, queue)
    if is_held is not None:
        return is_held
    if supervisor.is_local:
        return supervisor.is_alive
    if _PROGRESS in names:
        # Of training that a signal has stopped, the supervisor goes on to tell.
        signs = [files.progress, *([files.state(0)] if _STATE in names else [])]
        return min(map(_age, signs)) < HEARTBEAT_S
    return _age(files.attempt) < START_S


def _has_ended(names: set[str], record: AttemptRecord) -> bool:
    """Whether all ranks have, and it is known why; that one failed is told after its outcome."""
    is_told = not names.isdisjoint(_WHY)
    return is_told and sum(name.startswith("outcome-") for name in names) >= record.world_size


def _supervisor(record: AttemptRecord) -> Process | None:
    if record.host is None or record.pid is None or record.process_started is None:
        return None
    return Process(record.host, record.pid, record.process_started)


def _is_held(record: AttemptRecord, queue: Queue) -> bool | None:
    """Whether Slurm runs the attempt's job; None if Slurm can't tell."""
    job = _slurm_job(record)
    if job is None or not queue.is_known:
        return None
    task = queue.find(job, record.token)
    if task is None:
        # Forgotten long after its end; or, by a controller that was killed, while it runs.
        return None
    if task.is_ended:
        return False
    if task.restarts != _restarts(record):
        return False
    # What still waits by the list of a moment ago has started since. One of a pack may end before
    # the job does.
    return True if task.is_running and not record.is_packed else None


def _slurm_job(record: AttemptRecord) -> str | None:
    return record.job_id if record.executor == "slurm" else None


def _restarts(record: AttemptRecord) -> int:
    """How often the job of an attempt had been requeued before: the end of the attempt's key."""
    count = (record.key or "").rpartition("-")[2]
    return int(count) if count.isdecimal() else 0


def _killed(files: AttemptDir) -> str:
    record = read(KillRecord, files.kill)
    return record.detail if isinstance(record, KillRecord) else "killed"


def _failure(files: AttemptDir, names: set[str]) -> str:
    """One line about the first rank that failed."""
    from launch.status.why import first_failing_rank, reason

    rank = first_failing_rank(files, names)
    return f"rank {rank}: {reason(files, rank)}"


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except (FileNotFoundError, NotADirectoryError):
        return 0.0
