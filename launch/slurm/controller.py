"""What Slurm's controller knows of a job, asked on its own node; and changes to it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from launch.slurm.amounts import megabytes, parse_settings
from launch.slurm.commands import NoSlurmError, ask, is_unanswered
from pcm.errors import RefusedError

PATIENCE_S = 60.0
"""For one answer: a busy controller answers late."""

ATTEMPTS = 3
"""A controller that is being restarted is back within a minute or two."""

PAUSE_S = 2.0


@dataclass(frozen=True, slots=True)
class JobFacts:
    """What `scontrol show job` says.

    Attributes:
        state: e.g. RUNNING, COMPLETING.
        reason: why it doesn't run, or ended; e.g. TimeLimit.
        restarts: how often it was requeued.
        is_preempted: whether another job wants its place.
        ends: when its time is over, seconds since the epoch; None if it may run for ever.
        memory: the field of its request for memory, and the megabytes.
        is_preemption_its_end: whether it is over and that other job is why: Slurm killed it at
            once, or when its grace time was over. A person may cancel it before that.
        is_requeueable: whether Slurm would send it back to its queue.
    """

    state: str
    reason: str
    restarts: int
    is_preempted: bool
    ends: float | None
    memory: tuple[str, int] | None
    is_preemption_its_end: bool = False
    is_requeueable: bool = True


def read_job(job_id: str) -> JobFacts | None:
    """What Slurm knows of a job; None if it doesn't answer or has forgotten it."""
    text = scontrol("show", "job", "-o", job_id)
    return None if text is None else parse_job(text, _grace_s)


def read_end(job_id: str, patience_s: float) -> float | None:
    """When a job's time is over, asked once; None if Slurm doesn't answer soon, or it never is."""
    try:
        text = ask("scontrol", "show", "job", "-o", job_id, patience_s=patience_s)
    except RefusedError:
        return None
    facts = parse_job(text)
    return None if facts is None else facts.ends


def parse_job(
    text: str, grace_of: Callable[[str], float | None] = lambda _: None
) -> JobFacts | None:
    """One line of `scontrol -o show job`; None if there is no job in it.

    Args:
        grace_of: called with a partition whose grace time in seconds matters.
    """
    fields = _fields(text)
    if "JobState" not in fields:
        return None
    return JobFacts(
        state=fields["JobState"],
        reason=fields.get("Reason", ""),
        restarts=int(fields.get("Restarts", "0")),
        is_preempted=_time(fields.get("PreemptTime", "None")) is not None,
        ends=_time(fields.get("EndTime", "Unknown")),
        memory=_memory(fields),
        is_preemption_its_end=_is_preemption_its_end(fields, grace_of),
        is_requeueable=fields.get("Requeue", "1") != "0",
    )


def _is_preemption_its_end(
    fields: Mapping[str, str], grace_of: Callable[[str], float | None]
) -> bool:
    """Whether a job that is over was ended by its preemption, not by a person meanwhile.

    While it is cleaned up both are COMPLETING, with `PreemptTime` set. Measured with Slurm 22.05:
    without a grace time it ends in the second of its preemption, else not before the grace time
    is over; a person's scancel comes between.
    """
    state, preempted = fields["JobState"], _time(fields.get("PreemptTime", "None"))
    if state != "COMPLETING" or preempted is None:
        return state == "PREEMPTED"
    ends = _time(fields.get("EndTime", "Unknown"))
    if ends is None or ends <= preempted:
        return True
    # What is preempted for its QOS has its grace time from there: that isn't asked for.
    return ends - preempted >= (grace_of(fields.get("Partition", "")) or 0.0)


def _grace_s(partition: str) -> float | None:
    text = scontrol("show", "partition", "-o", partition)
    grace = "" if text is None else _fields(text).get("GraceTime", "")
    return float(grace) if grace.isdecimal() else None


def requeue(job_id: str, patience_s: float) -> str | None:
    """Send a job back to its queue.

    Args:
        patience_s: for a controller that gives no answer, e.g. since it is being restarted.

    Returns:
        Why it is not; None if it is.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            ask("scontrol", "requeue", job_id, patience_s=PATIENCE_S)
        except RefusedError as error:
            if not is_unanswered(error.message) or time.monotonic() > deadline:
                return error.message
        else:
            return None
        time.sleep(PAUSE_S)


def node_address(name: str) -> str | None:
    """The address that Slurm itself reaches a node by; None if it doesn't say."""
    text = scontrol("show", "node", "-o", name)
    return None if text is None else _fields(text).get("NodeAddr")


def signals_everything() -> bool:
    """Whether Slurm signals every process below a job's own, also those of other sessions."""
    settings = parse_settings(scontrol("show", "config") or "")
    return settings.get("ProctrackType") == "proctrack/linuxproc"


def scontrol(*arguments: str) -> str | None:
    """What a call of scontrol prints; None if it failed, also when tried again."""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_S)
        try:
            return ask("scontrol", *arguments, patience_s=PATIENCE_S)
        except NoSlurmError:
            return None
        except RefusedError:
            continue
    return None


def _fields(text: str) -> Mapping[str, str]:
    """KEY=VALUE pairs; what has spaces in it is cut short, which nothing here does."""
    lines = text.strip().splitlines()
    words = lines[0].split() if lines else []
    return dict(word.split("=", 1) for word in reversed(words) if "=" in word)


def _time(text: str) -> float | None:
    """Seconds since the epoch, as we ask for them; older versions of scontrol print ISO dates."""
    if text.isdecimal():
        return float(text)
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None  # None, N/A, Unknown


def _memory(fields: Mapping[str, str]) -> tuple[str, int] | None:
    for name in ("MinMemoryNode", "MinMemoryCPU"):
        amount = megabytes(fields.get(name, "0"), plain=1.0)
        if amount is not None and int(amount) > 0:
            return name, int(amount)
    return None
