"""Handing one array to Slurm, and finding out whether it got there."""

import os
import re
import shutil
import time
import uuid
from collections.abc import Callable, Collection, Mapping

from launch.site import Site, setup_lines
from launch.slurm.commands import Answer, call, is_unanswered
from launch.slurm.queue import Queue, read_queue
from launch.store import writing
from launch.store.host_records import HandOverRecord, IntentRecord
from launch.store.submissions import Submission, SubmissionDir, read_submission
from launch.store.trust import require_trusted_launch
from launch.submit.requests import ArrayRequest
from launch.submit.sbatch_environment import sbatch_environment
from launch.submit.sbatch_errors import NoRoomError, refusal
from launch.submit.script import array_script
from pcm.errors import RefusedError
from pcm.run_dir import write_text
from pcm.run_dir.trust import make_folder
from pcm.run_dir.typed_json import write

SBATCH_PATIENCE_S = 240.0
"""Where the job table is full, sbatch itself tries again for about two minutes."""

DOUBT_S = 6.0
"""So long after its end the controller may still be busy with an sbatch that gave up on it."""

DOUBT_INTERVAL_S = 2.0

_TAKEN = re.compile(r"^(\d+)(?:;(\S+))?\s*$", re.MULTILINE)
"""What `sbatch --parsable` prints: the id, and the cluster where there are several."""


def script_of(
    files: SubmissionDir, request: ArrayRequest, site: Site, after: str | None = None
) -> str:
    """What sbatch gets for a request."""
    return array_script(files, request, setup=setup_lines(site), after=after)


def submit_array(
    request: ArrayRequest,
    site: Site,
    tell: Callable[[str], None],
    *,
    after: str | None = None,
    checkpoint: str | None = None,
    patience_s: float = SBATCH_PATIENCE_S,
) -> Submission:
    """Hand an array over, exactly once.

    What was about to happen is on disk before it does, under a token that is in the job's
    comment too. So nothing is lost or doubled whatever comes between.

    Args:
        tell: called with what a person who waits wants to know.
        after: ids of arrays that have to end first, with colons between them.
        checkpoint: the one to go on from: a file name, `best` or `last`; None takes the newest.
        patience_s: how long sbatch may take.

    Raises:
        NoRoomError: Slurm takes no more jobs for now, or not so many; nothing is left of it.
        RefusedError: Slurm doesn't take it, or can't be asked whether it did; or others could
            have changed what would run.
    """
    require_trusted_launch(request.launch)
    files = SubmissionDir(request.launch.submissions / uuid.uuid4().hex)
    with writing(request.launch.root):
        make_folder(request.launch.jobs, exist_ok=True)
        make_folder(files.path)
        for rank in range(request.ranks) if request.ranks > 1 else ():
            make_folder(files.rank_folder(rank))
        write_text(files.script, script_of(files, request, site, after))
        write(files.intent, _intent(files, request, site, checkpoint))
    try:
        job_id, cluster = _hand_over(files, request, tell, patience_s)
    except NoRoomError:
        # A full Slurm is asked again and again. Should the array get in late, it finds nothing.
        shutil.rmtree(files.path, ignore_errors=True)
        raise
    settle(files, job_id, cluster=cluster)
    submission = read_submission(files)
    assert submission is not None
    return submission


def settle(
    files: SubmissionDir, job_id: str | None, reason: str = "", *, cluster: str | None = None
) -> None:
    """Write down what became of an array.

    Args:
        job_id: None if Slurm did not take it.
        reason: why it didn't.
        cluster: which one took it; None for the one that this machine belongs to.
    """
    with writing(files.launch.root):
        write(files.outcome, HandOverRecord(job_id, reason, time.time(), cluster))


def queue_with(submissions: Collection[Submission]) -> Queue:
    """The jobs of whoever has handed over these arrays, and our own.

    Raises:
        RefusedError: Slurm doesn't answer. Of several clusters one that doesn't is in the queue.
    """
    owners = {os.getuid(), *(each.owner for each in submissions)}
    clusters = dict.fromkeys(cluster for each in submissions for cluster in each.clusters)
    queue = read_queue(owners, list(clusters) or [None])
    if not queue.is_known or None in queue.silent:
        raise no_answer(queue.trouble)
    return queue


def no_answer(trouble: str | None) -> RefusedError:
    """What to tell where Slurm can't be asked."""
    hint = "try again in a few minutes; `scontrol ping` says when slurmctld is up"
    return RefusedError(f"Slurm does not answer: {trouble}", hint)


def find_job(submission: Submission, queue: Queue) -> tuple[str | None, str | None]:
    """The job with an array's token, if there is or was one, and its cluster where it is named.

    Slurm forgets jobs; the files of a task that has started are there for ever.
    """
    files = submission.files
    started = next((path for each in files.log_folders for path in each.glob("[0-9]*_*")), None)
    job = queue.jobs.get(files.token) if started is None else started.name.partition("_")[0]
    named = submission.clusters if len(submission.clusters) == 1 else (None,)
    return job, queue.cluster_of(files.token) or named[0]


def _intent(
    files: SubmissionDir, request: ArrayRequest, site: Site, checkpoint: str | None
) -> IntentRecord:
    return IntentRecord(
        array=list(request.ids),
        time=time.time(),
        token=files.token,
        checkpoint=checkpoint,
        parameters=dict(request.parameters),
        setup=list(setup_lines(site)),
        clusters=_clusters(request.parameters),
        pack=request.pack,
        parallel=request.parallel,
        limit=request.limit,
    )


def _clusters(parameters: Mapping[str, object]) -> str | None:
    """Which clusters sbatch may choose from; None for the one that this machine belongs to."""
    variables = (os.environ.get(name) for name in ("SBATCH_CLUSTERS", "SLURM_CLUSTERS"))
    asked = parameters.get("clusters") or next(filter(None, variables), None)
    return None if asked is None else str(asked)


def _hand_over(
    files: SubmissionDir, request: ArrayRequest, tell: Callable[[str], None], patience_s: float
) -> tuple[str, str | None]:
    """The job and the cluster that took it, where sbatch names one."""
    answer = call(
        ["sbatch", "--parsable", str(files.script)],
        patience_s,
        sbatch_environment(os.environ, request.parameters),
        on_delay=lambda said: tell(f"waiting for sbatch ... {said}"),
    )
    taken = _TAKEN.search(answer.output)
    if answer.exit_code == 0 and taken is not None:
        for line in _lines(answer.errors):
            tell(f"note: {line}")
        return taken[1], taken[2]
    job_id, cluster = _look_for(files, DOUBT_S if _is_doubtful(answer) else 0.0)
    if job_id is not None:
        return job_id, cluster
    refused = refusal(answer.errors, len(request.ids))
    settle(files, None, refused.message)
    raise refused


def _lines(text: str) -> list[str]:
    """Each line once, as far as it can be shown."""
    lines = ("".join(filter(str.isprintable, line)).strip() for line in text.splitlines())
    return list(dict.fromkeys(filter(None, lines)))


def _is_doubtful(answer: Answer) -> bool:
    """Whether the controller may have taken it without sbatch knowing."""
    return not (answer.exit_code and answer.errors) or is_unanswered(answer.errors)


def _look_for(files: SubmissionDir, patience_s: float) -> tuple[str | None, str | None]:
    deadline = time.monotonic() + patience_s
    submission = read_submission(files)
    assert submission is not None
    try:
        while (found := find_job(submission, queue_with([submission])))[0] is None:
            if time.monotonic() >= deadline:
                break
            time.sleep(DOUBT_INTERVAL_S)
    except RefusedError as error:
        raise RefusedError(
            f"nobody knows yet whether Slurm took the jobs: {error.message}",
            hint="launch again later: what Slurm took is found by its token, the rest submitted",
        ) from None
    return found
