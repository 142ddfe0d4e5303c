"""Where an experiment stands: its state, its progress, and a line about both."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Every command names the states among its options, and few look at a record.
    from pcm.run_dir.attempt_records import ProgressRecord


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
class Status:
    """State of an experiment and what there is to say about it.

    Attributes:
        detail: one line for a person; "" if the state says it all.
        attempt: number of the newest attempt; 0 before the first.
        progress: of the newest attempt that said something.
        job: the scheduler's id of its newest job; None if there never was one.
        expected_start: when the scheduler thinks that it starts, seconds since the epoch.
        silence: seconds without a step, of training that should have made one long ago.
    """

    state: State
    detail: str = ""
    attempt: int = 0
    progress: "ProgressRecord | None" = None
    job: str | None = None
    expected_start: float | None = None
    silence: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """An experiment and where it stands."""

    id: str
    name: str
    status: Status

    @property
    def state(self) -> State:
        """Where it stands, in a word."""
        return self.status.state
