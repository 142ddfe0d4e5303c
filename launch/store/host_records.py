"""The records of the host side: what each of its small files holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from launch.executor import Executor
from launch.site import Pack, Resources
from pcm.run_dir.typed_json import Damaged, checked, parse_object, parse_objects, read_object


@dataclass(frozen=True, slots=True)
class SweepRecord:
    """What is relied on of `sweep.json`; it remembers more, for people.

    Attributes:
        container: see `launch.container.settings`.
        site: a site's name or file.
        points: how many there were; None in launches of earlier versions.
    """

    tags: list[str]
    tracker: Any = None
    container: dict[str, Any] | None = None
    starts_from: dict[str, Any] | None = None
    pcm_version: str | None = None
    code: dict[str, Any] | None = None
    ships_code: bool = False
    code_digest: str | None = None
    executor: Executor | None = None
    site: str | None = None
    site_defaults: dict[str, Any] | None = None
    site_record: dict[str, Any] | None = None
    checkpoints: dict[str, Any] | None = None
    notify: list[str] | None = None
    preload: list[str] | None = None
    points: int | None = None


@dataclass(frozen=True, slots=True)
class PointRecord:
    """A line of `points.jsonl`.

    Attributes:
        base: section -> index of its config in `base.json`.
        changes: keys and value of what differs there.
        resources: see `launch.site.Resources`.
    """

    id: str
    name: str
    identity: str
    seed: int
    world_size: int
    overrides: dict[str, Any]
    base: dict[str, Any]
    changes: list[Any]
    resources: dict[str, Any]
    subsample_size: int | None = None


@dataclass(frozen=True, slots=True)
class IntentRecord:
    """`intent.json`: an array that was about to be submitted.

    Attributes:
        array: the experiment of each task, by the task's index; with packs, those that they draw.
        time: seconds since the epoch.
        parameters: of sbatch.
        setup: shell lines before anything else; None in what an earlier version handed over.
        clusters: those that sbatch may choose from; None for this machine's own.
        pack: how experiments share tasks, see `launch.site.Pack`; None for one each.
        parallel: tasks of it that may run at once; None in what an earlier version handed over.
        limit: tasks of all its sweep's arrays that may; None for any number.
    """

    array: list[str]
    time: float
    token: str | None = None
    checkpoint: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    setup: list[str] | None = None
    clusters: str | None = None
    pack: Pack | None = None
    parallel: int | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class HandOverRecord:
    """`outcome.json` of a submission: what became of an array.

    Attributes:
        job_id: None if Slurm did not take it.
        reason: why it didn't.
        time: seconds since the epoch.
        cluster: which one took it; None for the one that this machine belongs to.
    """

    job_id: str | None
    reason: str = ""
    time: float | None = None
    cluster: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimRecord:
    """`ID-N.json` of an array of packs: a claim on an experiment.

    Attributes:
        job: Slurm's id of the task that has it; "" where somebody has withdrawn it.
        key: of that task's start, see `launch.supervisor.job`.
        time: seconds since the epoch.
    """

    job: str
    key: str
    time: float | None = None


@dataclass(frozen=True, slots=True)
class ClaimEndRecord:
    """`ID-N-back.json` and `ID-N-over.json`: the end of a claim.

    Attributes:
        detail: why the experiment made no attempt; "" if it did.
    """

    detail: str = ""


@dataclass(frozen=True, slots=True)
class AllocationRecord:
    """`JOB_TASK.json` of an array of packs: a task's newest start.

    Attributes:
        key: of the start.
        drawn: experiments that the task has drawn and not given back, over all of its starts.
        seconds: that those took which have finished here in one go, the newest last.
        fruitless: how many starts in a row, this one included, have begun no experiment.
    """

    key: str
    host: str
    pid: int
    process_started: str
    drawn: int = 0
    seconds: list[float] = field(default_factory=list)
    fruitless: int = 0


@dataclass(frozen=True, slots=True)
class UnsubmittedRecord:
    """`unsubmitted.json`: experiments that Slurm hasn't got yet, and why."""

    ids: list[str]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class QueueRecord:
    """`queues/KEY.json`: a local launcher's process, and the experiments that wait for it."""

    host: str
    pid: int
    process_started: str
    experiments: list[str]


def read_bases(path: Path) -> dict[str, list[dict[str, Any] | None]] | Damaged | None:
    """`base.json`: section -> the configs that points differ from there; None for no section."""
    bases = read_object(path)
    if not isinstance(bases, dict):
        return bases
    for section, configs in bases.items():
        if not isinstance(configs, list) or not all(
            each is None or isinstance(each, dict) for each in configs
        ):
            return Damaged(path, f"its '{section}' holds no configs")
    return bases


def parse_point(line: bytes) -> dict[str, Any]:
    """The point in a line, as plain data: there may be a hundred thousand.

    Raises:
        ValueError: it holds none; says why.
    """
    return _checked_point(parse_object(line))


def parse_points(lines: Sequence[bytes]) -> list[dict[str, Any]]:
    """The points in some lines, one in each.

    Raises:
        ValueError: one of them holds none, or anything else.
    """
    return list(map(_checked_point, parse_objects(lines)))


def _checked_point(point: dict[str, Any]) -> dict[str, Any]:
    resources = point.get("resources")
    asked = resources if type(resources) is dict else {}
    # Looking at each value takes longer than to read the line, and most points look alike.
    shape = (*point, *map(type, point.values()), *asked, *map(type, asked.values()))
    if shape not in _fitting:
        checked(PointRecord, point)
        resources_of(point)
        _fitting.add(shape)
    if not point["id"].isalnum():
        raise ValueError("its 'id' is no id")
    return point


_fitting: set[tuple[Any, ...]] = set()
"""Keys and types of the values of points that were found good."""


def resources_of(point: Mapping[str, Any]) -> Resources:
    """What a point asks for, without what only later versions know.

    Raises:
        ValueError: a value is of another type.
    """
    return Resources(**checked(Resources, point["resources"]))
