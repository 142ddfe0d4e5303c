"""`hydra.launcher` of the submitit plugin, which asks Slurm for jobs, as `resources`."""

from collections.abc import Mapping
from typing import Any

from launch.importing.sbatch_words import resources_of

_OPTIONS = {
    **dict.fromkeys(("partition", "qos", "account", "constraint", "exclude", "comment", "nodes")),
    **dict.fromkeys(("gres", "cpus_per_task", "cpus_per_gpu", "gpus_per_node", "gpus_per_task")),
    **dict.fromkeys(("mem", "mem_per_gpu", "mem_per_cpu", "time", "nodelist", "dependency")),
    "tasks_per_node": "ntasks-per-node",
}
"""Those of sbatch, under their own names or others."""

_OURS = (
    *("_target_", "submitit_folder", "name", "stderr_to_stdout", "signal_delay_s"),
    *("max_num_timeout", "wckey", "use_srun", "python"),
)
"""Where its files are, and when it asks again: pcm sees to it itself."""

_COUNTED = ("timeout_min", "mem_gb", "array_parallelism", "additional_parameters")


def resources_of_launcher(launcher: Mapping[str, Any], left: list[str]) -> dict[str, Any]:
    """What its jobs ask for; nothing for a launcher that asks for none."""
    given = {key: value for key, value in launcher.items() if value not in (None, [], {}, "")}
    if not given.keys() & {*_OPTIONS, *_COUNTED}:
        return {}
    options = {
        _OPTIONS.get(key) or key.replace("_", "-"): value
        for key, value in given.items()
        if key in _OPTIONS
    }
    if "timeout_min" in given:
        options["time"] = given["timeout_min"]
    if "mem_gb" in given:
        options["mem"] = f"{given['mem_gb']}G"
    for key, value in (given.get("additional_parameters") or {}).items():
        options[str(key).replace("_", "-")] = value
    found = resources_of(options, left)
    if type(most := given.get("array_parallelism")) is int:
        found["max_parallel"] = most
    left += [
        f"hydra.launcher.{key}: {value}: the launcher alone has it"
        for key, value in given.items()
        if key not in (*_OPTIONS, *_COUNTED, *_OURS)
    ]
    return found
