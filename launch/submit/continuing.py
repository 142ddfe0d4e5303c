"""Another job for the rest of an experiment, where a site doesn't let its job be sent back.

    python -m launch.submit.continuing SUBMISSION EXPERIMENT JOB [MEMORY]

The supervisor of the job that ends runs this. It prints the new job's id.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from launch.site import Parameters, Site, setup_lines, site_of
from launch.status.queues import newest_hand_overs
from launch.store import RunsRoot
from launch.store.submissions import Submission, SubmissionDir, read_submission
from launch.submit.array import submit_array
from launch.submit.requests import ArrayRequest
from launch.submit.sweep import settle_open, sole_launcher
from launch.telling import Tell
from pcm.errors import ExitCode, PcmError, RefusedError

_OPTIONS = {"MinMemoryNode": "mem", "MinMemoryCPU": "mem_per_cpu"}
"""Of sbatch, by the field of a job that they set."""


def continue_anew(
    files: SubmissionDir, experiment_id: str, job_id: str, memory: str | None, tell: Tell
) -> str:
    """Hand an experiment over again as it was the last time, exactly once, to begin after its job.

    Args:
        files: of the array that its job is a task of.
        job_id: the job that ends.
        memory: what it needs from now on, as `MinMemoryNode=300`; None for as much as before.

    Returns:
        The new job's id.

    Raises:
        RefusedError: it is cancelled, somebody has gone on with it, or Slurm doesn't take it.
    """
    if shutil.which("sbatch") is None:
        raise RefusedError("there is no `sbatch` on its node either")
    root, former = RunsRoot(files.launch.root), read_submission(files)
    if former is None:
        raise RefusedError(f"{files.intent} is missing")
    request = ArrayRequest(files.launch, (experiment_id,), _parameters(former, memory), parallel=1)
    with sole_launcher(root, tell):
        settle_open(root)
        if root.cancelled(experiment_id).exists():
            raise RefusedError(f"experiment {experiment_id} was cancelled")
        newest = newest_hand_overs(root, [experiment_id])[experiment_id].submission
        if newest.token != former.token:
            raise RefusedError(f"job {newest.job_id} goes on with it already")
        return str(submit_array(request, _site(former), tell, after=job_id).job_id)


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
    folder, experiment_id, job_id, *memory = words
    files = SubmissionDir(Path(folder))
    try:
        new = continue_anew(files, experiment_id, job_id, "".join(memory) or None, lambda _: None)
    except PcmError as error:
        print(error.message, file=sys.stderr)
        return ExitCode.REFUSED
    print(new)
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
