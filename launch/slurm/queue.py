"""Slurm's queue as plain data, and taking jobs out of it.

squeue prints fields with a separator of ours (`-O field:|`): its own columns cut values off.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from launch.slurm.commands import ask
from pcm.errors import RefusedError

_FIELDS = (
    *("ArrayJobID", "ArrayTaskID", "State", "RestartCnt", "StartTime", "NodeList", "Reason"),
    *("Comment", "Command"),
)
"""What squeue is asked for; the last two may have a separator in them."""

_TOKEN = re.compile(r"\b[0-9a-f]{32}\b")
"""Names an array that we submitted; it is in the job's comment, and in the path of its script
where a site has comments of its own."""

_WAITING = frozenset(
    {"PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD"}
)

_ENDED = frozenset(
    {
        "BOOT_FAIL",
        "CANCELLED",
        "COMPLETED",
        "DEADLINE",
        "FAILED",
        "NODE_FAIL",
        "OUT_OF_MEMORY",
        "PREEMPTED",
        "REVOKED",
        "TIMEOUT",
    }
)
"""Slurm goes on to list these for a few minutes. What is in neither set holds nodes."""

_MEANINGS = {
    "AssocGrpCpuLimit": "your group's share of CPUs is used up",
    "AssocGrpGRES": "your group's share of GPUs is used up",
    "AssocGrpJobsLimit": "your group may not run more jobs at once",
    "AssocMaxJobsLimit": "you may not run more jobs at once",
    "BeginTime": "was put back and waits out Slurm's pause",
    "Dependency": "waits for another job",
    "JobArrayTaskLimit": "max_parallel of its sweep are running",
    "JobHeldAdmin": "held by an administrator",
    "JobHeldUser": "held; scontrol release lets it go",
    "MaxJobsPerAccount": "your account may not run more jobs at once",
    "NodeDown": "a node that it needs is down",
    "launch failed requeued held": "its node could not start it; scontrol release lets it go",
    "None": "not looked at yet",
    "PartitionConfig": "the partition can never give what it asks for",
    "PartitionDown": "the partition is down",
    "PartitionNodeLimit": "asks for more nodes than the partition may give to a job",
    "PartitionTimeLimit": "asks for more time than the partition allows",
    "Priority": "others are before it",
    "QOSGrpGRES": "the QOS's share of GPUs is used up",
    "QOSMaxGRESPerUser": "the QOS allows you no more GPUs at once",
    "QOSMaxJobsPerUserLimit": "the QOS allows you no more jobs at once",
    "ReqNodeNotAvail": "nodes that it needs are down, drained or reserved",
    "Resources": "waits for free nodes",
}


@dataclass(frozen=True, slots=True)
class Task:
    """A job, or one task of a job array, as Slurm lists it.

    Attributes:
        id: `12_3`, or `12` for what is no array.
        state: Slurm's word, e.g. PENDING.
        restarts: how often it was requeued.
        start: when it has started or is expected to, seconds since the epoch.
        nodes: where it runs, in Slurm's notation.
        reason: Slurm's word for why it waits or how it ended; "None" for none.
        token: of the submission that it came with; None if it is nothing of ours.
    """

    id: str
    state: str
    restarts: int = 0
    start: float | None = None
    nodes: str = ""
    reason: str = "None"
    token: str | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for nodes, or for anything else."""
        return self.state in _WAITING

    @property
    def is_ended(self) -> bool:
        """Whether it never runs again."""
        return self.state in _ENDED

    @property
    def is_running(self) -> bool:
        """Whether it holds nodes."""
        return not self.is_waiting and not self.is_ended


@dataclass(frozen=True)
class Queue:
    """What Slurm knows of our jobs at one moment.

    Attributes:
        tasks: by their id; also those that ended a few minutes ago.
        is_known: whether Slurm was asked and has answered.
        trouble: why it gave no answer.
    """

    tasks: Mapping[str, Task] = field(default_factory=dict)
    is_known: bool = True
    trouble: str | None = None

    @cached_property
    def jobs(self) -> dict[str, str]:
        """The job of each submission in the queue, by its token."""
        tokens = ((task.token, task.id.partition("_")[0]) for task in self.tasks.values())
        return {token: job for token, job in tokens if token is not None}

    def find(self, task_id: str, token: str | None) -> Task | None:
        """A task that we have submitted; None if it isn't there.

        A controller that falls back to an older state gives out the same ids again.

        Args:
            token: of the submission that it came with; None if that isn't known.
        """
        task = self.tasks.get(task_id)
        is_other = task is not None and None not in (task.token, token) and task.token != token
        return None if is_other else task


NOT_ASKED = Queue(is_known=False)


def read_queue(users: Iterable[int]) -> Queue:
    """Ask Slurm once for all jobs of some users.

    Args:
        users: their numbers.
    """
    fields = ",".join(f"{name}:|" for name in _FIELDS)
    owners = ",".join(map(str, sorted(users)))
    command = ["squeue", "--noheader", "--array", "--states=all", f"--user={owners}"]
    try:
        return Queue(parse_queue(ask(*command, "-O", fields)))
    except RefusedError as error:
        return Queue(is_known=False, trouble=error.message)


def parse_queue(text: str) -> dict[str, Task]:
    """Tasks in the output of squeue, by their id; lines that are none are left out."""
    rows = (line.split("|", len(_FIELDS) - 2) for line in text.splitlines())
    tasks = (_task(row) for row in rows if len(row) == len(_FIELDS) - 1)
    return {task.id: task for task in tasks}


def scancel(tasks: Collection[str]) -> None:
    """Take jobs out of Slurm's queue, or end them; those that have ended already don't matter.

    Args:
        tasks: their ids.

    Raises:
        RefusedError: Slurm did not take it.
    """
    for words in _chunks(task_ranges(tasks)):
        ask("scancel", "--quiet", *words)


def task_ranges(tasks: Collection[str]) -> list[str]:
    """Ids as few words: `7_1`, `7_2`, `7_3`, `9` become `7_[1-3]`, `9`."""
    words = [task for task in tasks if "_" not in task]
    arrays: dict[str, list[int]] = {}
    for task in tasks:
        job, is_array, index = task.partition("_")
        if is_array:
            arrays.setdefault(job, []).append(int(index))
    for job, indices in arrays.items():
        words += [f"{job}_[{part}]" for part in _chunks_of_ranges(sorted(set(indices)))]
    return words


def meaning(reason: str) -> str:
    """Slurm's word for why a job waits, with what it means."""
    text = _MEANINGS.get(reason.split(",", maxsplit=1)[0].strip())
    return reason if text is None else f"{text} ({reason})"


def _task(row: Sequence[str]) -> Task:
    job, index, state, restarts, start, nodes, reason, texts = map(str.strip, row)
    token = _TOKEN.search(texts)
    return Task(
        id=f"{job}_{index}" if index.isdecimal() else job,
        state=state,
        restarts=int(restarts) if restarts.isdecimal() else 0,
        start=float(start) if start.isdecimal() else None,
        nodes=nodes,
        reason=reason,
        token=None if token is None else token[0],
    )


def _chunks(words: Sequence[str], size: int = 500) -> list[Sequence[str]]:
    return [words[start : start + size] for start in range(0, len(words), size)]


def _chunks_of_ranges(indices: Sequence[int], size: int = 100) -> list[str]:
    """Sorted numbers as ranges, a hundred to a word: Slurm reads no endless ones."""
    starts = [
        each for place, each in enumerate(indices) if not place or indices[place - 1] < each - 1
    ]
    ends = [
        each for each, after in zip(indices, [*indices[1:], None], strict=True) if after != each + 1
    ]
    ranges = [f"{a}-{b}" if a < b else str(a) for a, b in zip(starts, ends, strict=True)]
    return [",".join(part) for part in _chunks(ranges, size)]
