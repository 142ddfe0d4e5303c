"""Which allocation has which experiment of an array of packs: small files, each of one writer.

SUBMISSION/
  allocations/JOB_TASK.json  a task's newest start; touched now and then while that lives
  claims/TASK/               experiments that this task draws first
    ID-N.json                the N-th claim on one; who makes the file has the experiment
    ID-N-back.json           given back: anybody may make the next claim
    ID-N-over.json           nobody draws it from here again

Nothing is ever removed or changed, so nobody can act on what was true a moment ago: of two that
want one experiment, one can't make the file.
"""

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from launch.damage import whole
from launch.store.host_records import AllocationRecord, ClaimEndRecord, ClaimRecord
from launch.store.records import names_in
from launch.store.submissions import Submission
from pcm.run_dir.trust import make_folder
from pcm.run_dir.typed_json import create, read, write

_NAME = re.compile(r"(?P<id>[0-9A-Za-z]+)-(?P<number>\d+)(?:-(?P<end>back|over))?\.json")


class Hold(StrEnum):
    """How an experiment stands among the claims."""

    FREE = "free"
    HELD = "held"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Standing:
    """How one experiment stands.

    Attributes:
        number: of its newest claim; 0 without one.
    """

    hold: Hold = Hold.FREE
    number: int = 0


@dataclass(frozen=True)
class Claims:
    """The claims on the experiments of one array."""

    submission: Submission

    @property
    def _folder(self) -> Path:
        return self.submission.files.path / "claims"

    def allocation(self, task_id: str) -> Path:
        """What is known of the newest start of a task, by Slurm's id of it."""
        return self.submission.files.path / "allocations" / f"{task_id}.json"

    def standings(self, task: int) -> dict[str, Standing]:
        """How the experiments that a task draws first stand, by their ids: a look at one folder."""
        found = dict.fromkeys(self.submission.members(task), Standing())
        for experiment_id, standing in _read_names(names_in(self._folder / str(task))):
            if experiment_id in found and _is_news(standing, found[experiment_id]):
                found[experiment_id] = standing
        return found

    def over(self) -> set[str]:
        """The experiments that nobody draws from here again."""
        return {
            experiment_id
            for task in range(self.submission.tasks)
            for experiment_id, standing in self.standings(task).items()
            if standing.hold is Hold.OVER
        }

    def take(self, experiment_id: str, after: Standing, job: str, key: str) -> int | None:
        """Make the claim after one that is seen to be given back or dead.

        Args:
            job: Slurm's id of the task that wants it.
            key: of that task's start.

        Returns:
            The claim's number; None if somebody was faster.
        """
        number = after.number + 1
        path = self._path(experiment_id, number)
        make_folder(path.parent, exist_ok=True)
        is_ours = create(path, ClaimRecord(job, key, time.time()))
        return number if is_ours else None

    def read(self, experiment_id: str, number: int) -> ClaimRecord | None:
        """A claim; None where there is none that can be read."""
        return whole(read(ClaimRecord, self._path(experiment_id, number)))

    def read_end(self, experiment_id: str, number: int) -> ClaimEndRecord | None:
        """What the holder said as it was over."""
        return whole(read(ClaimEndRecord, self._path(experiment_id, number, "-over")))

    def give_back(self, experiment_id: str, number: int) -> None:
        """Let anybody draw it again; for the holder."""
        create(self._path(experiment_id, number, "-back"), ClaimEndRecord())

    def close(self, experiment_id: str, number: int, detail: str = "") -> None:
        """Let nobody draw it again; for the holder.

        Args:
            detail: why it made no attempt, if so.
        """
        create(self._path(experiment_id, number, "-over"), ClaimEndRecord(detail))

    def withdraw(self, experiment_id: str) -> bool:
        """Keep one that waits from being drawn; False if somebody has it, or had it."""
        task = self.task_of(experiment_id)
        standing = self.standings(task)[experiment_id]
        if standing.hold is not Hold.FREE:
            return standing.hold is Hold.OVER
        number = self.take(experiment_id, standing, job="", key="")
        if number is not None:
            self.close(experiment_id, number)
        return number is not None

    def task_of(self, experiment_id: str) -> int:
        """The task that draws an experiment first."""
        assert self.submission.pack is not None
        return self._places[experiment_id] // self.submission.pack.per_job

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {each: place for place, each in enumerate(self.submission.array)}

    def _path(self, experiment_id: str, number: int, end: str = "") -> Path:
        return (
            self._folder / str(self.task_of(experiment_id)) / f"{experiment_id}-{number}{end}.json"
        )


def note_allocation(path: Path, record: AllocationRecord) -> None:
    """Write down which start of a task lives, and what it has drawn; for that start."""
    make_folder(path.parent, exist_ok=True)
    write(path, record)


def beat(path: Path) -> None:
    """Give a sign of life."""
    with suppress(OSError):
        os.utime(path)


def _read_names(names: set[str]) -> Iterator[tuple[str, Standing]]:
    for match in filter(None, map(_NAME.fullmatch, names)):
        end = match["end"]
        hold = Hold.HELD if end is None else Hold.OVER if end == "over" else Hold.FREE
        yield match["id"], Standing(hold, int(match["number"]))


def _is_news(seen: Standing, known: Standing) -> bool:
    """Whether a file tells more than those before: a later claim, or the end of this one."""
    if seen.number != known.number:
        return seen.number > known.number
    return seen.hold is not Hold.HELD
