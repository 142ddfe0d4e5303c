"""Experiments -> the arrays that sbatch is asked for. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from launch.site import Parameters, Resources, Site, sbatch_parameters
from launch.store import LaunchDir


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
        ids: the experiment of each task, by the task's index.
        parameters: of sbatch, see `launch.site.sbatch_parameters`.
        parallel: how many tasks may run at once.
        after: index of the request whose array has to end first.
    """

    launch: LaunchDir
    ids: tuple[str, ...]
    parameters: Parameters
    parallel: int
    after: int | None = None


def array_requests(
    experiments: Sequence[Asking], site: Site, max_array_size: int
) -> list[ArrayRequest]:
    """The fewest arrays of at most `max_array_size` tasks, one array for each kind of request.

    `max_parallel` holds for all of them together: each gets its share. Where there are more
    arrays than may run at once, some wait until others have ended.
    """
    groups: dict[tuple[object, ...], list[Asking]] = {}
    for experiment in experiments:
        parameters = sbatch_parameters(experiment.resources, site)
        groups.setdefault((experiment.launch, *parameters.items()), []).append(experiment)
    pieces = [piece for group in groups.values() for piece in _split(group, max_array_size)]
    limit = parallel_limit(experiments, site)
    shares = _shares([len(piece) for piece in pieces], limit)
    return [
        ArrayRequest(
            launch=piece[0].launch,
            ids=tuple(experiment.id for experiment in piece),
            parameters=sbatch_parameters(piece[0].resources, site),
            parallel=share,
            after=index - limit if limit is not None and index >= limit else None,
        )
        for index, (piece, share) in enumerate(zip(pieces, shares, strict=True))
    ]


def _split(group: Sequence[Asking], size: int) -> Iterable[Sequence[Asking]]:
    """Pieces of about the same size."""
    count = -(-len(group) // size)
    edges = [round(index * len(group) / count) for index in range(count + 1)]
    return (group[first:last] for first, last in pairwise(edges))


def parallel_limit(experiments: Iterable[Asking], site: Site) -> int | None:
    """How many of all may run at once; None for any number."""
    limits = {each.resources.over(site.defaults).max_parallel for each in experiments}
    return min((limit for limit in limits if limit is not None), default=None)


def _shares(sizes: Sequence[int], limit: int | None) -> list[int]:
    """Tasks of each array that may run at once: `limit` in all, at least one each."""
    if limit is None or sum(sizes) <= limit:
        return list(sizes)
    shares = [max(1, size * limit // sum(sizes)) for size in sizes]
    # What rounding left over goes to the largest; what it took too much comes from there.
    by_size = sorted(range(len(sizes)), key=lambda index: -sizes[index])
    while sum(shares) < limit:
        for index in by_size[: limit - sum(shares)]:
            shares[index] += 1
    while sum(shares) > limit and max(shares) > 1:
        shares[max(range(len(shares)), key=shares.__getitem__)] -= 1
    return shares
