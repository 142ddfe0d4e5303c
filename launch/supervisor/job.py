"""What a supervisor knows of the job that it is a part of, whoever the scheduler is."""

import json
import os
import socket
import uuid
from dataclasses import asdict, dataclass, replace
from typing import Any

import submitit

from launch.machine.processes import Process

LOCAL_VARIABLE = "PCM_LOCAL_JOB"
"""Environment variable with what a local launcher tells its jobs, as JSON."""


@dataclass(frozen=True, slots=True)
class Job:
    """One rank's place in a job.

    Attributes:
        executor: `local`, `debug` or `slurm`.
        id: the scheduler's.
        key: the id, when the job started and how often it was restarted; never used twice.
        main_address: where rank 0 can be reached.
        cores: CPU cores for each rank.
        launcher: the process that must not be outlived; None if there is none.
        devices: value for CUDA_VISIBLE_DEVICES; None to leave it alone.
        checkpoint: the one that somebody wants to go on from; None takes the newest.
        restarts: how often the scheduler sent the job back to its queue.
        token: of the array that it came with; None without one.
        is_packed: whether other experiments share the scheduler's job, which is then not its own.
        cold: why its training processes are started afresh; None where that goes without saying.
        nursery: name of the socket of what forks them inside their image; None without one.
    """

    executor: str
    id: str
    key: str
    rank: int
    world_size: int
    local_rank: int
    local_world_size: int
    node: int
    main_address: str
    cores: int
    launcher: Process | None = None
    devices: str | None = None
    checkpoint: str | None = None
    restarts: int = 0
    token: str | None = None
    is_packed: bool = False
    cold: str | None = None
    nursery: str | None = None

    @property
    def has_own_job(self) -> bool:
        """Whether a job of Slurm is its own, to be asked about and to be sent back."""
        return self.executor == "slurm" and not self.is_packed

    @property
    def is_orphaned(self) -> bool:
        """Whether its launcher is gone."""
        return self.launcher is not None and not self.launcher.is_alive

    @classmethod
    def current(cls) -> "Job":
        """The job of submitit's local executor that the calling process is a task of."""
        env = submitit.JobEnvironment()
        here = cls.forked(env.job_id, env.global_rank, env.num_tasks)
        return here if here.is_packed else replace(here, executor=env.cluster)

    @classmethod
    def forked(cls, job_id: str, rank: int, world_size: int) -> "Job":
        """One rank of a job whose ranks are all on this machine, as its launcher tells."""
        given = json.loads(os.environ.get(LOCAL_VARIABLE, "{}"))
        slurm = given.get("slurm") or {}
        return cls(
            executor="slurm" if slurm else "local",
            id=slurm.get("id", job_id),
            key=given.get("key", f"{job_id}-0"),
            rank=rank,
            world_size=world_size,
            local_rank=rank,
            local_world_size=world_size,
            node=0,
            main_address="127.0.0.1",
            cores=max(1, given.get("cores", available_cores()) // world_size),
            launcher=Process.from_record(given.get("launcher", {})),
            devices=given.get("devices"),
            checkpoint=given.get("checkpoint"),
            restarts=slurm.get("restarts", 0),
            token=slurm.get("token"),
            is_packed=bool(slurm),
            cold=given.get("cold"),
            nursery=given.get("nursery"),
        )

    @classmethod
    def in_this_process(cls, checkpoint: str | None) -> "Job":
        """The single rank of a debugging session."""
        return cls(
            executor="debug",
            id=f"{socket.gethostname()}-{os.getpid()}",
            key=uuid.uuid4().hex,
            rank=0,
            world_size=1,
            local_rank=0,
            local_world_size=1,
            node=0,
            main_address="127.0.0.1",
            cores=available_cores(),
            checkpoint=checkpoint,
        )


@dataclass(frozen=True, slots=True)
class Allocation:
    """A job of Slurm that experiments share.

    Attributes:
        id, token, restarts: see `Job`.
        cores: CPU cores of all of them together.
    """

    id: str
    token: str
    restarts: int
    cores: int

    def new_key(self) -> str:
        """For one more experiment: begins with the id and ends as the keys of all of Slurm's."""
        return f"{self.id}-{uuid.uuid4().hex}-{self.restarts}"


def local_job_text(
    key: str,
    *,
    devices: str,
    cores: int,
    checkpoint: str | None,
    cold: str | None = None,
    nursery: str | None = None,
    allocation: Allocation | None = None,
) -> str:
    """What a local launcher, or a pack, the calling process, tells one of its jobs."""
    given: dict[str, Any] = {"key": key, "devices": devices, "cores": cores}
    given |= {"checkpoint": checkpoint, "launcher": Process.current().record(), "cold": cold}
    given |= {"nursery": nursery, "slurm": None if allocation is None else asdict(allocation)}
    return json.dumps(given)


def available_cores() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
