"""Looking at run directories and processes, a few small reads an experiment -> facts."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from os.path import lexists
from pathlib import Path

from launch.damage import notice
from launch.machine.processes import Process
from launch.slurm.queue import NOT_ASKED, Queue
from launch.status.derive import AttemptFacts, Phase, Place, derive_state
from launch.status.progress import read_progress_in
from launch.status.queues import HandedOver, Places, read_places
from launch.status.silence import read_silence, silence_text
from launch.status.state import State, Status
from launch.store import Experiment, RunsRoot
from launch.store.records import names_in, newest_number_in
from launch.store.started import cancelled_ids, run_folders
from launch.store.words import LastWord
from pcm.run_dir import AttemptDir, RunDir
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

# Paths are costly where there are ten thousand attempts to look at; names are not.
_ANY = AttemptDir(Path())
_FINISHED, _STOPPED, _STOP = _ANY.finished.name, _ANY.stopped.name, _ANY.stop.name
_FAILED, _PROGRESS, _VERDICT = _ANY.failed.name, _ANY.progress.name, _ANY.verdict.name
_KILL, _STATE = _ANY.kill.name, _ANY.state(0).name

_WHY = frozenset({_STOPPED, _STOP, _FAILED, _VERDICT, _KILL})
"""Any of these says why an attempt has ended."""

_ATTEMPTS = RunDir(Path()).attempts_folder.name

BIRTH_S = 10.0
"""A folder of an attempt may be as long without its record."""


@dataclass(frozen=True, slots=True)
class Unexplained:
    """A job that Slurm does not list, though its files don't tell what became of it.

    Attributes:
        restarts: how often it had been requeued before its newest attempt.
    """

    handed_over: HandedOver
    job: str
    restarts: int


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at experiments has found.

    Attributes:
        statuses: of each, by its id.
        ended: what Slurm says now of tasks that have ended, and goes on to say for minutes.
        unexplained: what only Slurm can tell about, by the experiment's id.
    """

    statuses: dict[str, Status]
    ended: list[tuple[HandedOver, LastWord]]
    unexplained: dict[str, Unexplained]


def look(
    experiments: Iterable[Experiment], queue: Queue | None = None, *, with_progress: bool = True
) -> Look:
    """Look at experiments once.

    Args:
        queue: what Slurm says; None asks it, once, if it has ever got one of them.
        with_progress: whether to read how far training is, a third of a look at thousands.
    """
    by_root: dict[Path, list[Experiment]] = {}
    for experiment in experiments:
        by_root.setdefault(experiment.launch.root, []).append(experiment)
    found = Look({}, [], {})
    for path, group in by_root.items():
        root = RunsRoot(path)
        # The queues first: what starts meanwhile has its files already.
        ids = [each.id for each in group]
        places = read_places(root, ids, queue)
        cancelled, folders = cancelled_ids(root), run_folders(root)
        progress = read_progress_in if with_progress else _left_out
        for each in ids:
            # Of thousands that wait, none is looked for; of thousands that are done, little.
            attempts = f"{folders[each]}/{_ATTEMPTS}" if each in folders else None
            is_first = attempts is not None and _is_done_at_first(attempts)
            number = 1 if is_first else newest_number_in(attempts) if attempts else 0
            newest = f"{attempts}/{number}" if number else ""
            if is_first or (newest and lexists(f"{newest}/{_FINISHED}")):
                said = progress(newest)
                done = _done(number)
                found.statuses[each] = done if said is None else replace(done, progress=said)
                continue
            is_cancelled = each in cancelled
            files = AttemptDir(Path(newest)) if number else None
            facts = None if files is None else attempt_facts(files, places.queue)
            place = places.of(each, facts)
            status = _status(each, files, facts, place, places, is_cancelled=is_cancelled)
            found.statuses[each] = replace(status, progress=progress(newest)) if number else status
            question = None if is_cancelled else _question(each, facts, place, places)
            if question is not None:
                found.unexplained[each] = question
        found.ended.extend(places.ended)
    return found


def _is_done_at_first(attempts: str) -> bool:
    """Whether the first attempt is the only one and has finished, as of most that are done.

    Two questions to the system; listing the folder takes five.
    """
    return lexists(f"{attempts}/1/{_FINISHED}") and not lexists(f"{attempts}/2")


@cache
def _done(attempt: int) -> Status:
    """Thousands that have finished share one."""
    return Status(State.DONE, attempt=attempt)


def _left_out(_: str) -> None:
    """In place of how far an attempt is."""


def read_statuses(
    experiments: Iterable[Experiment], queue: Queue | None = None
) -> dict[str, Status]:
    """Status of each experiment, by its id.

    Args:
        queue: what Slurm says; None asks it, once, if it has ever got one of them.
    """
    return look(experiments, queue).statuses


def read_status(experiment: Experiment, queue: Queue | None = None) -> Status:
    """Status of one experiment; see `read_statuses`."""
    return read_statuses([experiment], queue)[experiment.id]


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


def _status(
    experiment_id: str,
    files: AttemptDir | None,
    facts: AttemptFacts | None,
    place: Place | None,
    places: Places,
    *,
    is_cancelled: bool,
) -> Status:
    state, detail = derive_state(facts, place, is_cancelled=is_cancelled)
    if state is State.NEW and experiment_id in places.unsubmitted:
        detail = f"not submitted: {places.unsubmitted[experiment_id] or 'its launch was cut short'}"
    if facts is not None and facts.lost and not state.is_active:
        detail = "; ".join(filter(None, [detail, facts.lost]))
    silence = read_silence(files) if files is not None and state.is_active else None
    if silence is not None:
        detail = "; ".join(filter(None, [detail, silence_text(silence)]))
    return Status(
        state,
        detail,
        attempt=0 if files is None else files.number,
        job=_job(facts, place),
        expected_start=None if place is None else place.expected_start,
        silence=silence,
    )


def _question(
    experiment_id: str, attempt: AttemptFacts | None, place: Place | None, places: Places
) -> Unexplained | None:
    """What to ask Slurm further about a job that it does not list; None for nothing."""
    if place is None or place.job is None or place.phase not in (Phase.GONE, Phase.UNLISTED):
        return None
    restarts = 0
    if attempt is not None and attempt.job == place.job:
        has_ended = attempt.is_stopped or attempt.failure is not None or attempt.verdict is not None
        if attempt.is_alive or (has_ended and not attempt.comes_back):
            return None
        restarts = attempt.restarts
    if places.is_asked_for(experiment_id):
        return None
    return Unexplained(places.handed_over[experiment_id], place.job, restarts)


def _job(attempt: AttemptFacts | None, place: Place | None) -> str | None:
    if place is not None:
        return place.job
    return None if attempt is None else attempt.job


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
