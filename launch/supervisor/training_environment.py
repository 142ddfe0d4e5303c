"""The environment of a training process: the user's own, and its place among the ranks. Pure."""

from collections.abc import Mapping

from launch.supervisor.job import LOCAL_VARIABLE, Job
from launch.supervisor.slurm_job import START_VARIABLE
from pcm.run_dir import GPUS_ASKED

SCHEDULERS = ("SLURM", "SUBMITIT_", "PMI_", "PMIX_", "OMPI_", LOCAL_VARIABLE, START_VARIABLE)
"""Variables with these beginnings stay outside: training must not find out where it runs,
or Lightning would take the ranks from there."""


def shared_environment(inherited: Mapping[str, str], threads: int) -> dict[str, str]:
    """Variables that the training processes of all ranks of a job have in common.

    Args:
        inherited: the supervisor's own environment.
        threads: of each rank; a value that the user has set wins.
    """
    kept = {name: text for name, text in inherited.items() if not name.startswith(SCHEDULERS)}
    kept.setdefault("OMP_NUM_THREADS", str(threads))
    return kept | {"PYTHONUNBUFFERED": "1"}


def training_environment(
    inherited: Mapping[str, str], job: Job, threads: int, gpus: int = 0
) -> dict[str, str]:
    """Variables of the training process of one rank.

    Args:
        gpus: that the job has on this node.
    """
    kept = shared_environment(inherited, threads)
    if job.devices is not None:
        kept["CUDA_VISIBLE_DEVICES"] = job.devices
    return kept | {
        GPUS_ASKED: str(gpus),
        "RANK": str(job.rank),
        "WORLD_SIZE": str(job.world_size),
        "LOCAL_RANK": str(job.local_rank),
        "LOCAL_WORLD_SIZE": str(job.local_world_size),
        "GROUP_RANK": str(job.node),
        "MASTER_ADDR": job.main_address,
    }
