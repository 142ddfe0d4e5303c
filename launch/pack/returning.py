"""Whether an allocation that ends before its work comes back, and how."""

import time
from contextlib import suppress

from launch.pack.drawing import Draw, Drawing
from launch.site.retries import Retries
from launch.slurm.controller import read_job
from launch.store import LaunchDir
from launch.supervisor.batch_shell import signal_to_shell
from launch.supervisor.job import Job
from launch.supervisor.requeue import WARNINGS, Ending, Verdict, decide
from launch.supervisor.sending_back import continue_anew, send_back
from pcm.errors import RefusedError


def come_back(drawing: Drawing, launch: LaunchDir, job: Job, cause: str, fruitless: int) -> str:
    """Send the allocation back, as one of a single experiment would be; says what became of it.

    Args:
        drawing: knows what is left for it to do.
        cause: the signal that it got, or our own clock.
        fruitless: how many starts of it in a row, this one included, have begun nothing.
    """
    by = (signal_to_shell(launch, job) or cause) if cause in WARNINGS else cause
    verdict = _verdict(job, by, fruitless)
    if not verdict.comes_back:
        return f"{verdict.reason}: job {job.id} does not come back {verdict.detail}".rstrip()
    if not verdict.is_ours:
        return f"{verdict.reason}: {verdict.detail}"
    trouble = send_back(job, verdict)
    if trouble is None:
        return f"{verdict.reason}: job {job.id} is sent back"
    try:
        new = _go_on_elsewhere(drawing, launch, job, verdict)
    except RefusedError as error:
        return f"{trouble}; nor another job in its place: {error.message}"
    return f"{trouble}; job {new} goes on in its place"


def _verdict(job: Job, by: str, fruitless: int) -> Verdict:
    ending = Ending(
        is_failure=False,
        is_cancelled=False,
        is_out_of_memory=False,
        stopped_by=by,
        time=time.time(),
        fruitless=fruitless,
        failures=0,
        out_of_memory=0,
    )
    return decide(read_job(job.id), job.restarts, ending, Retries())


def _go_on_elsewhere(drawing: Drawing, launch: LaunchDir, job: Job, verdict: Verdict) -> str:
    """Hand what is left over again; the new job's id.

    Raises:
        RefusedError: that can't be. Other allocations of the array may draw it then.
    """
    taken: list[Draw] = []
    try:
        taken.extend(drawing.take_what_is_left())
        new = continue_anew(launch, [draw.id for draw in taken], job, verdict)
    except (OSError, RefusedError) as error:
        for draw in taken:
            with suppress(OSError):
                drawing.give_back(draw)
        raise error if isinstance(error, RefusedError) else RefusedError(str(error)) from error
    for draw in taken:
        # On a full disk a claim stays one of a job that is dead, and who draws it sees its end.
        with suppress(OSError):
            drawing.close(draw)
    return new
