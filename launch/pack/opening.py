"""A pack as it begins: what Slurm, and the files of its array, say of it."""

import os
from pathlib import Path

from launch.damage import whole
from launch.machine.devices import visible_devices
from launch.machine.processes import Process
from launch.pack.drawing import Drawing
from launch.pack.pack_runner import Own, PackRunner
from launch.slurm.controller import read_job
from launch.store import Experiment
from launch.store.claims import Claims
from launch.store.host_records import AllocationRecord
from launch.store.submissions import Submission, SubmissionDir, index_of, read_submission
from launch.store.trust import require_trusted_launch
from launch.supervisor.batch_shell import signal_to_shell
from launch.supervisor.ending import is_wanted_back, obstacle
from launch.supervisor.job import Allocation
from launch.supervisor.slurm_job import slurm_job
from launch.supervisor.task import own_intent
from launch.supervisor.time_limit import TimeLimit
from launch.telling import Tell
from pcm.errors import RefusedError
from pcm.run_dir.typed_json import read

MOST_RECORDS = 50
"""Of other allocations, to learn from how long experiments take."""


def open_pack(folder: str, tell: Tell) -> PackRunner:
    """The pack that the calling process is to run, as a task of an array.

    Args:
        folder: of the array, see `launch.store.submissions`.
        tell: called with what the job's output is to say.

    Raises:
        RefusedError: the array was taken for lost, or others could have changed what would run.
    """
    files = SubmissionDir(Path(folder))
    own_intent(files)
    submission = read_submission(files)
    if submission is None or submission.pack is None:
        raise RefusedError(f"{files.intent} says nothing of packs")
    require_trusted_launch(files.launch, files.token)
    job = slurm_job(submission.checkpoint, files.token)
    facts = read_job(job.id)
    if (text := obstacle(facts)) is not None:
        tell(f"warning: {text}")
    claims = Claims(submission)
    former = whole(read(AllocationRecord, claims.allocation(job.id)))
    record = AllocationRecord(
        job.key,
        **Process.current().record(),
        drawn=0 if former is None else former.drawn,
        seconds=_seconds(claims),
        fruitless=1 if former is None else former.fruitless + 1,
    )
    missed = "Slurm" if is_wanted_back(job, facts) else signal_to_shell(files.launch, job)
    own = Own(job, Allocation(job.id, files.token, job.restarts, job.cores), record)
    return PackRunner(
        own,
        Drawing(claims, job, record.drawn),
        claims,
        slots=slots_of(submission, _first(submission, job.id)),
        limit=TimeLimit(job.id, facts),
        missed=missed,
        tell=tell,
    )


def slots_of(submission: Submission, experiment: Experiment) -> list[list[str]]:
    """The GPUs of each experiment that runs at a time: all sets once, then those that share."""
    pack, gpus = submission.pack, experiment.resources.gpus
    assert pack is not None
    devices = visible_devices(os.environ) if gpus else []
    sets = [devices[number * gpus :][:gpus] for number in range(pack.sets)]
    return (sets * pack.per_gpu)[: pack.at_once]


def _first(submission: Submission, job_id: str) -> Experiment:
    """One of those that are alike: all of an array ask for the same."""
    [first, *_] = submission.members(index_of(job_id))
    launch = submission.files.launch
    return Experiment(launch, launch.point_record(first) or {})


def _seconds(claims: Claims) -> list[float]:
    """What experiments of the same array took in other allocations."""
    folder = claims.allocation("any").parent
    paths = sorted(folder.glob("[0-9]*.json"))[:MOST_RECORDS]
    records = (whole(read(AllocationRecord, path)) for path in paths)
    return [each for record in records if record is not None for each in record.seconds]
