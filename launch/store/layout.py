"""Every file name under the runs root, outside the run directories.

ROOT/
  experiments/XX/ID/      run directory, appears with the first attempt; XX: how its ID begins
  sweeps/NAME/LAUNCH/     one frozen launch; what is frozen of it never changes
    sweep.json            what its points share: grid file, tags, tracker, image, code version
    base.json             the configs that the points differ from
    points.jsonl          a line a point
    code.diff             uncommitted edits of the checkout, where there were any
    code/                 the checkout itself, where the launch ships its code
    unsubmitted.json      what Slurm has not got of it yet, and why
    submissions/TOKEN/    an array that was handed to Slurm, see `launch.store.submissions`
    jobs/
      refused-JOB/        why jobs of an array made no attempt, or local ones of like keys
      KEY/                submitit's files of a local job, while it runs
    notified/             who was told of its first failure and of its end
    following-*.lock      held while `pcm sync --follow` feeds its trackers
  cancelled/XX/ID.json    keeps an experiment from starting, until somebody resumes it
  queues/KEY.json         what waits for a local launcher, while that lives
  summaries.sqlite        see `launch.store.summary_cache`
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from launch.damage import notice, required
from launch.store.host_records import SweepRecord
from launch.store.points_file import find_point, read_points
from launch.store.spreading import WIDTH, place_in
from launch.user_settings import read_settings
from pcm.errors import RefusedError
from pcm.run_dir import RunDir
from pcm.run_dir.typed_json import Damaged, read_checked, unreadable

_EXPERIMENTS = "experiments"


@dataclass(frozen=True)
class LaunchDir:
    """File names of one launch."""

    path: Path

    @property
    def id(self) -> str:
        """Name of the folder; ids sort by time."""
        return self.path.name

    @property
    def sweep_name(self) -> str:
        """The sweep that this launch belongs to."""
        return self.path.parent.name

    @cached_property
    def root(self) -> Path:
        """The folder that holds all sweeps, this launch among them."""
        return self.path.parents[2]

    @property
    def sweep(self) -> Path:
        """What the points share."""
        return self.path / "sweep.json"

    @property
    def base(self) -> Path:
        """The configs that the points differ from."""
        return self.path / "base.json"

    @property
    def points(self) -> Path:
        """A line a point."""
        return self.path / "points.jsonl"

    @property
    def code_diff(self) -> Path:
        """Uncommitted edits at the time of the launch."""
        return self.path / "code.diff"

    @property
    def snapshot(self) -> Path:
        """The checkout as it was at the launch, where the launch ships its code."""
        return self.path / "code"

    @property
    def ships_code(self) -> bool:
        """Whether its jobs run the snapshot, not the code that is installed."""
        return bool(self.record.get("ships_code"))

    @property
    def has_accounting(self) -> bool:
        """Whether Slurm's accounting may be asked: its site does not say that there is none."""
        return (self.record.get("site_record") or {}).get("accounting") is not False

    @property
    def jobs(self) -> Path:
        """Folder of what is known of single jobs."""
        return self.path / "jobs"

    def local_job(self, key: str) -> Path:
        """Folder of submitit's files of one local job."""
        return self.jobs / key

    def notified(self, occasion: str, target: str) -> Path:
        """Says that a target was told of an occasion, or is just being told."""
        digest = hashlib.sha256(target.encode()).hexdigest()[:8]
        return self.path / "notified" / f"{occasion}-{digest}.json"

    def following(self, key: str) -> Path:
        """Lock of who feeds the trackers of these experiments, live."""
        return self.path / f"following-{key}.lock"

    @property
    def submissions(self) -> Path:
        """Folder of the arrays that were handed to Slurm, one folder each."""
        return self.path / "submissions"

    @property
    def unsubmitted(self) -> Path:
        """What Slurm has not got of it yet; there while it hasn't."""
        return self.path / "unsubmitted.json"

    def refusal(self, key: str) -> Path:
        """Why a job made no attempt."""
        return self.refusals(key) / f"{key}.json"

    def refusals(self, key: str) -> Path:
        """Folder of those of the same array of Slurm, whose keys begin with its id; else of a few.

        Earlier versions had all of a launch in `jobs`, as `refused-KEY.json`.
        """
        array, is_task, _ = key.partition("_")
        return self.jobs / f"refused-{array if is_task else key[:WIDTH]}"

    @cached_property
    def record(self) -> dict[str, Any]:
        """The content of `sweep.json`.

        Raises:
            DamagedError: it is missing or damaged.
        """
        return required(self.read_record(), self.sweep)

    def read_record(self) -> dict[str, Any] | Damaged | None:
        """The content of `sweep.json`, whose known values are of their types."""
        return read_checked(SweepRecord, self.sweep)

    def point_records(self) -> Iterator[dict[str, Any]]:
        """The lines of `points.jsonl`; those that are damaged or missing are noticed."""
        record = self.read_record()
        return read_points(self.points, record.get("points") if isinstance(record, dict) else None)

    def point_record(self, experiment_id: str) -> dict[str, Any] | None:
        """The line of one experiment, found without parsing the others.

        Raises:
            DamagedError: it can't be read.
        """
        return find_point(self.points, experiment_id)


@dataclass(frozen=True, slots=True)
class RunsRoot:
    """The folder that holds all sweeps and experiments."""

    path: Path

    @property
    def sweeps(self) -> Path:
        """A folder a sweep, and in it one a launch."""
        return self.path / "sweeps"

    @property
    def cancelled_folder(self) -> Path:
        """The markers of cancelled experiments, spread over folders."""
        return self.path / "cancelled"

    def cancelled(self, experiment_id: str) -> Path:
        """Marker that keeps an experiment from starting."""
        return Path(place_in(self.cancelled_folder, f"{experiment_id}.json"))

    @property
    def summaries(self) -> Path:
        """What journals without a summary came to; may be deleted at any time."""
        return self.path / "summaries.sqlite"

    @property
    def queues(self) -> Path:
        """Folder of the local launchers' queues."""
        return self.path / "queues"

    @property
    def experiments_folder(self) -> Path:
        """The run directories, spread over folders."""
        return self.path / _EXPERIMENTS

    def run_dir(self, experiment_id: str) -> RunDir:
        """The run directory of an experiment, whether or not it is there yet."""
        return RunDir(Path(self.folder(experiment_id)))

    def folder(self, experiment_id: str) -> str:
        """The same as text."""
        return place_in(f"{self.path}/{_EXPERIMENTS}", experiment_id)

    def launches(self, sweep: str | None = None) -> list[LaunchDir]:
        """All launches, or one sweep's, oldest first."""
        sweeps = _folders(self.sweeps) if sweep is None else [self.sweeps / sweep]
        launches = (LaunchDir(path) for folder in sweeps for path in _folders(folder))
        return sorted(launches, key=lambda launch: launch.id)


def runs_root(flag: Path | None = None) -> Path:
    """The runs root: the command line's, else `$PCM_RUNS_DIR`, the user's settings', `./runs`.

    Raises:
        ConfigError: the user's settings are wrong.
        RefusedError: it is no folder.
    """
    named = flag or os.environ.get("PCM_RUNS_DIR") or read_settings().runs_dir or "runs"
    root = Path(named).expanduser().absolute()
    if root.exists() and not root.is_dir():
        raise RefusedError(f"the runs folder {root} is a file", "name a folder with --runs-dir")
    return root


def _folders(folder: Path) -> list[Path]:
    """Folders in `folder`, without those still being written."""
    try:
        paths = [path for path in folder.iterdir() if not path.name.startswith(".")]
    except FileNotFoundError:
        return []
    except OSError as error:
        notice(Damaged(folder, unreadable(error)))
        return []
    return sorted(path for path in paths if path.is_dir())
