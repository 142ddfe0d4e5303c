"""Whether an allocation that ends before its work comes back, and how."""

import time

from launch.site.retries import Retries
from launch.slurm.controller import read_job
from launch.store.claims import Claims, Hold
from launch.store.submissions import index_of
from launch.supervisor.batch_shell import signal_to_shell
from launch.supervisor.job import Job
from launch.supervisor.requeue import OWN_CLOCK, WARNINGS, Ending, Verdict, decide
from launch.supervisor.sending_back import continue_anew, send_back
from pcm.errors import RefusedError


def come_back(claims: Claims, job: Job, cause: str) -> str:
    """Send the allocation back, as one of a single experiment would be; says what became of it.

    Args:
        cause: the signal that it got, or our own clock.
    """
    launch = claims.submission.files.launch
    by = (signal_to_shell(launch, job) or cause) if cause in WARNINGS else cause
    verdict = _verdict(job, by)
    if not verdict.comes_back:
        return f"{verdict.reason}: job {job.id} does not come back {verdict.detail}".rstrip()
    if not verdict.is_ours:
        return f"{verdict.reason}: {verdict.detail}"
    trouble = send_back(job, verdict)
    if trouble is None:
        return f"{verdict.reason}: job {job.id} is sent back"
    try:
        new = continue_anew(launch, _taken_over(claims, job), job, verdict)
    except RefusedError as error:
        return f"{trouble}; nor another job in its place: {error.message}"
    return f"{trouble}; job {new} goes on in its place"


def _verdict(job: Job, by: str) -> Verdict:
    if by == OWN_CLOCK:
        return Verdict("time_limit", comes_back=True, is_ours=True)
    ending = Ending(
        is_failure=False,
        is_cancelled=False,
        is_out_of_memory=False,
        stopped_by=by,
        time=time.time(),
        fruitless=0,
        failures=0,
        out_of_memory=0,
    )
    return decide(read_job(job.id), job.restarts, ending, Retries())


def _taken_over(claims: Claims, job: Job) -> list[str]:
    """What is left of this allocation's share, which nobody draws from this array any more."""
    task = index_of(job.id)
    left = []
    for experiment_id, standing in claims.standings(task).items():
        if standing.hold is Hold.FREE:
            number = claims.take(experiment_id, standing, job.id, job.key)
            if number is not None:
                claims.close(experiment_id, number)
                left.append(experiment_id)
    return left
