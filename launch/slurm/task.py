"""The payload of an array: each of its tasks runs the experiment at its index."""

import os
from pathlib import Path

from launch.slurm.records import SubmissionDir
from launch.supervisor import supervise
from pcm.run_dir import read_json


def run_task(submission: str) -> str:
    """Run one rank of the experiment of the array task that the calling process is a part of.

    Args:
        submission: folder of the array, see `launch.slurm.records`.

    Returns:
        What became of the attempt, see `supervise`.
    """
    files = SubmissionDir(Path(submission))
    array = read_json(files.intent)["array"]
    return supervise(str(files.launch.path), array[int(os.environ["SLURM_ARRAY_TASK_ID"])])
