"""What of a shell's environment sbatch may see."""

from launch.submit.sbatch_environment import sbatch_environment


def test_sbatch_gets_the_users_variables_but_not_an_outer_jobs() -> None:
    environment = {
        "HOME": "/home/me",
        "NEPTUNE_API_TOKEN": "x",
        "SLURM_CONF": "/etc/slurm.conf",
        "SLURM_JOB_ID": "1",
        "SLURM_MEM_PER_CPU": "100",
        "SRUN_DEBUG": "3",
        "SBATCH_PARTITION": "other",
        "SBATCH_ACCOUNT": "mine",
        "SBATCH_TIMELIMIT": "5",
        "SBATCH_ARRAY_INX": "0-5",
        "SBATCH_WAIT": "1",
    }
    kept = sbatch_environment(environment, {"partition": "gpu", "time": 60})
    assert set(kept) == {"HOME", "NEPTUNE_API_TOKEN", "SLURM_CONF", "SBATCH_ACCOUNT"}


def test_a_users_variable_is_no_second_word_on_memory() -> None:
    variables = {"SBATCH_MEM_PER_CPU": "1G", "SBATCH_MEM_PER_NODE": "2G", "SBATCH_QOS": "low"}
    for name in ("mem", "mem_per_cpu", "mem_per_gpu"):
        assert sbatch_environment(variables, {name: "1M"}) == {"SBATCH_QOS": "low"}
    assert sbatch_environment(variables, {}) == variables
