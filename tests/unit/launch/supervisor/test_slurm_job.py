"""A rank's place, as Slurm tells it."""

import pytest

from launch.supervisor import slurm_job as module
from launch.supervisor.slurm_job import START_VARIABLE, is_slurm_task, slurm_id, slurm_job

TASK = {
    "SUBMITIT_EXECUTOR": "slurm",
    "SLURM_JOB_ID": "12",
    "SLURM_ARRAY_JOB_ID": "9",
    "SLURM_ARRAY_TASK_ID": "4",
    "SLURM_RESTART_COUNT": "2",
    "SLURM_PROCID": "3",
    "SLURM_LOCALID": "1",
    "SLURM_NODEID": "1",
    "SLURM_NTASKS": "4",
    "SLURM_NNODES": "2",
    "SLURM_CPUS_PER_TASK": "8",
    "SLURMD_NODENAME": "n2",
    "SLURM_LAUNCH_NODE_IPADDR": "10.0.0.1",
}


def test_one_of_four_ranks_on_two_nodes() -> None:
    job = slurm_job("best", "a token", TASK)
    assert (job.executor, job.id, job.key, job.restarts) == ("slurm", "9_4", "9_4-2", 2)
    assert (job.rank, job.world_size, job.local_rank, job.local_world_size) == (3, 4, 1, 2)
    assert (job.node, job.cores, job.checkpoint) == (1, 8, "best")
    assert job.main_address == "10.0.0.1"
    assert (job.launcher, job.token) == (None, "a token")


def test_no_two_starts_of_a_job_have_the_same_key() -> None:
    keys = {slurm_job(None, None, TASK | {START_VARIABLE: start}).key for start in ("17", "18")}
    assert keys == {"9_4-17-2", "9_4-18-2"}


def test_rank_0_is_reached_where_slurm_reaches_its_node(monkeypatch: pytest.MonkeyPatch) -> None:
    first = TASK | {"SLURM_PROCID": "0", "SLURMD_NODENAME": "n1"}
    monkeypatch.setattr(module, "node_address", {"n1": "10.9.9.9"}.get)
    assert slurm_job(None, None, first).main_address == "10.9.9.9"
    monkeypatch.setattr(module, "node_address", lambda _: None)
    assert slurm_job(None, None, first).main_address == "10.0.0.1"


def test_one_rank_alone_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(module, "node_address")
    few = {"SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NODEID": "0", "SLURM_NTASKS": "1"}
    job = slurm_job(None, None, {"SLURM_JOB_ID": "12", **few})
    assert (job.main_address, job.cores, job.key) == ("127.0.0.1", 1, "12-0")


def test_the_bare_id_of_an_arrays_task_is_never_used() -> None:
    assert slurm_id(TASK) == "9_4"
    assert slurm_id({"SLURM_JOB_ID": "12"}) == "12"


def test_a_local_job_inside_of_an_allocation_is_none_of_slurms() -> None:
    assert is_slurm_task(TASK)
    assert not is_slurm_task(TASK | {"SUBMITIT_EXECUTOR": "local"})
    assert not is_slurm_task({"SUBMITIT_EXECUTOR": "slurm"})
