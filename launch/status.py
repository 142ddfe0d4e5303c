"""What became of an experiment: attempts, outcomes and living processes -> its state."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where an experiment stands."""

    NEW = "new"
    """Frozen, never started."""
    PENDING = "pending"
    """In a queue."""
    RUNNING = "running"
    STOPPING = "stopping"
    """Asked to stop; writes its checkpoint."""
    STOPPED = "stopped"
    """Interrupted by a person; can be resumed."""
    REQUEUED = "requeued"
    """Interrupted by the scheduler; comes back by itself."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    """Stopped for good: only `pcm resume` brings it back."""
    LOST = "lost"
    """Its processes are gone and left no word."""

    @property
    def is_active(self) -> bool:
        """Whether processes run for it."""
        return self in (State.RUNNING, State.STOPPING)

    @property
    def is_ended(self) -> bool:
        """Whether nothing more happens unless somebody asks for it."""
        return self in (State.STOPPED, State.DONE, State.FAILED, State.CANCELLED, State.LOST)


@dataclass(frozen=True, slots=True)
class Progress:
    """What training said last.

    Attributes:
        step: training batches done, over all attempts.
        rate: steps/s.
        eta: seconds left.
        time: when it was written, seconds since the epoch.
    """

    phase: str | None = None
    epoch: int | None = None
    max_epochs: int | None = None
    step: int | None = None
    total_steps: int | None = None
    loss: float | None = None
    rate: float | None = None
    eta: float | None = None
    time: float | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """State of an experiment and what there is to say about it.

    Attributes:
        detail: one line for a person; "" if the state says it all.
        attempt: number of the newest attempt; 0 before the first.
        progress: of the newest attempt that said something.
    """

    state: State
    detail: str = ""
    attempt: int = 0
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class AttemptFacts:
    """What is known of the newest attempt.

    Attributes:
        is_alive: whether its processes run.
        is_finished: training reached its end.
        is_stopped: the checkpoint of a stop is whole.
        stop_reason: why somebody asked it to stop: cancel, interrupt, preempted, time_limit.
        failure: what the first failing rank had to say.
        trouble: what is wrong with its records.
    """

    number: int
    is_alive: bool
    is_finished: bool = False
    is_stopped: bool = False
    stop_reason: str | None = None
    failure: str | None = None
    trouble: str | None = None


def derive_state(
    attempt: AttemptFacts | None, *, is_queued: bool, is_cancelled: bool
) -> tuple[State, str]:
    """The state of an experiment and one line about it.

    Markers and living processes decide; exit codes only inform.

    Args:
        attempt: the newest, or None before the first.
        is_queued: whether it waits in the queue of a living launcher.
        is_cancelled: whether somebody cancelled it since it was last launched.
    """
    if attempt is not None and attempt.is_finished:
        return State.DONE, ""
    if attempt is not None and attempt.is_alive:
        return _state_of_living(attempt)
    if is_cancelled:
        return State.CANCELLED, "" if attempt is not None else "before it started"
    if is_queued:
        return State.PENDING, ""
    return (State.NEW, "") if attempt is None else _state_of_ended(attempt)


def _state_of_living(attempt: AttemptFacts) -> tuple[State, str]:
    if attempt.failure is not None:
        return State.FAILED, attempt.failure
    if attempt.stop_reason is not None:
        return State.STOPPING, attempt.stop_reason
    return State.RUNNING, ""


def _state_of_ended(attempt: AttemptFacts) -> tuple[State, str]:
    if attempt.stop_reason == "cancel":
        return State.CANCELLED, attempt.failure or ""
    if attempt.failure is not None:
        return State.FAILED, attempt.failure
    if attempt.is_stopped:
        return State.STOPPED, attempt.stop_reason or ""
    if attempt.stop_reason is not None:
        return State.STOPPED, f"{attempt.stop_reason}, killed before it wrote a checkpoint"
    return State.LOST, attempt.trouble or "its processes are gone and left no word"
