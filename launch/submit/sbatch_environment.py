"""The environment that sbatch is called in: what of it would win over a script is left out."""

from collections.abc import Mapping

_KEPT = ("SLURM_CONF", "SLURM_CLUSTERS")
"""Variables that say where Slurm is; an outer job's are not the new job's business."""

_STATED = (
    *("job_name", "comment", "array", "output", "error", "open_mode", "signal", "requeue"),
    *("no_requeue", "wait", "wckey"),
)
"""Options that are the script's, or nobody's, whatever is asked for."""

_MEMORY = ("MEM_PER_NODE", "MEM_PER_CPU", "MEM_PER_GPU")
_VARIABLES = {
    **dict.fromkeys(("mem", "mem_per_cpu", "mem_per_gpu"), _MEMORY),
    "time": ("TIMELIMIT",),
    "array": ("ARRAY_INX",),
}
"""Options whose variable isn't called as they are; Slurm takes one word on memory, not two."""


def sbatch_environment(
    environment: Mapping[str, str], request: Mapping[str, object]
) -> dict[str, str]:
    """Variables for sbatch, and so for the job: the caller's own, without an outer job's.

    sbatch takes its variables before what the script says. Those about things that the script
    leaves open are the user's defaults, and stay.
    """
    stated = {
        f"SBATCH_{variable}"
        for name in (*request, *_STATED)
        for variable in _VARIABLES.get(name, (name.upper(),))
    }
    return {
        name: value
        for name, value in environment.items()
        if name not in stated and (name in _KEPT or not name.startswith(("SLURM", "SRUN_")))
    }
