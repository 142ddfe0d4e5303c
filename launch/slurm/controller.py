"""What Slurm's controller knows of a job, asked on its own node; and changes to it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from launch.slurm.amounts import megabytes, parse_settings
from launch.slurm.commands import ask
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
    """

    state: str
    reason: str
    restarts: int
    is_preempted: bool
    ends: float | None
    memory: tuple[str, int] | None


def read_job(job_id: str) -> JobFacts | None:
    """What Slurm knows of a job; None if it doesn't answer or has forgotten it."""
    text = scontrol("show", "job", "-o", job_id)
    return None if text is None else parse_job(text)


def parse_job(text: str) -> JobFacts | None:
    """One line of `scontrol -o show job`; None if there is no job in it."""
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
    )


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
