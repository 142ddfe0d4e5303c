"""A rank's place, as submitit and the launcher tell it."""

import os

import pytest

from launch.machine.processes import Process
from launch.supervisor.job import Job, available_cores, local_job_text

LOCAL_TASK = {
    "SUBMITIT_EXECUTOR": "local",
    "SUBMITIT_LOCAL_JOB_ID": "4711",
    "SUBMITIT_LOCAL_NTASKS": "3",
    "SUBMITIT_LOCAL_JOB_NUM_NODES": "1",
    "SUBMITIT_LOCAL_NODEID": "0",
    "SUBMITIT_LOCAL_GLOBALID": "2",
    "SUBMITIT_LOCAL_LOCALID": "2",
}


@pytest.fixture
def _local_task(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SLURM")]:
        monkeypatch.delenv(name)
    for name, text in LOCAL_TASK.items():
        monkeypatch.setenv(name, text)


@pytest.mark.usefixtures("_local_task")
def test_a_task_of_the_local_executor(monkeypatch: pytest.MonkeyPatch) -> None:
    text = local_job_text("k'é", devices="GPU-a,GPU-b", cores=7, checkpoint="best")
    monkeypatch.setenv("PCM_LOCAL_JOB", text)
    job = Job.current()
    assert (job.executor, job.id, job.key) == ("local", "4711", "k'é")
    assert (job.rank, job.world_size, job.local_rank, job.local_world_size) == (2, 3, 2, 3)
    assert (job.node, job.main_address) == (0, "127.0.0.1")
    assert job.cores == 2
    assert job.devices == "GPU-a,GPU-b"
    assert job.checkpoint == "best"
    assert job.launcher == Process.current()


@pytest.mark.usefixtures("_local_task")
def test_each_rank_has_at_least_a_core(monkeypatch: pytest.MonkeyPatch) -> None:
    text = local_job_text("k", devices="", cores=1, checkpoint=None)
    monkeypatch.setenv("PCM_LOCAL_JOB", text)
    assert Job.current().cores == 1


@pytest.mark.usefixtures("_local_task")
def test_without_a_launcher_the_id_is_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PCM_LOCAL_JOB", raising=False)
    job = Job.current()
    assert job.key == "4711-0"
    assert (job.launcher, job.devices, job.checkpoint) == (None, None, None)


def test_a_debugging_session_is_one_rank_and_never_the_same_twice() -> None:
    first, second = (Job.in_this_process("last") for _ in range(2))
    assert (first.rank, first.world_size, first.checkpoint) == (0, 1, "last")
    assert first.key != second.key
    assert first.cores == available_cores() >= 1
