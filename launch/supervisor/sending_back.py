"""Bringing a job back whose attempt was interrupted, whatever the site allows."""

import sys
from collections.abc import Sequence
from dataclasses import replace

from launch.slurm.commands import call
from launch.slurm.controller import read_job, requeue, scontrol
from launch.store import LaunchDir
from launch.store.submissions import SubmissionDir
from launch.supervisor.attempt import Attempt
from launch.supervisor.job import Job
from launch.supervisor.requeue import Verdict
from pcm.errors import RefusedError
from pcm.run_dir import write_json

REQUEUE_PATIENCE_S = 600.0
"""A controller that is restarted, or moved to another machine, is back by then."""

SUBMIT_PATIENCE_S = 900.0
"""Another launcher and a busy sbatch may be waited for."""


def bring_back(attempt: Attempt, job: Job, verdict: Verdict) -> None:
    """Send the job back, else hand another one over in its place; the verdict says what came of it.

    What it says until then is that the job is not sent back: should this process die here, the
    experiment counts as stopped, and the next launch goes on with it.
    """
    trouble = send_back(job, verdict)
    if trouble is None:
        verdict = replace(verdict, is_sent_back=True)
    else:
        verdict = _instead(attempt.launch, attempt.run_dir.path.name, job, verdict, trouble)
    write_json(attempt.files.verdict, verdict.record())


def send_back(job: Job, verdict: Verdict) -> str | None:
    """Send the job back to the queue; Slurm ends the calling process for it in a while.

    So this is the last thing to do, when all files are written and no lock is held.

    Returns:
        Why it is not sent back; None if it is.
    """
    trouble = requeue(job.id, REQUEUE_PATIENCE_S)
    # A request whose answer was lost may have been obeyed.
    if trouble is not None and not _is_back(job):
        return trouble
    if verdict.memory is not None:
        name, megabytes = verdict.memory
        scontrol("update", f"JobId={job.id}", f"{name}={megabytes}")
    return None


def _is_back(job: Job) -> bool:
    facts = read_job(job.id)
    return facts is not None and (facts.restarts > job.restarts or facts.state == "PENDING")


def _instead(
    launch: LaunchDir, experiment_id: str, job: Job, verdict: Verdict, trouble: str
) -> Verdict:
    try:
        new = continue_anew(launch, [experiment_id], job, verdict)
    except RefusedError as error:
        return replace(verdict, detail=f"{trouble}; nor another job in its place: {error.message}")
    detail = f"{trouble}; job {new} goes on in its place"
    return replace(verdict, detail=detail, is_sent_back=True)


def continue_anew(
    launch: LaunchDir, experiment_ids: Sequence[str], job: Job, verdict: Verdict
) -> str:
    """The id of another job for the rest of an experiment, or of those of a pack.

    In a process of its own: handing over is a launcher's business, which needs supervisors.

    Raises:
        RefusedError: it isn't handed over.
    """
    if job.token is None:
        raise RefusedError("its array is not known")
    folder = str(SubmissionDir(launch.submissions / job.token).path)
    memory = [] if verdict.memory is None else [f"{verdict.memory[0]}={verdict.memory[1]}"]
    ids = ",".join(experiment_ids)
    words = ["-P", "-m", "launch.submit.continuing", folder, ids, job.id, *memory]
    answer = call([sys.executable, *words], SUBMIT_PATIENCE_S)
    if answer.exit_code != 0:
        said = answer.errors.strip().splitlines() or ["there is no answer"]
        raise RefusedError(said[-1])
    return answer.output.strip()
