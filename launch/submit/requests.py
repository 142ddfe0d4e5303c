"""Experiments -> the arrays that sbatch is asked for. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

from launch.site import (
    Pack,
    Parameters,
    Resources,
    Site,
    pack_of,
    sbatch_parameters,
    task_limit,
)
from launch.store import LaunchDir

MOST_TASKS = 2_000
"""Of one array, whatever Slurm accepts: a folder of 10,000 files is slow on a file server."""


class Asking(Protocol):
    """What has to be known of an experiment."""

    @property
    def id(self) -> str:
        """Which experiment a task of the array will be."""

    @property
    def launch(self) -> LaunchDir:
        """Where it is frozen."""

    @property
    def resources(self) -> Resources:
        """What it asks for."""


@dataclass(frozen=True, slots=True)
class ArrayRequest:
    """One array: experiments of one launch that ask for the same.

    Attributes:
        ids: the experiment of each task, by the task's index; or those that its packs draw.
        parameters: of sbatch, see `launch.site.sbatch_parameters`.
        parallel: how many tasks may run at once.
        after: index of the request whose array has to end first.
        pack: how experiments share tasks; None for one each.
        limit: how many tasks of all the sweep's arrays may run at once; None for any number.
    """

    launch: LaunchDir
    ids: tuple[str, ...]
    parameters: Parameters
    parallel: int
    after: int | None = None
    pack: Pack | None = None
    limit: int | None = None

    @property
    def per_task(self) -> int:
        """Experiments of one task."""
        return 1 if self.pack is None else self.pack.per_job

    @property
    def tasks(self) -> int:
        """Tasks of the array."""
        return -(-len(self.ids) // self.per_task)

    @property
    def ranks(self) -> int:
        """Of each task, on all of its nodes."""
        nodes, each = (self.parameters.get(name) for name in ("nodes", "ntasks_per_node"))
        return int(nodes or 1) * int(each or 1)

    def first(self, tasks: int) -> "ArrayRequest":
        """The same request for its first so many tasks alone."""
        ids = self.ids[: tasks * self.per_task]
        return replace(self, ids=ids, parallel=min(self.parallel, tasks))

    def without_first(self, tasks: int) -> "ArrayRequest":
        """The same request for all but its first so many tasks."""
        return replace(self, ids=self.ids[tasks * self.per_task :])


def array_requests(
    experiments: Sequence[Asking], site: Site, max_array_size: int
) -> list[ArrayRequest]:
    """The fewest arrays of at most `max_array_size` tasks, one array for each kind of request.

    Nor of more than `MOST_TASKS`, since each task leaves a file or two in the array's folder.
    `max_parallel` holds for all of them together: each gets its share. Where there are more
    arrays than may run at once, some wait until others have ended.
    """
    groups: dict[tuple[object, ...], list[Asking]] = {}
    kinds: dict[str, tuple[object, ...]] = {}
    for experiment in experiments:
        # Most ask for the same: writing that down takes a tenth of reckoning it.
        text = repr(experiment.resources)
        if text not in kinds:
            kinds[text] = _kind(experiment, site)
        groups.setdefault((experiment.launch, *kinds[text]), []).append(experiment)
    wholes = [_whole(group, site) for group in groups.values()]
    pieces = [piece for whole in wholes for piece in _split(whole, min(max_array_size, MOST_TASKS))]
    limit = parallel_limit(experiments, site)
    shares = _shares([piece.tasks for piece in pieces], limit)
    return [
        replace(
            piece,
            parallel=share,
            after=index - limit if limit is not None and index >= limit else None,
            limit=limit,
        )
        for index, (piece, share) in enumerate(zip(pieces, shares, strict=True))
    ]


def _kind(experiment: Asking, site: Site) -> tuple[object, ...]:
    """What experiments must have in common to be tasks of one array."""
    return (_pack(experiment, site), *sbatch_parameters(experiment.resources, site).items())


def _pack(experiment: Asking, site: Site) -> Pack | None:
    return pack_of(experiment.resources.over(site.defaults))


def _whole(group: Sequence[Asking], site: Site) -> ArrayRequest:
    """A group as one array, whatever its size."""
    return ArrayRequest(
        launch=group[0].launch,
        ids=tuple(experiment.id for experiment in group),
        parameters=sbatch_parameters(group[0].resources, site),
        parallel=len(group),
        pack=_pack(group[0], site),
    )


def _split(whole: ArrayRequest, size: int) -> Iterable[ArrayRequest]:
    """Arrays of about the same size, of at most so many tasks."""
    count = -(-whole.tasks // size)
    edges = [round(index * whole.tasks / count) for index in range(count + 1)]
    return (whole.without_first(first).first(last - first) for first, last in pairwise(edges))


def parallel_limit(experiments: Iterable[Asking], site: Site) -> int | None:
    """How many tasks of all arrays may run at once; None for any number."""
    kinds = {repr(each.resources): each.resources for each in experiments}
    limits = {task_limit(resources.over(site.defaults)) for resources in kinds.values()}
    return min((limit for limit in limits if limit is not None), default=None)


def _shares(sizes: Sequence[int], limit: int | None) -> list[int]:
    """Tasks of each array that may run at once: `limit` in all, at least one each.

    Slurm throttles an array (`%`), never several of them together; so the limit is dealt out
    before any of them runs, and one that is done early leaves its share unused. That wastes
    some room and never exceeds the limit, which is what people set it for (licences, a file
    server).
    """
    if limit is None or sum(sizes) <= limit:
        return list(sizes)
    # `%0` would be no limit at all, so the smallest array gets a task too, however small its
    # part of the whole is.
    shares = [max(1, size * limit // sum(sizes)) for size in sizes]
    # Rounding down leaves less than one task an array: one round over the largest deals it out.
    by_size = sorted(range(len(sizes)), key=lambda index: -sizes[index])
    while sum(shares) < limit:
        for index in by_size[: limit - sum(shares)]:
            shares[index] += 1
    # The ones that were given to small arrays come from the largest shares. With more arrays
    # than `limit` each keeps its one, and `ArrayRequest.after` has them wait for each other.
    while sum(shares) > limit and max(shares) > 1:
        shares[max(range(len(shares)), key=shares.__getitem__)] -= 1
    return shares
