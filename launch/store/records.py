"""Reading records that may be missing, torn or from another world."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from launch.damage import notice, whole
from launch.machine.processes import Process
from launch.store.host_records import read_bases
from launch.store.layout import LaunchDir
from pcm.run_dir import AttemptDir, RunDir
from pcm.run_dir.attempt_records import AttemptRecord
from pcm.run_dir.typed_json import Damaged, read, read_checked, read_object, unreadable

if TYPE_CHECKING:
    # At run time it would be a circle: freezing looks for names, too.
    from launch.store.store import Experiment
    from pcm.run_dir.records import SupervisorRecord


def read_record(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty where there is none or none that can be read."""
    return whole(read_object(path)) or {}


def names_in(folder: Path | str) -> set[str]:
    """Names of the files in a folder; empty where there is no such folder."""
    try:
        return set(os.listdir(folder))  # noqa: PTH208 - takes a third of the time of iterdir
    except (FileNotFoundError, NotADirectoryError):
        return set()
    except OSError as error:
        notice(Damaged(Path(folder), unreadable(error)))
        return set()


def newest_attempt(run_dir: RunDir) -> AttemptDir | None:
    """The newest attempt; None before the first. One look at the folder."""
    number = newest_number_in(str(run_dir.attempts_folder))
    return run_dir.attempt(number) if number else None


def newest_number_in(attempts_folder: str) -> int:
    """Number of the newest attempt, from 1; 0 before the first.

    A text, since for ten thousand of them making a path each takes longer than the look.
    """
    return max([int(name) for name in names_in(attempts_folder) if name.isdecimal()], default=0)


def read_attempt(files: AttemptDir) -> AttemptRecord:
    """What an attempt's record says; nothing at all where there is none, or none that is whole."""
    return whole(read(AttemptRecord, files.attempt)) or AttemptRecord()


def unkept_attributes(attempt: AttemptDir) -> list[str]:
    """What of a module of one's own a resume of it does not bring back."""
    # Here as below: most commands only list experiments, and records take long to import.
    from pcm.run_dir.records import UnkeptRecord

    record = whole(read(UnkeptRecord, attempt.unkept))
    return [] if record is None else record.attributes


def found_values(run_dir: RunDir) -> dict[str, float | int]:
    """What finders of the trainer file found before training."""
    from pcm.run_dir.found import FoundRecord

    record = whole(read(FoundRecord, run_dir.found))
    return {} if record is None else record.values


def is_code_edited(launch: LaunchDir, attempt: AttemptDir) -> bool:
    """Whether somebody edited the code between the launch and an attempt, as far as is known."""
    sweep = whole(launch.read_record()) or {}
    known = (sweep.get("code_digest"), read_attempt(attempt).code_digest)
    return None not in known and known[0] != known[1]


def damage_of(experiment: "Experiment") -> Damaged | None:
    """What is damaged of the records that an experiment needs for its next attempt."""
    from pcm.run_dir.records import ExperimentRecord

    launch, run_dir = experiment.launch, experiment.run_dir
    needed: list[tuple[Path, Any]] = [
        (launch.sweep, launch.read_record()),
        (launch.base, read_bases(launch.base)),
    ]
    if run_dir.path.exists():
        needed.append((run_dir.experiment, read_checked(ExperimentRecord, run_dir.experiment)))
    for path, found in needed:
        if not isinstance(found, dict):
            return found or Damaged(path, "it is missing")
    return None


def notice_damaged_launches(launches: Iterable[LaunchDir]) -> None:
    """Look whether what is frozen of launches is whole, for those who only list experiments."""
    for launch in launches:
        whole(launch.read_record())
        whole(read_bases(launch.base))


def notice_damaged(experiment: "Experiment") -> None:
    """Look whether all records of a single experiment and its newest attempt are whole."""
    from launch.store.record_kinds import KINDS

    if (damaged := damage_of(experiment)) is not None:
        notice(damaged)
    attempt = newest_attempt(experiment.run_dir)
    if attempt is None:
        return
    names = names_in(attempt.path)
    for name, kind in KINDS.items():
        for each in sorted(names):
            if re.fullmatch(rf"{name}(-\d+)?\.json", each):
                whole(read(kind, attempt.path / each))


def supervisor_of(attempt: AttemptDir, rank: int) -> Process | None:
    """The process that supervises a rank; None before it has begun."""
    record = _supervisor(attempt, rank)
    return _process(record.host, record.pid, record.process_started)


def training_of(attempt: AttemptDir, rank: int) -> Process | None:
    """The training process of a rank; None before it has begun."""
    record = _supervisor(attempt, rank)
    return _process(record.child_host, record.child_pid, record.child_process_started)


def _supervisor(attempt: AttemptDir, rank: int) -> "SupervisorRecord":
    from pcm.run_dir.records import SupervisorRecord

    return whole(read(SupervisorRecord, attempt.supervisor(rank))) or SupervisorRecord()


def _process(host: str | None, pid: int | None, started: str | None) -> Process | None:
    return None if None in (host, pid, started) else Process(str(host), int(pid or 0), str(started))
