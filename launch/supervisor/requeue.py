"""Whether an attempt that has ended goes back to Slurm's queue. Pure."""

from dataclasses import dataclass
from typing import Any

from launch.site.retries import OutOfMemoryRetries, Retries
from launch.slurm.controller import JobFacts
from pcm.run_dir.attempt_records import VerdictRecord
from pcm.run_dir.typed_json import plain

OWN_CLOCK = "the time limit"
"""Asks for a stop where Slurm's own signal was missed, see `launch.supervisor.time_limit`."""

WARNINGS = frozenset({"SIGUSR1", "SIGUSR2", OWN_CLOCK})
"""What comes before a job's time is over: signals that it asks for, and our own clock."""

FRUITLESS_MOST = 10
"""So many attempts in a row may be interrupted before they make a step."""

MARGIN_S = 300.0
"""So long before its end a job that is asked to stop is taken for one whose time is over."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended that did not reach the end of training.

    Attributes:
        is_failure: whether a rank failed, rather than the attempt being stopped.
        is_cancelled: whether somebody cancelled the experiment by `pcm cancel`.
        is_out_of_memory: whether the kernel killed a process for its memory.
        stopped_by: the signal or person that asked for the stop; "" if nobody did.
        time: seconds since the epoch.
        fruitless: how many attempts in a row, this one included, made no step.
        failures, out_of_memory: how many attempts ended so, this one included.
        is_silent: whether nothing was heard of one of its nodes any more.
        is_of_config: whether what failed is the experiment's config, which stays as it is.
    """

    is_failure: bool
    is_cancelled: bool
    is_out_of_memory: bool
    stopped_by: str
    time: float
    fruitless: int
    failures: int
    out_of_memory: int
    is_silent: bool = False
    is_of_config: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of the job.

    Attributes:
        reason: cancel, interrupt, preempted, time_limit, requeued, failed, out_of_memory,
            node_fail or unknown.
        comes_back: whether another attempt follows by itself.
        is_ours: whether it is for us to send the job back; else Slurm has done it, or nobody.
        memory: the field of the job's request for memory and the megabytes that it needs next.
        detail: one line for a person; "" if the reason says it all.
        is_sent_back: whether we have sent it back, or handed over another job in its place.
    """

    reason: str
    comes_back: bool = False
    is_ours: bool = False
    memory: tuple[str, int] | None = None
    detail: str = ""
    is_sent_back: bool = False

    def record(self) -> dict[str, Any]:
        """As plain data, for a JSON file."""
        is_back = self.is_sent_back or (self.comes_back and not self.is_ours)
        return plain(VerdictRecord(self.reason, self.comes_back, self.detail, is_back))


def decide(facts: JobFacts | None, restarts: int, ending: Ending, retries: Retries) -> Verdict:
    """What becomes of a job whose attempt did not reach the end of training.

    Slurm's facts decide: the same SIGTERM comes to a job that is preempted, which comes back,
    and to one that is cancelled, which must not.

    Args:
        facts: None if Slurm doesn't answer.
        restarts: how often the job had been requeued when the attempt began.
    """
    if ending.is_cancelled:
        return Verdict("cancel")
    if facts is None:
        return _without_facts(ending)
    if (settled := _settled_by_slurm(facts, restarts, ending)) is not None:
        return settled
    # Ranks may fail of a preemption, e.g. when their image is taken from under them.
    if ending.is_failure and not facts.is_preempted:
        return _after_failure(facts, ending, retries)
    return _after_stop(facts, ending)


def _without_facts(ending: Ending) -> Verdict:
    """What the signal alone tells where Slurm doesn't answer, or its programs are not on the node.

    A warning can only be the time limit's. SIGTERM may be a person's, which must not come back.
    """
    if ending.stopped_by in WARNINGS and not ending.is_failure:
        return _back("time_limit", ending)
    return Verdict("unknown", detail="Slurm did not answer when the attempt ended")


def _settled_by_slurm(facts: JobFacts, restarts: int, ending: Ending) -> Verdict | None:
    """Where Slurm has the job back in its queue, or has ended it; None if it runs on."""
    if (who := _sender(facts, restarts)) is not None:
        return Verdict("requeued", comes_back=True, detail=f"{who} sent the job back")
    # A site may have jobs cancelled that others preempt: that is nobody's wish.
    if facts.is_preemption_its_end:
        return _back("preempted", ending)
    if facts.state != "RUNNING" and facts.reason != "TimeLimit":
        return Verdict("cancel", detail=f"the job was {facts.state} when the attempt ended")
    return None


def _sender(facts: JobFacts, restarts: int) -> str | None:
    """Who has sent the job back already; None if it is not back in the queue."""
    if facts.restarts > restarts:
        return "somebody else"
    # One that was killed may have forgotten that it had started the job.
    return "Slurm's controller" if facts.state == "PENDING" else None


def _after_stop(facts: JobFacts, ending: Ending) -> Verdict:
    """What Slurm interrupted comes back."""
    reason = _interruption(facts, ending)
    if reason == "interrupt":
        return Verdict(reason, detail=f"stopped by {ending.stopped_by or 'itself'}")
    return _back(reason, ending)


def _back(reason: str, ending: Ending) -> Verdict:
    """To the queue again, unless it goes round and round and gets nowhere."""
    if ending.fruitless < FRUITLESS_MOST:
        return Verdict(reason, comes_back=True, is_ours=True)
    detail = f"{ending.fruitless} attempts in a row were interrupted before they made a step"
    return Verdict(reason, detail=detail)


def _interruption(facts: JobFacts, ending: Ending) -> str:
    if facts.is_preempted:
        return "preempted"
    is_late = facts.ends is not None and facts.ends - ending.time < MARGIN_S
    is_warned = ending.stopped_by in WARNINGS or (is_late and ending.stopped_by == "SIGTERM")
    return "time_limit" if is_warned or facts.reason == "TimeLimit" else "interrupt"


def _after_failure(facts: JobFacts, ending: Ending, retries: Retries) -> Verdict:
    """What failed comes back as often as the resources ask for it."""
    if ending.is_silent:
        # Slurm would send it back too, when it notices in a few minutes that a node is gone.
        return _back("node_fail", ending)
    if ending.is_out_of_memory:
        return _after_out_of_memory(facts, ending, retries.out_of_memory)
    if ending.failures > retries.failures:
        return Verdict("failed")
    if ending.is_of_config:
        return Verdict("failed", detail="its config is at fault, and would be again")
    detail = f"retry {ending.failures} of {retries.failures}"
    return Verdict("failed", comes_back=True, is_ours=True, detail=detail)


def _after_out_of_memory(
    facts: JobFacts, ending: Ending, policy: OutOfMemoryRetries | None
) -> Verdict:
    if policy is None or facts.memory is None or ending.out_of_memory > policy.most:
        return Verdict("out_of_memory")
    name, megabytes = facts.memory
    more = int(megabytes * policy.mem_factor)
    detail = f"again with {more} MB, after {megabytes} MB"
    return Verdict(
        "out_of_memory", comes_back=True, is_ours=True, memory=(name, more), detail=detail
    )
