"""What an array runs: each of its tasks the experiment at its index."""

import os
from pathlib import Path

from launch.damage import required
from launch.store.host_records import HandOverRecord, IntentRecord
from launch.store.submissions import SubmissionDir
from launch.supervisor import supervise
from pcm.errors import RefusedError
from pcm.run_dir.typed_json import read


def own_intent(files: SubmissionDir) -> IntentRecord:
    """What the array was submitted for that the calling process is a part of.

    Raises:
        RefusedError: as for `run_task`.
    """
    job_id = os.environ["SLURM_ARRAY_JOB_ID"]
    outcome = read(HandOverRecord, files.outcome)
    if isinstance(outcome, HandOverRecord) and outcome.job_id != job_id:
        raise RefusedError(f"array {job_id} came too late: {outcome.reason}")
    return required(read(IntentRecord, files.intent), files.intent)


def run_task(submission: str) -> str:
    """Run one rank of the experiment of the array task that the calling process is a part of.

    Args:
        submission: folder of the array, see `launch.store.submissions`.

    Returns:
        What became of the attempt, see `supervise`.

    Raises:
        RefusedError: the array was taken for lost, so its experiments may be in another one; or
            nobody knows any more which they are.
    """
    files = SubmissionDir(Path(submission))
    intent = own_intent(files)
    experiment_id = intent.array[int(os.environ["SLURM_ARRAY_TASK_ID"])]
    return supervise(str(files.launch.path), experiment_id, intent.checkpoint, files.token)
