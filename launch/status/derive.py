"""What became of an experiment: attempts, outcomes and living processes -> its state."""

from dataclasses import dataclass
from enum import StrEnum

from launch.status.state import State

CANCELLED = "CANCELLED"
"""Slurm's word for a job that somebody cancelled."""

INTERRUPTED = frozenset({"NODE_FAIL", "PREEMPTED", "REVOKED"})
"""Its words for jobs that were taken from their nodes, through no fault of theirs."""


class Phase(StrEnum):
    """What a queue says of a job."""

    WAITING = "waiting"
    RUNNING = "running"
    """It holds nodes."""
    OVER = "over"
    """It ended, or was taken out, a short while ago."""
    GONE = "gone"
    """It is not in the queue any more, and nobody has seen how it ended."""
    UNLISTED = "unlisted"
    """It is not in the list, and that says nothing: it was handed over a moment ago, or it is
    another user's, whose jobs a site may hide."""
    UNKNOWN = "unknown"
    """Nobody was asked, or there was no answer."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an experiment's newest job is in a queue.

    Attributes:
        job: the scheduler's id; None in the queue of a local launcher.
        restarts: how often it was requeued.
        word: the scheduler's own for how it ended, e.g. TIMEOUT.
        detail: one line about why it waits, is idle, or came to its end.
        expected_start: seconds since the epoch.
        trace: what there is of it if it began and made no attempt: why, or where to look.
    """

    phase: Phase
    job: str | None = None
    restarts: int = 0
    word: str = ""
    detail: str = ""
    expected_start: float | None = None
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptFacts:
    """What is known of the newest attempt.

    Attributes:
        is_alive: whether its processes run.
        is_finished: training reached its end.
        is_stopped: the checkpoint of a stop is whole.
        lost: what that stop could not save; "" for nothing.
        stop_reason: why somebody asked it to stop: cancel, interrupt, preempted, time_limit.
        failure: what the first failing rank had to say.
        trouble: what is wrong with its records.
        job: the scheduler's id of its job; None if it ran without one.
        restarts: how often that job had been requeued before.
        started: seconds since the epoch.
        verdict: why Slurm's job ended, as its supervisor found out at the end.
        comes_back: whether that supervisor saw to another attempt.
        not_sent_back: why its job is not in the queue again though it was to come back, as far as
            is written down; None if it is.
        killed: why its supervisors killed it, if they did before it had a checkpoint.
    """

    number: int
    is_alive: bool
    is_finished: bool = False
    is_stopped: bool = False
    stop_reason: str | None = None
    failure: str | None = None
    trouble: str | None = None
    job: str | None = None
    restarts: int = 0
    started: float = 0.0
    verdict: str | None = None
    comes_back: bool = False
    not_sent_back: str | None = None
    lost: str = ""
    killed: str | None = None

    @property
    def has_word(self) -> bool:
        """Whether it is told how it ended."""
        words = (self.failure, self.verdict, self.killed)
        return self.is_finished or self.is_stopped or any(word is not None for word in words)

    def is_of(self, place: Place) -> bool:
        """Whether it is what the job in the queue has come to so far."""
        return self.job == place.job and self.restarts >= place.restarts


def derive_state(
    attempt: AttemptFacts | None, place: Place | None = None, *, is_cancelled: bool
) -> tuple[State, str]:
    """The state of an experiment and one line about it.

    Markers and living processes decide, the queue comes second; exit codes only inform.

    Args:
        attempt: the newest, or None before the first.
        place: of its newest job; None if no queue ever had one.
        is_cancelled: whether somebody cancelled it since it was last launched.
    """
    if attempt is not None and attempt.is_finished:
        return State.DONE, ""
    if attempt is not None and attempt.is_alive:
        return _state_of_living(attempt, place)
    if is_cancelled:
        return State.CANCELLED, "before it started" if attempt is None else attempt.killed or ""
    if place is not None and place.phase is Phase.WAITING:
        return _state_of_waiting(attempt, place)
    if place is not None and (attempt is None or not attempt.is_of(place)):
        return _state_before_attempt(place)
    return (State.NEW, "") if attempt is None else _state_of_ended(attempt, place)


def _state_of_living(attempt: AttemptFacts, place: Place | None) -> tuple[State, str]:
    if attempt.failure is not None:
        return State.FAILED, attempt.failure
    if attempt.stop_reason is not None:
        return State.STOPPING, attempt.stop_reason
    if place is None or place.job != attempt.job:
        return State.RUNNING, ""
    if place.phase is Phase.GONE:
        return State.RUNNING, f"Slurm does not know its job {place.job} any more"
    if place.phase is Phase.UNLISTED:
        return State.RUNNING, f"Slurm does not know its job {place.job} any more, or hides it"
    return State.RUNNING, place.detail if place.phase is Phase.RUNNING else ""


def _state_of_waiting(attempt: AttemptFacts | None, place: Place) -> tuple[State, str]:
    began = attempt is not None and place.job is not None and attempt.job == place.job
    return State.REQUEUED if began or place.restarts else State.PENDING, place.detail


def _state_before_attempt(place: Place) -> tuple[State, str]:
    """Of a job that has not made an attempt, or none since it was requeued."""
    if place.phase in (Phase.UNKNOWN, Phase.UNLISTED):
        return State.PENDING, place.detail
    if place.phase is Phase.RUNNING:
        return State.RUNNING, place.detail or "starting"
    if place.word == CANCELLED:
        return State.CANCELLED, f"job {place.job} was taken out of the queue before it started"
    if place.trace is not None:
        return State.FAILED, place.trace
    if not place.word:
        return State.LOST, f"job {place.job} is not in the queue any more, and left no word"
    state = State.LOST if place.word in INTERRUPTED else State.FAILED
    said = ": ".join(filter(None, [place.word, place.detail]))
    return state, f"job {place.job} ended before it began: {said}"


def _state_of_ended(attempt: AttemptFacts, place: Place | None) -> tuple[State, str]:
    word = "" if place is None else place.word
    if "cancel" in (attempt.stop_reason, attempt.verdict):
        return State.CANCELLED, attempt.failure or attempt.killed or ""
    is_open = place is not None and place.phase in (Phase.RUNNING, Phase.UNKNOWN)
    if attempt.comes_back and place is not None and (is_open or attempt.not_sent_back is None):
        return _state_of_interrupted(attempt, place)
    if word == CANCELLED and attempt.stop_reason is not None:
        # A checkpoint that takes longer than KillWait: its ranks were killed, and may say so.
        return State.CANCELLED, f"job {attempt.job} was cancelled"
    if attempt.failure is not None:
        return State.FAILED, _with_word(attempt.failure, word)
    if word == CANCELLED:
        return State.CANCELLED, f"job {attempt.job} was cancelled"
    return _state_of_stopped(attempt, place)


def _state_of_stopped(attempt: AttemptFacts, place: Place | None) -> tuple[State, str]:
    """Of an attempt that has ended and neither failed nor was cancelled."""
    reason = attempt.verdict or attempt.stop_reason
    if place is not None and place.phase is Phase.RUNNING and attempt.verdict is None:
        return State.STOPPING, reason or "its processes have ended, its job has not"
    if attempt.is_stopped:
        parts = [reason, attempt.not_sent_back]
        return State.STOPPED, ", not sent back: ".join(filter(None, parts))
    if reason is not None:
        return State.STOPPED, f"{reason}, {attempt.killed or 'killed before it wrote a checkpoint'}"
    if place is not None and place.phase is Phase.UNKNOWN:
        return State.RUNNING, "nothing was heard of it for a while"
    silence = attempt.trouble or "its processes are gone and left no word"
    return State.LOST, _with_word(silence, "" if place is None else place.word)


def _state_of_interrupted(attempt: AttemptFacts, place: Place) -> tuple[State, str]:
    """Of an attempt that another one is to follow, of the same job."""
    if place.phase in (Phase.RUNNING, Phase.UNKNOWN, Phase.UNLISTED):
        return State.REQUEUED, ", ".join(filter(None, [attempt.verdict, attempt.killed]))
    if place.word == CANCELLED:
        return State.CANCELLED, f"job {place.job} was taken out of the queue before it came back"
    gone = f"job {place.job} was to come back and is not in the queue any more"
    return State.LOST, _with_word(gone, place.word)


def _with_word(text: str, word: str) -> str:
    """With the scheduler's own word for the end, where it says more than that it failed."""
    return text if word in ("", "FAILED", "COMPLETED") else f"{text}; Slurm says {word}"
