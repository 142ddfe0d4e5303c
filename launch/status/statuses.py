"""Where experiments stand at one look: a few small reads an experiment, and what Slurm lists."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from os.path import lexists
from pathlib import Path

from launch.slurm.queue import Queue
from launch.status.derive import AttemptFacts, Phase, Place, derive_state
from launch.status.facts import attempt_facts
from launch.status.progress import read_progress_in
from launch.status.queues import HandedOver, Places, read_places
from launch.status.silence import read_silence, silence_text
from launch.status.state import State, Status
from launch.store import Experiment, RunsRoot
from launch.store.records import newest_number_in
from launch.store.started import cancelled_ids, run_folders
from launch.store.words import LastWord
from pcm.run_dir import AttemptDir, RunDir

# Paths are costly where there are ten thousand attempts to look at; names are not.
_ATTEMPTS, _FINISHED = RunDir(Path()).attempts_folder.name, AttemptDir(Path()).finished.name


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
                status = _done(number)
            else:
                files = AttemptDir(Path(newest)) if number else None
                status, question = _look_at(each, files, places, is_cancelled=each in cancelled)
                if question is not None:
                    found.unexplained[each] = question
            said = progress(newest) if number else None
            found.statuses[each] = status if said is None else replace(status, progress=said)
        found.ended.extend(places.ended)
    return found


def _look_at(
    experiment_id: str, files: AttemptDir | None, places: Places, *, is_cancelled: bool
) -> tuple[Status, Unexplained | None]:
    """Where one experiment stands, and what to ask Slurm further about it."""
    facts = None if files is None else attempt_facts(files, places.queue)
    place = places.of(experiment_id, facts)
    status = _status(experiment_id, files, facts, place, places, is_cancelled=is_cancelled)
    question = None if is_cancelled else _question(experiment_id, facts, place, places)
    return status, question


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
