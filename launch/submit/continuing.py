"""Another job for the rest of what one had, where a site doesn't let that be sent back.

    python -m launch.submit.continuing SUBMISSION EXPERIMENT[,...] JOB [MEMORY]

The supervisor of the job that ends runs this. It prints the new job's id.
"""

import shutil
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from launch.site import Parameters, Site, setup_lines, site_of
from launch.status.queues import newest_hand_overs
from launch.store import RunsRoot
from launch.store.submissions import Submission, SubmissionDir, read_submission
from launch.submit.array import submit_array
from launch.submit.requests import ArrayRequest
from launch.submit.sweep import in_slurm, settle_open, sole_launcher
from launch.submit.throttling import arrays_before
from launch.telling import Tell
from pcm.errors import ExitCode, PcmError, RefusedError

_OPTIONS = {"MinMemoryNode": "mem", "MinMemoryCPU": "mem_per_cpu"}
"""Of sbatch, by the field of a job that they set."""


def continue_anew(
    files: SubmissionDir, ids: str, job_id: str, memory: str | None, tell: Tell
) -> str:
    """Hand experiments over again as they were the last time, exactly once.

    Args:
        files: of the array that their job is a task of.
        ids: of one experiment, or of those that a pack leaves, with commas between them.
        job_id: the job that ends, after which the new one begins.
        memory: what it needs from now on, as `MinMemoryNode=300`; None for as much as before.

    Returns:
        The new job's id.

    Raises:
        RefusedError: they are cancelled, somebody has gone on with them, or Slurm doesn't take it.
    """
    if shutil.which("sbatch") is None:
        raise RefusedError("there is no `sbatch` on its node either")
    root, former = RunsRoot(files.launch.root), read_submission(files)
    if former is None:
        raise RefusedError(f"{files.intent} is missing")
    parameters = _parameters(former, memory)
    with sole_launcher(root, tell):
        settle_open(root)
        left = _not_taken_over(root, former, ids)
        request = ArrayRequest(
            files.launch,
            tuple(left),
            parameters,
            parallel=1,
            pack=former.pack,
            limit=former.limit,
        )
        after = ":".join([job_id, *_arrays_before(root, former, left)])
        return str(submit_array(request, _site(former), tell, after=after).job_id)


def _not_taken_over(root: RunsRoot, former: Submission, ids: str) -> list[str]:
    """Those that nobody has cancelled; refused where somebody has gone on with one."""
    left = [each for each in ids.split(",") if not root.cancelled(each).exists()]
    if not left:
        raise RefusedError(f"experiment {ids} was cancelled")
    newest = (each.submission for each in newest_hand_overs(root, left).values())
    other = next((each for each in newest if each.token != former.token), None)
    if other is not None:
        raise RefusedError(f"job {other.job_id} goes on with it already")
    return left


def _arrays_before(root: RunsRoot, former: Submission, ids: Collection[str]) -> list[str]:
    """What must end besides their job, whose place in an array that is throttled another takes."""
    if former.limit is None:
        return []
    try:
        queued = in_slurm(root)
    except RefusedError:
        # Rather one too many at once than one that doesn't come back.
        return []
    others = {name: each for name, each in queued.items() if name not in ids}
    return arrays_before(1, former.limit, others, {former.files.launch.sweep_name})


def _parameters(former: Submission, memory: str | None) -> Parameters:
    if memory is None:
        return former.parameters
    name, _, megabytes = memory.partition("=")
    # Slurm takes one of them alone.
    others = {key: each for key, each in former.parameters.items() if key not in _OPTIONS.values()}
    return {**others, _OPTIONS[name]: f"{megabytes}M"}


def _site(former: Submission) -> Site:
    """What the script needs of the site; it may be described where only the launcher was."""
    if former.setup is not None:
        return Site(setup=former.setup)
    return Site(setup=tuple(setup_lines(site_of(former.files.launch.record.get("site")))))


def main(words: Sequence[str]) -> int:
    """Run it; one line of standard error says why there is no new job."""
    folder, ids, job_id, *memory = words
    files = SubmissionDir(Path(folder))
    try:
        new = continue_anew(files, ids, job_id, "".join(memory) or None, lambda _: None)
    except PcmError as error:
        print(error.message, file=sys.stderr)
        return ExitCode.REFUSED
    print(new)
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
