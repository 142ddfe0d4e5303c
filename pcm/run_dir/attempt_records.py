"""What every look at an attempt may read of it; its other records are in `records`.

Apart, since making a dataclass takes almost a millisecond, and most commands need none of the rest.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from pcm.run_dir.typed_json import LEFT_OUT


class StopReason(StrEnum):
    """Why an attempt is asked to stop."""

    CANCEL = "cancel"
    """For good: only `pcm resume` brings the experiment back."""
    INTERRUPT = "interrupt"
    """By a person or a signal that nobody knows more about."""
    PREEMPTED = "preempted"
    TIME_LIMIT = "time_limit"


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """`attempt.json`: where an attempt runs. Only a supervisor writes all of it.

    Attributes:
        key: tells the attempts of one job apart; ends with how often the job was requeued.
        executor: slurm, local, debug or hand.
        job_id: the scheduler's; None without one.
        token: of the submission that the job belongs to.
        pid, process_started: of rank 0's supervisor; with the host they name it for ever.
        started: seconds since the epoch.
        threads: of each rank.
        gpus: of each node.
        arguments, command: of training on rank 0's node.
        mount: how the image is mounted; None without one.
        code_digest: of the code out here; None where an image or a snapshot has it.
        warning: what may keep the job from coming back.
        is_packed: whether other experiments share the scheduler's job.
    """

    number: int | None = None
    key: str | None = None
    executor: str | None = None
    job_id: str | None = None
    host: str | None = None
    pid: int | None = None
    started: float | None = None
    world_size: int = 1
    process_started: str | None = field(default=None, metadata=LEFT_OUT)
    token: str | None = field(default=None, metadata=LEFT_OUT)
    threads: int | None = field(default=None, metadata=LEFT_OUT)
    gpus: int | None = field(default=None, metadata=LEFT_OUT)
    arguments: list[str] | None = field(default=None, metadata=LEFT_OUT)
    command: list[str] | None = field(default=None, metadata=LEFT_OUT)
    mount: str | None = field(default=None, metadata=LEFT_OUT)
    code_digest: str | None = field(default=None, metadata=LEFT_OUT)
    warning: str | None = field(default=None, metadata=LEFT_OUT)
    is_packed: bool | None = field(default=None, metadata=LEFT_OUT)


@dataclass(frozen=True, slots=True)
class StopRecord:
    """`stop.json`: a request to stop.

    Attributes:
        by: a signal or a person; "" if nobody said.
        time: seconds since the epoch.
    """

    by: str = ""
    reason: StopReason = StopReason.INTERRUPT
    time: float | None = None


@dataclass(frozen=True, slots=True)
class KillRecord:
    """`kill.json`: a request to end at once.

    Attributes:
        by: a person or a supervisor.
        detail: why, and what is left, for people.
        time: seconds since the epoch.
    """

    by: str
    detail: str
    time: float | None = None


@dataclass(frozen=True, slots=True)
class StoppedRecord:
    """`stopped.json`: training has stopped, and its checkpoint is whole on disk.

    Attributes:
        checkpoint: the file to go on from; None for a start from nothing.
        step: training batches done, over all attempts.
        epoch: epochs done.
        saved_step: those that the checkpoint has, where the stop itself could not be saved.
        unsaved: why it could not.
    """

    checkpoint: str | None
    step: int
    epoch: int
    reason: StopReason = StopReason.INTERRUPT
    saved_step: int | None = field(default=None, metadata=LEFT_OUT)
    unsaved: str | None = field(default=None, metadata=LEFT_OUT)

    @property
    def loss(self) -> str:
        """What is lost, in a line; "" if nothing is."""
        if self.saved_step is None or self.unsaved is None:
            return ""
        return f"step {self.step} is lost, back to step {self.saved_step}: {self.unsaved}"


@dataclass(frozen=True, slots=True)
class VerdictRecord:
    """`verdict.json`: what becomes of the scheduler's job.

    Attributes:
        reason: see `launch.supervisor`, which decides.
        comes_back: whether another attempt follows by itself.
        detail: one line for a person; "" if the reason says it all.
        is_sent_back: whether its supervisor saw to that; earlier versions did not say.
    """

    reason: str
    comes_back: bool = False
    detail: str = ""
    is_sent_back: bool = True


@dataclass(frozen=True, slots=True)
class ProgressRecord:
    """`progress.json`: how far training is.

    Attributes:
        phase: starting, training, validating or checkpointing.
        epoch: epochs done.
        step: training batches done, over all attempts.
        total_steps: at the end of training; None if nobody knows.
        loss: the last that was logged; None if it is no number.
        rate: steps/s.
        eta: seconds left.
        time: when it was written, seconds since the epoch.
        unsaved_since: the time of the last checkpoint, where the next is overdue and could not
            be written.
        unsaved: why it could not.
        stepped: when the last step was made, by the same clock.
        longest_step: seconds of the longest step so far in this attempt, from one moment at
            which training could stop to the next.
        waited_for_data_s, training_s: of rank 0; see `DataRecord`.
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
    unsaved_since: float | None = field(default=None, metadata=LEFT_OUT)
    unsaved: str | None = field(default=None, metadata=LEFT_OUT)
    stepped: float | None = field(default=None, metadata=LEFT_OUT)
    longest_step: float | None = field(default=None, metadata=LEFT_OUT)
    waited_for_data_s: float | None = field(default=None, metadata=LEFT_OUT)
    training_s: float | None = field(default=None, metadata=LEFT_OUT)
