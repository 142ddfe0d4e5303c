"""What a node's supervisors ask a file server about an attempt, counted."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from launch.supervisor.job import Job
from launch.supervisor.lookout import Lookout
from pcm.run_dir import AttemptDir

RANKS = 64

Looks = Counter[str]


@pytest.fixture
def files(tmp_path: Path) -> AttemptDir:
    return AttemptDir(tmp_path)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    """How often each file was looked for."""
    counted = Counter[str]()
    exists = Path.exists

    def count(path: Path) -> bool:
        counted[path.name] += 1
        return exists(path)

    monkeypatch.setattr(Path, "exists", count)
    return counted


def place(job: Job, rank: int, ranks: int = RANKS) -> Job:
    return replace(job, rank=rank, local_rank=rank, world_size=ranks, local_world_size=ranks)


@pytest.fixture
def node(files: AttemptDir, job: Job) -> Iterator[list[Lookout]]:
    """Those of all ranks of a node, which know of each other."""
    with ExitStack() as stack:
        made = (closing(Lookout(files, place(job, rank))) for rank in range(RANKS))
        lookouts = [stack.enter_context(each) for each in made]
        for _ in range(2):
            hear(lookouts)
        yield lookouts


def hear(lookouts: list[Lookout]) -> None:
    for each in lookouts:
        each.hear()


def look(lookouts: list[Lookout]) -> None:
    """What all of them do within a second."""
    for each in lookouts:
        each.look()
    hear(lookouts)


def test_one_rank_that_is_alone_looks_for_one_file(
    files: AttemptDir, job: Job, looks: Looks
) -> None:
    lookout = Lookout(files, place(job, 0, ranks=1))
    for _ in range(10):
        lookout.look()
    assert looks == {"stop.json": 10, "kill.json": 1, "outcome-0.json": 1}


@pytest.mark.skipif(sys.platform != "linux", reason="sockets without a file")
def test_a_node_asks_twice_a_second_whatever_its_ranks(node: list[Lookout], looks: Looks) -> None:
    for _ in range(10):
        look(node)
    assert looks == {"stop.json": 10, "failed.json": 10, "kill.json": 1, "outcome-0.json": 1}


def test_all_know_what_one_has_seen(files: AttemptDir, node: list[Lookout]) -> None:
    look(node)
    assert not any(each.has(files.stop) for each in node)
    files.stop.touch()
    look(node)
    assert all(each.has(files.stop) for each in node)
    # Now that something happens, nothing is looked for seldom.
    files.kill.touch()
    look(node)
    assert all(each.has(files.kill) for each in node)
    assert not any(each.has(files.failed) for each in node)


def test_the_others_go_on_without_the_one_who_looked(
    files: AttemptDir, node: list[Lookout]
) -> None:
    look(node)
    node.pop(0).close()
    for _ in range(3):
        hear(node)
    files.failed.touch()
    look(node)
    assert all(each.has(files.failed) for each in node)
