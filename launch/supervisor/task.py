"""What an array runs: each of its tasks the experiment at its index."""

import os
from pathlib import Path

from launch.store.submissions import SubmissionDir
from launch.supervisor import supervise
from pcm.errors import RefusedError
from pcm.run_dir import read_json


def run_task(submission: str) -> str:
    """Run one rank of the experiment of the array task that the calling process is a part of.

    Args:
        submission: folder of the array, see `launch.store.submissions`.

    Returns:
        What became of the attempt, see `supervise`.

    Raises:
        RefusedError: the array was taken for lost, so its experiments may be in another one.
    """
    files = SubmissionDir(Path(submission))
    job_id = os.environ["SLURM_ARRAY_JOB_ID"]
    outcome = read_json(files.outcome)
    if outcome is not None and outcome["job_id"] != job_id:
        raise RefusedError(f"array {job_id} came too late: {outcome['reason']}")
    intent = read_json(files.intent)
    experiment_id = intent["array"][int(os.environ["SLURM_ARRAY_TASK_ID"])]
    checkpoint = intent.get("checkpoint")
    return supervise(str(files.launch.path), experiment_id, checkpoint, files.token)
