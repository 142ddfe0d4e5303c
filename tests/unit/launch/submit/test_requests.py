"""Which arrays experiments become."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from launch.site import Resources, Site
from launch.store import LaunchDir
from launch.submit.requests import ArrayRequest, array_requests

LAUNCH = LaunchDir(Path("/runs/sweeps/a sweep/one"))


@dataclass(frozen=True)
class Asked:
    id: str
    resources: Resources
    launch: LaunchDir = LAUNCH


def asked(count: int, prefix: str = "", **resources: Any) -> list[Asked]:
    return [Asked(f"{prefix}{number}", Resources(**resources)) for number in range(count)]


def sizes(requests: list[ArrayRequest]) -> list[int]:
    return [len(request.ids) for request in requests]


def test_the_same_request_is_one_array_in_the_order_of_the_grid() -> None:
    [request] = array_requests(asked(1000), Site(), 1001)
    assert request.ids == tuple(str(number) for number in range(1000))
    assert (request.launch, request.parallel, request.after) == (LAUNCH, 1000, None)


def test_ten_thousand_points_are_ten_arrays() -> None:
    requests = array_requests(asked(10_000), Site(), 1001)
    assert sizes(requests) == [1000] * 10
    ids = [each for request in requests for each in request.ids]
    assert ids == [str(number) for number in range(10_000)]


def test_no_array_leaves_thousands_of_files_in_its_folder() -> None:
    assert sizes(array_requests(asked(10_000), Site(), 100_001)) == [2000] * 5


@pytest.mark.parametrize("count", [1, 6, 7, 8, 13, 14, 15, 50])
def test_pieces_are_of_about_the_same_size(count: int) -> None:
    pieces = sizes(array_requests(asked(count), Site(), 7))
    assert sum(pieces) == count
    assert len(pieces) == -(-count // 7)
    assert max(pieces) <= 7
    assert max(pieces) - min(pieces) <= 1


def test_different_requests_and_launches_are_different_arrays() -> None:
    other = LaunchDir(Path("/runs/sweeps/a sweep/two"))
    mixed = [*asked(3), *asked(2, "wide", cpus_per_task=4), Asked("old", Resources(), other)]
    requests = array_requests(mixed, Site(), 1001)
    assert sizes(requests) == [3, 2, 1]
    assert [request.parameters.get("cpus_per_task") for request in requests] == [None, 4, None]
    assert requests[2].launch == other


def test_nobody_needs_a_limit_that_is_never_reached() -> None:
    [request] = array_requests(asked(3, max_parallel=8), Site(), 1001)
    assert request.parallel == 3


@pytest.mark.parametrize(
    ("counts", "limit", "shares"),
    [
        ((10,), 4, [4]),
        ((100, 100), 5, [3, 2]),
        ((90, 10), 10, [9, 1]),
        ((1000, 1, 1), 5, [3, 1, 1]),
        ((300, 300, 2), 3, [1, 1, 1]),
    ],
)
def test_arrays_share_max_parallel(counts: tuple[int, ...], limit: int, shares: list[int]) -> None:
    mixed = [
        each
        for cores, count in enumerate(counts, start=1)
        for each in asked(count, f"{cores}-", cpus_per_task=cores, max_parallel=limit)
    ]
    requests = array_requests(mixed, Site(), 1001)
    assert [request.parallel for request in requests] == shares
    assert all(request.after is None for request in requests)


def test_where_there_are_more_arrays_than_may_run_some_wait_for_others() -> None:
    requests = array_requests(asked(20, max_parallel=2), Site(), 4)
    assert [request.parallel for request in requests] == [1] * 5
    assert [request.after for request in requests] == [None, None, 0, 1, 2]


def test_a_site_limits_what_the_grid_does_not() -> None:
    site = Site(defaults=Resources(max_parallel=2, partition="gpu"))
    [request] = array_requests(asked(5), site, 1001)
    assert request.parallel == 2
    assert request.parameters["partition"] == "gpu"
    [request] = array_requests(asked(5, max_parallel=3), site, 1001)
    assert request.parallel == 3


def test_packs_are_the_tasks_of_an_array() -> None:
    pack = {"per_job": 20, "per_gpu": 2, "sets": 1}
    [request] = array_requests(asked(50, pack=pack, max_parallel=4), Site(), 1001)
    assert (len(request.ids), request.tasks, request.parallel) == (50, 3, 2)
    pieces = array_requests(asked(50, pack=pack), Site(), 2)
    assert [(len(piece.ids), piece.tasks) for piece in pieces] == [(40, 2), (10, 1)]
    first, rest = request.first(1), request.without_first(1)
    assert (first.ids, first.parallel, rest.ids) == (request.ids[:20], 1, request.ids[20:])
