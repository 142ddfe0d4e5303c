"""Slurm's queue as plain data.

squeue prints fields with a separator of ours (`-O field:|`): its own columns cut values off.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from launch.slurm.amounts import indices
from launch.slurm.commands import ask, cluster_option
from pcm.errors import RefusedError

_FIELDS = (
    *("ArrayJobID", "ArrayTaskID", "State", "RestartCnt", "StartTime", "NodeList", "Reason"),
    *("Comment", "Command"),
)
"""What squeue is asked for; the last two may have a separator in them."""

_TOKEN = re.compile(r"\b[0-9a-f]{32}\b")
"""Names an array that we submitted; it is in the job's comment, and in the path of its script
where a site has comments of its own."""

_CLUSTER = "CLUSTER: "
"""How the line begins that tells which cluster the next ones are of, where one is named."""

_IS_CUT = re.compile(r"^[^|]*\|[^|]*\.\.\.", re.MULTILINE)
"""A line whose indices are not all there: what a site has put before squeue may not know how long
they may be (`client_environment`)."""

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


class Task(NamedTuple):
    """A job, or one task of a job array, as Slurm lists it.

    A tuple, since a queue may list ten thousand: a frozen dataclass takes six times as long.

    Attributes:
        id: `12_3`, or `12` for what is no array.
        state: Slurm's word, e.g. PENDING.
        restarts: how often it was requeued.
        start: when it has started or is expected to, seconds since the epoch.
        nodes: where it runs, in Slurm's notation.
        reason: Slurm's word for why it waits or how it ended; "None" for none.
        token: of the submission that it came with; None if it is nothing of ours.
        cluster: the one that was asked by name; None for the one that this machine belongs to.
    """

    id: str
    state: str
    restarts: int = 0
    start: float | None = None
    nodes: str = ""
    reason: str = "None"
    token: str | None = None
    cluster: str | None = None

    @property
    def key(self) -> str:
        """Its id, with the cluster where that was named: each counts from 1."""
        return self.id if self.cluster is None else f"{self.id}@{self.cluster}"

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
        tasks: by their key; also those that ended a few minutes ago.
        is_known: whether Slurm was asked and has answered.
        trouble: why it, or one of several clusters, gave no answer.
        clusters: which were asked; None stands for the one that this machine belongs to.
        silent: which of them gave no answer.
    """

    tasks: Mapping[str, Task] = field(default_factory=dict)
    is_known: bool = True
    trouble: str | None = None
    clusters: tuple[str | None, ...] = (None,)
    silent: frozenset[str | None] = frozenset()

    @cached_property
    def jobs(self) -> dict[str, str]:
        """The job of each submission in the queue, by its token."""
        return {token: job for token, (job, _) in self._places.items()}

    @cached_property
    def _places(self) -> dict[str, tuple[str, str | None]]:
        return {
            task.token: (task.id.partition("_")[0], task.cluster)
            for task in self.tasks.values()
            if task.token is not None
        }

    def cluster_of(self, token: str) -> str | None:
        """Where a submission in the queue is; None for the cluster of this machine."""
        return self._places[token][1] if token in self._places else None

    def knows(self, cluster: str | None) -> bool:
        """Whether this cluster has answered."""
        return self.is_known and cluster not in self.silent

    def find(self, task_id: str, token: str | None, cluster: str | None = None) -> Task | None:
        """A task that we have submitted; None if it isn't there.

        A controller that falls back to an older state gives out the same ids again.

        Args:
            token: of the submission that it came with; None if that isn't known.
            cluster: the only one to look in; None for any.
        """
        for each in self.clusters if cluster is None else (cluster,):
            task = self.tasks.get(task_id if each is None else f"{task_id}@{each}")
            if task is not None and (token is None or task.token in (None, token)):
                return task
        return None

    @cached_property
    def arrays(self) -> dict[str, list[Task]]:
        """The tasks of each job, by the job's id, with the cluster where that was named."""
        found: dict[str, list[Task]] = {}
        for task in self.tasks.values():
            job = task._replace(id=task.id.partition("_")[0]).key
            found.setdefault(job, []).append(task)
        return found

    def with_tasks(self, tasks: Iterable[Task]) -> "Queue":
        """With what is known of some tasks besides."""
        return replace(self, tasks={**self.tasks, **{task.key: task for task in tasks}})


NOT_ASKED = Queue(is_known=False)


def read_queue(users: Iterable[int], clusters: Collection[str | None] = (None,)) -> Queue:
    """Ask Slurm, each cluster once, for all jobs of some users.

    Args:
        users: their numbers.
        clusters: as sbatch was given them; None for the one that this machine belongs to.
    """
    owners = ",".join(map(str, sorted(users)))
    tasks: dict[str, Task] = {}
    troubles: dict[str | None, str] = {}
    for cluster in clusters:
        try:
            tasks |= parse_queue(_list(owners, cluster), cluster)
        except RefusedError as error:
            troubles[cluster] = error.message
    return Queue(
        tasks,
        is_known=len(troubles) < len(clusters),
        trouble=next(iter(troubles.values()), None),
        clusters=tuple(dict.fromkeys([*clusters, *(task.cluster for task in tasks.values())])),
        silent=frozenset(troubles),
    )


def parse_queue(text: str, cluster: str | None = None) -> dict[str, Task]:
    """Tasks in the output of squeue, by their key; lines that are none are left out.

    Args:
        cluster: the one that was asked by name.
    """
    return {task.key: task for task in _tasks(text, cluster)}


def token_in(text: str) -> str | None:
    """The token of a submission in what Slurm says of a job; None if there is none."""
    token = _TOKEN.search(text)
    return None if token is None else token[0]


def _list(owners: str, cluster: str | None) -> str:
    fields = ",".join(f"{name}:|" for name in _FIELDS)
    command = ["squeue", "--noheader", "--states=all", f"--user={owners}"]
    question = [*command, *cluster_option(cluster), "-O", fields]
    # Tasks that wait share a line: ten thousand lines take ten times as long, here and there.
    answer = ask(*question)
    return ask(*question, "--array") if _IS_CUT.search(answer) else answer


def _tasks(text: str, cluster: str | None) -> Iterator[Task]:
    # All tasks of an array have the same texts, and looking into one takes as long as all the rest.
    tokens: dict[str, str | None] = {}
    for line in text.splitlines():
        if cluster is not None and line.startswith(_CLUSTER):
            # Somebody may have named several, or all of them.
            cluster = line.removeprefix(_CLUSTER).strip()
        row = line.split("|", len(_FIELDS) - 2)
        if len(row) == len(_FIELDS) - 1:
            texts = row.pop()
            if texts not in tokens:
                tokens[texts] = token_in(texts)
            yield from _tasks_in(row, tokens[texts], cluster)


def _tasks_in(row: Sequence[str], token: str | None, cluster: str | None) -> Iterator[Task]:
    """The job of a line, or the tasks of an array that share it."""
    job, index, state, restarts, start, nodes, reason = map(str.strip, row)
    count = int(restarts) if restarts.isdecimal() else 0
    begin = float(start) if start.isdecimal() else None
    ids = [f"{job}_{number}" for number in indices(index)] or [job]
    for task_id in ids:
        yield Task(task_id, state, count, begin, nodes, reason, token, cluster)
