"""A rank's place in a Slurm job, from what Slurm says in the environment."""

import os
from collections.abc import Mapping

from launch.slurm.controller import node_address
from launch.supervisor.job import Job

START_VARIABLE = "PCM_SLURM_START"
"""Environment variable that no two starts of a job have in common."""


def is_slurm_task(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the calling process is a task that Slurm started through submitit."""
    return environment.get("SUBMITIT_EXECUTOR") == "slurm" and "SLURM_PROCID" in environment


def slurm_job(
    checkpoint: str | None,
    token: str | None,
    environment: Mapping[str, str] = os.environ,
) -> Job:
    """The job that the calling process is a task of.

    Args:
        checkpoint: the one that somebody wants to go on from; None takes the newest.
        token: of the array that it came with.
    """
    job_id, restarts = slurm_id(environment), int(environment.get("SLURM_RESTART_COUNT", "0"))
    rank, nodes = int(environment["SLURM_PROCID"]), int(environment.get("SLURM_NNODES", "1"))
    world_size = int(environment["SLURM_NTASKS"])
    return Job(
        executor="slurm",
        id=job_id,
        key=_key(job_id, environment.get(START_VARIABLE), restarts),
        rank=rank,
        world_size=world_size,
        local_rank=int(environment["SLURM_LOCALID"]),
        local_world_size=world_size // nodes,
        node=int(environment["SLURM_NODEID"]),
        main_address=_main_address(environment, rank, nodes),
        # Without a request, Slurm gives each task one core.
        cores=int(environment.get("SLURM_CPUS_PER_TASK", "1")),
        checkpoint=checkpoint,
        restarts=restarts,
        token=token,
    )


def slurm_id(environment: Mapping[str, str]) -> str:
    """The job's id as commands want it: the bare one of an array's last task means them all."""
    if "SLURM_ARRAY_JOB_ID" in environment:
        return f"{environment['SLURM_ARRAY_JOB_ID']}_{environment['SLURM_ARRAY_TASK_ID']}"
    return environment["SLURM_JOB_ID"]


def _key(job_id: str, start: str | None, restarts: int) -> str:
    """A controller that falls back to an older state starts a job again without counting it."""
    return "-".join([job_id, *([start] if start else []), str(restarts)])


def _main_address(environment: Mapping[str, str], rank: int, nodes: int) -> str:
    """Where rank 0 can be reached. It tells the others itself, so its own answer is what counts.

    A node's name need not resolve everywhere; Slurm's address of it does.
    """
    if nodes == 1:
        return "127.0.0.1"
    launched_from = environment.get("SLURM_LAUNCH_NODE_IPADDR", environment["SLURMD_NODENAME"])
    if rank != 0:
        return launched_from
    return node_address(environment["SLURMD_NODENAME"]) or launched_from
