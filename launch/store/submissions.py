"""What was handed to Slurm: one folder an array, in the folder of its launch.

LAUNCH/unsubmitted.json  what is still to be handed over, and why; gone when all is

LAUNCH/submissions/TOKEN/
  intent.json      which experiment is which task of the array; written before `sbatch`
  outcome.json     the job's id and cluster, or why there is none; written after it
  words.json       how Slurm said that tasks ended, since Slurm forgets it; see `launch.store.words`
  script.sh        what sbatch got
  claims/, allocations/  of packs: who has which experiment, see `launch.store.claims`
  JOB_TASK_signal  the signal that the shell of one task's script got, until the task ends
  JOB_TASK_*       what a task's script and its supervisor have printed
  rank-R/JOB_TASK_*  the same of rank R, and of the script with rank 0, where tasks have several
"""

from collections.abc import Collection, Container, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from launch.damage import whole
from launch.site import Pack
from launch.store import LaunchDir, RunsRoot, writing
from launch.store.host_records import HandOverRecord, IntentRecord, UnsubmittedRecord
from launch.store.records import names_in
from pcm.run_dir.typed_json import read, write


@dataclass(frozen=True)
class SubmissionDir:
    """File names of one array."""

    path: Path

    @cached_property
    def token(self) -> str:
        """Names the array for ever; Slurm has it in the job's comment."""
        return self.path.name

    @property
    def launch(self) -> LaunchDir:
        """The launch that its experiments are frozen in."""
        return LaunchDir(self.path.parents[1])

    @property
    def intent(self) -> Path:
        """What was about to be submitted."""
        return self.path / "intent.json"

    @property
    def outcome(self) -> Path:
        """What became of that."""
        return self.path / "outcome.json"

    @property
    def words(self) -> Path:
        """How Slurm said that its tasks ended."""
        return self.path / "words.json"

    @property
    def script(self) -> Path:
        """What sbatch got; kept for people, nobody reads it again."""
        return self.path / "script.sh"

    def signal(self, task_id: str) -> Path:
        """The signal that the shell of a task's script got; there if it got one."""
        return self.path / f"{task_id}_signal"

    def rank_folder(self, rank: int | str) -> Path:
        """What one rank of each task has printed, where tasks have several.

        A thousand tasks of 64 ranks would otherwise make one folder of 64,000 files.
        """
        return self.path / f"rank-{rank}"

    @property
    def log_folders(self) -> tuple[Path, Path]:
        """Where a task's first rank prints to: one of several, or the only one."""
        return self.rank_folder(0), self.path


@dataclass(frozen=True)
class Submission:
    """One array, as far as it is written down.

    Attributes:
        array: the experiment of each task, by the task's index; with packs, those that they draw.
        time: when it was about to be submitted, seconds since the epoch.
        checkpoint: the one that somebody wants to go on from; None takes the newest.
        parameters: what sbatch was asked for.
        setup: shell lines before anything else; None in what an earlier version handed over.
        asked_clusters: those that sbatch might choose from; empty for this machine's own.
        pack: how experiments share tasks; None for one each.
        parallel: tasks of it that may run at once; None in what an earlier version handed over.
        limit: tasks of all its sweep's arrays that may; None for any number.
    """

    files: SubmissionDir
    array: tuple[str, ...]
    time: float
    checkpoint: str | None
    parameters: Mapping[str, str | int | bool] = field(default_factory=dict)
    setup: tuple[str, ...] | None = None
    asked_clusters: tuple[str, ...] = ()
    pack: Pack | None = None
    parallel: int | None = None
    limit: int | None = None

    @property
    def tasks(self) -> int:
        """Tasks of the array."""
        return len(self.array) if self.pack is None else self.pack.tasks(len(self.array))

    @property
    def per_task(self) -> int:
        """Experiments of a task; of a pack those that it draws first."""
        return 1 if self.pack is None else self.pack.per_job

    def members(self, task: int) -> tuple[str, ...]:
        """The experiments of a task, by its index; of a pack those that it draws first."""
        return self.array[task * self.per_task : (task + 1) * self.per_task]

    @property
    def token(self) -> str:
        """Names the array for ever, see `SubmissionDir.token`."""
        return self.files.token

    @cached_property
    def _outcome(self) -> HandOverRecord | None:
        return whole(read(HandOverRecord, self.files.outcome))

    @property
    def is_settled(self) -> bool:
        """Whether it is known if Slurm took it."""
        return self._outcome is not None

    @cached_property
    def job_id(self) -> str | None:
        """Slurm's id of the array; None if Slurm didn't take it, or nobody knows yet."""
        return None if self._outcome is None else self._outcome.job_id

    @cached_property
    def clusters(self) -> tuple[str | None, ...]:
        """Where it may be: the cluster that took it, where that is known by name.

        None stands for the cluster that this machine belongs to.
        """
        cluster = None if self._outcome is None else self._outcome.cluster
        return (cluster,) if cluster is not None else self.asked_clusters or (None,)

    @property
    def settled(self) -> float:
        """When it was known that Slurm had taken it, or else when it was about to be asked."""
        when = None if self._outcome is None else self._outcome.time
        return self.time if when is None else when

    @cached_property
    def owner(self) -> int:
        """The number of the user whose jobs they are."""
        return self.files.path.stat().st_uid


def read_submission(files: SubmissionDir) -> Submission | None:
    """The array in a folder; None if its intent was never written, so nothing came of it.

    Of one whose intent is damaged nothing comes either: its jobs find no experiment.
    """
    intent = whole(read(IntentRecord, files.intent))
    if intent is None:
        return None
    asked = intent.clusters or intent.parameters.get("clusters") or ""
    return Submission(
        files,
        array=tuple(intent.array),
        time=intent.time,
        checkpoint=intent.checkpoint,
        parameters=intent.parameters,
        setup=None if intent.setup is None else tuple(intent.setup),
        asked_clusters=tuple(filter(None, str(asked).split(","))),
        pack=intent.pack,
        parallel=intent.parallel,
        limit=intent.limit,
    )


def submissions_of(launch: LaunchDir) -> Iterator[Submission]:
    """The arrays of one launch."""
    for token in sorted(names_in(launch.submissions)):
        submission = read_submission(SubmissionDir(launch.submissions / token))
        if submission is not None:
            yield submission


def all_submissions(root: RunsRoot) -> Iterator[Submission]:
    """The arrays of all launches, the oldest launch first."""
    for launch in root.launches():
        yield from submissions_of(launch)


def note_unsubmitted(
    launch: LaunchDir,
    *,
    wanted: Collection[str] = (),
    taken: Container[str] = (),
    reason: str = "",
) -> None:
    """Write down which experiments of a launch Slurm hasn't got yet.

    Args:
        wanted: are to be submitted, besides those that are written down.
        taken: are no more of this launch's business.
        reason: why Slurm hasn't got them.
    """
    record = _unsubmitted(launch)
    ids = dict.fromkeys([*(() if record is None else record.ids), *wanted])
    left = [each for each in ids if each not in taken]
    with writing(launch.root):
        if left:
            write(launch.unsubmitted, UnsubmittedRecord(left, reason))
        else:
            launch.unsubmitted.unlink(missing_ok=True)


def read_unsubmitted(root: RunsRoot, sweep: str | None = None) -> dict[str, str]:
    """Why Slurm hasn't got an experiment, by its id; of all launches, or of one sweep's."""
    records = map(_unsubmitted, root.launches(sweep))
    return {each: record.reason for record in records if record for each in record.ids}


def forget_unsubmitted(taken_over: Mapping[LaunchDir, Collection[str]]) -> None:
    """Take experiments out of the records of other launches of their sweeps.

    Args:
        taken_over: the launches that see to them now, and the experiments' ids.
    """
    for launch, ids in taken_over.items():
        for other in RunsRoot(launch.root).launches(launch.sweep_name):
            record = None if other in taken_over else _unsubmitted(other)
            if record is not None:
                note_unsubmitted(other, taken=set(ids), reason=record.reason)


def _unsubmitted(launch: LaunchDir) -> UnsubmittedRecord | None:
    return whole(read(UnsubmittedRecord, launch.unsubmitted))


def index_of(task_id: str) -> int:
    """The index of a task in its array, from its id."""
    return int(task_id.partition("_")[2])
