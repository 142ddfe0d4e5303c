"""Signs of life in files, and who falls silent."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from launch.supervisor.heartbeat import LOOKS, Watch, beat, next_rank
from launch.supervisor.job import Job
from pcm.run_dir import AttemptDir, RunDir, write_json


@pytest.fixture
def files(tmp_path: Path) -> AttemptDir:
    files = RunDir(tmp_path / "an experiment").attempt(1)
    files.path.mkdir(parents=True)
    return files


def looks(watch: Watch, count: int) -> list[bool]:
    return [watch.is_silent() for _ in range(count)]


def test_silence_is_so_many_looks_without_news(files: AttemptDir) -> None:
    write_json(files.supervisor(1), {})
    assert looks(Watch(files, 1), LOOKS + 2) == [False] * LOOKS + [True] * 2


def test_a_sign_of_life_starts_the_count_again(files: AttemptDir) -> None:
    write_json(files.supervisor(1), {})
    watch = Watch(files, 1)
    assert not any(looks(watch, LOOKS))
    # A clock that is wrong by years, and goes backwards, counts as well as any.
    os.utime(files.supervisor(1), (1.0, 1.0))
    assert not any(looks(watch, LOOKS))
    before = files.supervisor(1).stat().st_mtime_ns
    beat(files, 1)
    assert files.supervisor(1).stat().st_mtime_ns != before
    assert looks(watch, LOOKS + 1) == [False] * LOOKS + [True]


def test_who_has_not_begun_or_has_ended_is_not_missed(files: AttemptDir) -> None:
    watch = Watch(files, 1)
    assert not any(looks(watch, 3 * LOOKS))
    beat(files, 1)
    assert not files.supervisor(1).exists()
    write_json(files.supervisor(1), {})
    write_json(files.outcome(1), {})
    assert not any(looks(watch, 3 * LOOKS))


def test_several_nodes_are_a_ring_and_one_needs_none(files: AttemptDir, job: Job) -> None:
    wide = replace(job, world_size=4, local_world_size=2)
    watched = [next_rank(files, replace(wide, rank=rank)) for rank in range(4)]
    assert [watch.rank for watch in watched if watch is not None] == [1, 2, 3, 0]
    assert next_rank(files, job) is None
