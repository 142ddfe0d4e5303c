"""What a training process finds in its environment."""

from dataclasses import replace

from launch.supervisor.job import Job
from launch.supervisor.training_environment import training_environment


def test_the_ranks_variables_are_torchruns(job: Job) -> None:
    job = replace(job, rank=3, world_size=4, local_rank=1, node=1, main_address="node-7")
    found = training_environment({}, job, threads=1)
    expected = {
        "RANK": "3",
        "WORLD_SIZE": "4",
        "LOCAL_RANK": "1",
        "LOCAL_WORLD_SIZE": "2",
        "GROUP_RANK": "1",
        "MASTER_ADDR": "node-7",
    }
    assert expected.items() <= found.items()
    assert "MASTER_PORT" not in found


def test_the_users_own_variables_pass_and_the_schedulers_do_not(job: Job) -> None:
    own = {"HOME": "/home/é", "NEPTUNE_API_TOKEN": "t", "PCM_DATA_DIR": "/d", "RANK": "9"}
    schedulers = {
        "SLURM_JOB_ID": "1",
        "SLURMD_NODENAME": "n1",
        "SUBMITIT_EXECUTOR": "local",
        "PMI_RANK": "0",
        "PMIX_RANK": "0",
        "OMPI_COMM_WORLD_RANK": "0",
        "PCM_LOCAL_JOB": "{}",
    }
    found = training_environment(own | schedulers, job, threads=1)
    assert not found.keys() & schedulers.keys()
    assert found["NEPTUNE_API_TOKEN"] == "t"
    assert found["HOME"] == "/home/é"
    assert found["RANK"] == "0"


def test_threads_are_set_unless_the_user_did(job: Job) -> None:
    assert training_environment({}, job, threads=5)["OMP_NUM_THREADS"] == "5"
    own = {"OMP_NUM_THREADS": "2"}
    assert training_environment(own, job, threads=5)["OMP_NUM_THREADS"] == "2"


def test_gpus_are_the_launchers_where_it_says_so(job: Job) -> None:
    inherited = {"CUDA_VISIBLE_DEVICES": "0"}
    assert training_environment(inherited, job, 1)["CUDA_VISIBLE_DEVICES"] == "0"
    none = replace(job, devices="")
    assert training_environment(inherited, none, 1)["CUDA_VISIBLE_DEVICES"] == ""


def test_training_knows_how_many_gpus_were_asked_for(job: Job) -> None:
    inherited = {"PCM_GPUS_ASKED": "7"}
    assert training_environment(inherited, job, 1)["PCM_GPUS_ASKED"] == "0"
    assert training_environment(inherited, job, 1, gpus=2)["PCM_GPUS_ASKED"] == "2"
