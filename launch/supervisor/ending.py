"""What rank 0 does when an attempt in Slurm has ended: ask, decide, write down, send back."""

import shutil
import time
from dataclasses import replace

from launch.damage import whole
from launch.site.retries import Retries
from launch.slurm.controller import JobFacts, read_job
from launch.store import LaunchDir, RunsRoot
from launch.store.markers import cancel
from launch.supervisor.attempt import Attempt
from launch.supervisor.batch_shell import signal_to_shell
from launch.supervisor.job import Job
from launch.supervisor.outcomes import has_silent_rank
from launch.supervisor.requeue import WARNINGS, Ending, Verdict, decide
from pcm.errors import ExitCode, RefusedError
from pcm.run_dir import AttemptDir, write_json
from pcm.run_dir.attempt_records import AttemptRecord, ProgressRecord, StoppedRecord, StopRecord
from pcm.run_dir.records import FailureRecord
from pcm.run_dir.typed_json import Damaged, read


def check_losses(launch: LaunchDir, experiment_id: str, job: Job) -> None:
    """Refuse to go on where a job's nodes die more often than its resources allow.

    Raises:
        RefusedError: they do.
    """
    most = _retries(launch, experiment_id, job).node_failures
    attempts = RunsRoot(launch.root).run_dir(experiment_id).attempts() if job.restarts else []
    lost = [files for files in attempts if _is_lost(files, job)]
    if most is not None and len(lost) > most:
        raise RefusedError(
            f"{len(lost)} attempts of job {job.id} ended as on a node that dies",
            hint="see retry.node_fail in the resources",
        )


def is_wanted_back(job: Job, facts: JobFacts | None) -> bool:
    """Whether Slurm took the job's nodes back while it was starting, when signals are missed."""
    return facts is not None and (
        facts.is_preempted or facts.state != "RUNNING" or facts.restarts > job.restarts
    )


def obstacle(facts: JobFacts | None) -> str | None:
    """Why a job can't be sent back when it is interrupted; None if it can, as far as is known.

    A site may have forbidden it, or have none of Slurm's programs on its nodes: better known
    when a job begins than when its time is over.
    """
    if shutil.which("scontrol") is None:
        missing = "there is no `scontrol` on its node"
    elif facts is not None and not facts.is_requeueable:
        missing = "Slurm doesn't send this job back to its queue (Requeue=0)"
    else:
        return None
    if shutil.which("sbatch") is None:
        return f"{missing}: when it is interrupted, the next `pcm launch` goes on with it"
    return f"{missing}: when it is interrupted, another job goes on in its place"


def settle(launch: LaunchDir, attempt: Attempt, job: Job) -> Verdict | None:
    """Decide what becomes of the job, and write it down; None if training has finished.

    What somebody cancelled in Slurm is cancelled for us as well: neither another job nor
    another launch of the grid brings it back.
    """
    if attempt.files.finished.exists():
        return None
    root, experiment_id = RunsRoot(launch.root), attempt.run_dir.path.name
    is_cancelled = root.cancelled(experiment_id).exists()
    facts = None if is_cancelled else read_job(job.id)
    ending = _ending(attempt, job, is_cancelled=is_cancelled)
    verdict = decide(facts, job.restarts, ending, _retries(launch, experiment_id, job))
    if job.is_packed:
        # Its pack draws it again, or another one does: there is no job to be sent back for it.
        verdict = replace(verdict, is_sent_back=verdict.comes_back)
    write_json(attempt.files.verdict, verdict.record())
    if verdict.reason == "cancel" and not is_cancelled:
        cancel(root, experiment_id)
    return verdict


def _retries(launch: LaunchDir, experiment_id: str, job: Job) -> Retries:
    """What the experiment asks for, else what its site does."""
    asked = (launch.point_record(experiment_id) or {}).get("resources", {})
    retries = Retries.of({**launch.record.get("site_defaults", {}), **asked})
    # A pack's memory is that of its job, which goes on.
    return replace(retries, out_of_memory=None) if job.is_packed else retries


def _is_lost(files: AttemptDir, job: Job) -> bool:
    ends = (files.verdict, files.finished, files.stopped, files.failed)
    record = whole(read(AttemptRecord, files.attempt))
    is_mine = record is not None and record.job_id == job.id
    is_wordless = not any(end.exists() for end in ends)
    return is_mine and (is_wordless or has_silent_rank(files))


def _ending(attempt: Attempt, job: Job, *, is_cancelled: bool) -> Ending:
    """How the attempt ended, and the ones before it."""
    attempts = attempt.run_dir.attempts()
    failures = [_failure(files) for files in attempts]
    oom = [failure is not None and failure.out_of_memory for failure in failures]
    silent = [has_silent_rank(files) for files in attempts]
    return Ending(
        is_failure=bool(failures[-1]) and not attempt.files.stopped.exists(),
        is_cancelled=is_cancelled,
        is_out_of_memory=oom[-1],
        stopped_by=_stopped_by(attempt, job),
        time=time.time(),
        fruitless=_fruitless(attempts),
        failures=sum(
            bool(failure) and not any(special)
            for failure, *special in zip(failures, oom, silent, strict=True)
        ),
        out_of_memory=sum(oom),
        is_silent=silent[-1],
        is_of_config=failures[-1] is not None and failures[-1].exit_code == ExitCode.CONFIG_INVALID,
    )


def _stopped_by(attempt: Attempt, job: Job) -> str:
    """Who asked for the stop; what the job's script passed on may have been another signal."""
    by = (whole(read(StopRecord, attempt.files.stop)) or StopRecord()).by
    return (signal_to_shell(attempt.launch, job) or by) if by in WARNINGS else by


def _failure(files: AttemptDir) -> FailureRecord | None:
    """The failure of an attempt; one that can't be read is one all the same."""
    found = read(FailureRecord, files.failed)
    return FailureRecord(0) if isinstance(found, Damaged) else found


def _fruitless(attempts: list[AttemptDir]) -> int:
    """How many of the newest attempts in a row got no further than the ones before them."""
    steps = [_step(files) for files in attempts]
    count = 0
    while count < len(steps) and steps[-1 - count] <= max(steps[: -1 - count], default=0):
        count += 1
    return count


def _step(files: AttemptDir) -> int:
    """The step that an attempt came to; 0 if it made none."""
    progress = whole(read(ProgressRecord, files.progress))
    stopped = whole(read(StoppedRecord, files.stopped))
    return max((each.step or 0 for each in (progress, stopped) if each is not None), default=0)
