"""How ranks ended, written down by their own supervisors or, in their place, by others'."""

import time
from pathlib import Path

from launch.damage import whole
from launch.machine.processes import kill_group
from launch.status.missing import has_timed_out
from launch.status.why import log_end
from launch.store.records import names_in, supervisor_of, training_of
from launch.supervisor.training import Outcome
from pcm.run_dir import AttemptDir, create_json
from pcm.run_dir.records import FailureRecord, OutcomeRecord
from pcm.run_dir.typed_json import create, read
from pcm.secret_values import scrub

NO_PCM = ": No module named pcm"
"""What Python says, after its own path, where it can't find a module that it is to run."""

WATCHDOG = "Watchdog caught collective operation timeout"


def is_gone(files: AttemptDir, rank: int) -> bool:
    """Whether the supervisor of a rank on this machine was killed before it told the outcome."""
    supervisor = supervisor_of(files, rank)
    is_dead = supervisor is not None and supervisor.is_local and not supervisor.is_alive
    return is_dead and not files.outcome(rank).exists()


def record_outcome(files: AttemptDir, rank: int, outcome: Outcome) -> None:
    """Write down how a rank ended, and whether that is the failure of all.

    Markers decide: what comes after the end of training is no failure any more. Where others
    have taken the rank for dead, they have told its outcome, and the job is at its end.
    """
    timed_out = {"timed_out": True} if is_watchdogs(outcome, files.log(rank)) else {}
    if not create_json(files.outcome(rank), outcome.record() | timed_out):
        return
    # Who lives on for a moment when others are killed may fail of their absence.
    if files.finished.exists() or outcome.killed or files.kill.exists():
        return
    if outcome.is_failure:
        said = without_pcm(outcome, files.log(rank))
        fail(files, rank, outcome.exit_code, outcome.signal, said, is_oom=outcome.out_of_memory)
    elif rank == 0 and not files.stopped.exists():
        fail(files, rank, outcome.exit_code, message="training ended without a word")


def is_watchdogs(outcome: Outcome, log: Path) -> bool:
    """Whether NCCL's watchdog ended a rank that had waited too long: it aborts, without a word."""
    return outcome.signal == "SIGABRT" and WATCHDOG in log_end(log)


def without_pcm(outcome: Outcome, log: Path) -> str | None:
    """What to tell of a Python that has no pcm, and so nothing that could tell; else None."""
    python, has_none, _ = log_end(log).rstrip().rpartition("\n")[2].partition(NO_PCM)
    if outcome.exit_code != 1 or not has_none:
        return None
    return f"{python}, which is to train, has no pcm: pip install 'pcm-launch[train]' for it"


def record_death(files: AttemptDir, rank: int) -> None:
    """Write down, in its place, that a supervisor was killed, and its training with it.

    The kernel kills its training process; the workers of that are left over.
    """
    child = training_of(files, rank)
    if child is not None and child.is_local:
        kill_group(child)
    message = "its supervisor was killed"
    death = OutcomeRecord(signal="SIGKILL", ended=time.time(), message=message)
    if create(files.outcome(rank), death):
        fail(files, rank, message=message)


def record_silence(files: AttemptDir, rank: int) -> None:
    """Write down, in its place, that a supervisor gives no sign of life."""
    if files.finished.exists():
        return
    supervisor = supervisor_of(files, rank)
    host = None if supervisor is None else supervisor.host
    message = f"nothing is heard of its supervisor on {host}: it was killed, or its node is gone"
    silence = OutcomeRecord(ended=time.time(), is_silent=True, message=message)
    if create(files.outcome(rank), silence):
        fail(files, rank, message=message)


def has_silent_rank(files: AttemptDir) -> bool:
    """Whether one of an attempt's ranks gave no sign of life, or never came where others waited."""
    names = names_in(files.path)
    paths = (files.path / name for name in names if name.startswith("outcome-"))
    outcomes = (whole(read(OutcomeRecord, path)) for path in paths)
    is_silent = any(outcome is not None and outcome.is_silent for outcome in outcomes)
    return is_silent or has_timed_out(files, names)


def fail(
    files: AttemptDir,
    rank: int,
    exit_code: int | None = None,
    signal: str | None = None,
    message: str | None = None,
    *,
    is_oom: bool = False,
) -> None:
    """Tell all ranks that one has failed; the first failure is the one that counts."""
    said = None if message is None else scrub(message)
    create(files.failed, FailureRecord(rank, exit_code, signal, said, is_oom))
