"""What the small files of an experiment and its attempts hold, for both sides.

What every look at an attempt may read is in `attempt_records`.
"""

from dataclasses import dataclass, field

from pcm.run_dir.typed_json import LEFT_OUT


@dataclass(frozen=True, slots=True)
class ExperimentRecord:
    """What is relied on of `experiment.json` by those who start and show experiments.

    Attributes:
        identity: hash of everything that changes the result.
    """

    identity: str
    world_size: int = 1
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ScriptRecord:
    """`script.json`: how the newest launch runs an experiment that is a script.

    Attributes:
        folder: the working directory of its command: where the launch was typed, or that
            folder's copy in the snapshot that the launch ships.
        shared: the folder that an image must show it; the same, or the whole snapshot.
        is_writable: whether it may write there: not into a snapshot.
    """

    folder: str
    shared: str
    is_writable: bool = True


@dataclass(frozen=True, slots=True)
class SupervisorRecord:
    """`supervisor-R.json`: the processes of a rank; a host, a pid and a start name one for ever.

    Attributes:
        host, pid, process_started: of its supervisor.
        child_host, child_pid, child_process_started: of its training.
        command: of its training.
    """

    host: str | None = None
    pid: int | None = None
    process_started: str | None = None
    child_host: str | None = field(default=None, metadata=LEFT_OUT)
    child_pid: int | None = field(default=None, metadata=LEFT_OUT)
    child_process_started: str | None = field(default=None, metadata=LEFT_OUT)
    command: list[str] | None = field(default=None, metadata=LEFT_OUT)


@dataclass(frozen=True, slots=True)
class StateRecord:
    """`state-R.json`: what the processes of one rank were doing.

    Attributes:
        state: the kernel's letter: R, S, D, T, Z.
        cpu_s: that all of them have had.
        cpu_before_s: the same at the note before.
        between_s: from that note to this one.
        waits_in: the function of the kernel; "" where it isn't told.
        stopped: how many of them are stopped by a signal.
        time: seconds since the epoch.
    """

    state: str
    cpu_s: float
    cpu_before_s: float = 0.0
    between_s: float = 0.0
    waits_in: str = ""
    stopped: int = 0
    time: float | None = None


@dataclass(frozen=True, slots=True)
class UsageSample:
    """One look at the processes of one rank.

    Attributes:
        time: seconds since the epoch.
        cores: that were busy since the look before.
        memory_mb: that they have together.
        gpu_percent, gpu_memory_mb, gpu_power_w: of its GPU, as it last told; None without one.
    """

    time: float
    cores: float
    memory_mb: float
    gpu_percent: float | None = field(default=None, metadata=LEFT_OUT)
    gpu_memory_mb: float | None = field(default=None, metadata=LEFT_OUT)
    gpu_power_w: float | None = field(default=None, metadata=LEFT_OUT)


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """`usage-R.json`: what the processes of one rank have taken so far.

    Attributes:
        samples: how often somebody looked.
        seconds: that the figures are about.
        cpu_s: that all of them have had in these.
        cores_max: the most cores that were busy between two looks.
        memory_mb: the most that they had together at a look.
        gpu_percent: of the time that its GPU computed, in the mean; None without one that tells.
        gpu_percent_max: the most at a look.
        gpu_memory_mb: the most that was taken of its GPU's memory.
        gpu_power_w: that its GPU drew, in the mean.
        newest: the last look; earlier versions did not keep it.
    """

    samples: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0
    cores_max: float = 0.0
    memory_mb: float = 0.0
    gpu_percent: float | None = field(default=None, metadata=LEFT_OUT)
    gpu_percent_max: float | None = field(default=None, metadata=LEFT_OUT)
    gpu_memory_mb: float | None = field(default=None, metadata=LEFT_OUT)
    gpu_power_w: float | None = field(default=None, metadata=LEFT_OUT)
    newest: UsageSample | None = field(default=None, metadata=LEFT_OUT)


@dataclass(frozen=True, slots=True)
class RendezvousRecord:
    """`rendezvous.json`: where the ranks of an attempt find rank 0.

    Attributes:
        address, port: where it listens; of a script, where its rank 0 may: the port was free a
            moment ago.
        experiment, attempt: whose; not of a script.
        checkpoint: a script's to go on from; None for none that pcm knows.
    """

    address: str
    port: int
    experiment: str | None = field(default=None, metadata=LEFT_OUT)
    attempt: int | None = field(default=None, metadata=LEFT_OUT)
    checkpoint: str | None = field(default=None, metadata=LEFT_OUT)


@dataclass(frozen=True, slots=True)
class KilledCompanionsRecord:
    """`killed-companions.json`: what died beside training, and is not training's failure.

    Attributes:
        host: where.
        control_group: `/proc/self/cgroup` of training there, whose count of kills they are part of.
        names: of each, as in "the pictures".
    """

    host: str
    control_group: str
    names: list[str]


@dataclass(frozen=True, slots=True)
class FinishedRecord:
    """`finished.json`: training has reached its end.

    Attributes:
        metrics: the last value of each.
    """

    step: int
    epoch: int
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutcomeRecord:
    """`outcome-R.json`: how the process of a rank ended.

    Attributes:
        signal: the name of the one that killed it; `exit_code` is None then.
        killed: whether our side killed it.
        ended: seconds since the epoch.
        is_silent: whether nothing was heard of its node any more.
        message: what others say of it where it could not say anything itself.
        timed_out: whether it had waited in vain for another rank, by its log.
    """

    exit_code: int | None = None
    signal: str | None = None
    killed: bool = False
    out_of_memory: bool = False
    ended: float | None = None
    largest_process_mb: int | None = field(default=None, metadata=LEFT_OUT)
    is_silent: bool | None = field(default=None, metadata=LEFT_OUT)
    message: str | None = field(default=None, metadata=LEFT_OUT)
    timed_out: bool | None = field(default=None, metadata=LEFT_OUT)


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """`failed.json`: which rank failed first, and how."""

    rank: int
    exit_code: int | None = None
    signal: str | None = None
    message: str | None = None
    out_of_memory: bool = False


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """`error-R.json`: the exception that ended training on a rank.

    Attributes:
        type: its class's name.
        timed_out: whether this rank had waited in vain for another one.
    """

    type: str
    message: str
    traceback: str = ""
    rank: int = 0
    timed_out: bool | None = field(default=None, metadata=LEFT_OUT)


@dataclass(frozen=True, slots=True)
class UnkeptRecord:
    """`unkept.json`: what a resume does not bring back, as the log says at the first checkpoint.

    Attributes:
        attributes: of the module on rank 0, each with what keeps it from being kept.
    """

    attributes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DataRecord:
    """`data-R.json`: how long a rank other than 0 has waited for its batches in this attempt.

    Rank 0 has it in `progress.json`, which can be read as this record, too.

    Attributes:
        waited_for_data_s: from asking its loaders for a batch to having it; None before the first.
        training_s: since the first was asked for, with validations and checkpoints.
    """

    waited_for_data_s: float | None = field(default=None, metadata=LEFT_OUT)
    training_s: float | None = field(default=None, metadata=LEFT_OUT)
