"""A sweep that is launched, resumed and handed over again: no more run at once than may."""

import random
from pathlib import Path

import pytest

from launch.site import Pack
from launch.store import LaunchDir, RunsRoot
from launch.store.submissions import Submission, SubmissionDir
from launch.submit.throttling import arrays_before
from pcm.run_dir import write_json


def handed_over(
    folder: Path, job: int, ids: list[str], parallel: int | None, pack: Pack | None = None
) -> Submission:
    launch = LaunchDir(RunsRoot(folder).sweeps / "sweep" / "LAUNCH")
    files = SubmissionDir(launch.submissions / f"token{job}")
    files.path.mkdir(parents=True)
    write_json(files.outcome, {"job_id": str(job), "reason": ""})
    return Submission(files, tuple(ids), float(job), None, parallel=parallel, pack=pack)


class Queue:
    """A Slurm with room for everything that may begin."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.limit = limit
        self._folder = folder
        self._arrays: dict[str, Submission] = {}
        self._before: dict[str, list[str]] = {}
        self._left: dict[str, list[str]] = {}

    def hand_over(self, ids: list[str]) -> None:
        queued = {name: self._arrays[job] for job, left in self._left.items() for name in left}
        before = arrays_before(len(ids), self.limit, queued, {"sweep"})
        array = handed_over(self._folder, len(self._arrays) + 1, ids, min(len(ids), self.limit))
        job = str(array.job_id)
        self._arrays[job], self._before[job], self._left[job] = array, before, [*ids]

    def running(self) -> list[tuple[str, str]]:
        """Job and experiment of all tasks that run."""
        return [
            (job, name)
            for job, left in self._left.items()
            if not any(self._left[each] for each in self._before[job])
            for name in left[: self._arrays[job].parallel]
        ]

    def end(self, job: str, name: str) -> None:
        self._left[job].remove(name)


@pytest.mark.parametrize("seed", range(20))
def test_no_more_run_at_once_than_may(tmp_path: Path, seed: int) -> None:
    chosen = random.Random(seed)
    queue, count = Queue(tmp_path, chosen.randint(1, 5)), 0
    for _ in range(60):
        if chosen.random() < 0.3:
            size = chosen.choice([1, 1, 2, 7])
            queue.hand_over([str(count + index) for index in range(size)])
            count += size
        elif running := queue.running():
            queue.end(*chosen.choice(running))
        assert len(queue.running()) <= queue.limit
    while running := queue.running():
        assert len(running) <= queue.limit
        queue.end(*running[0])
    assert not any(queue._left.values()), "what waits for itself never begins"


def test_one_is_let_in_where_there_is_room(tmp_path: Path) -> None:
    array = handed_over(tmp_path, 1, ["a", "b", "c"], 3)
    assert arrays_before(1, 3, {"a": array, "b": array}, {"sweep"}) == []
    assert arrays_before(1, 2, {"a": array, "b": array}, {"sweep"}) == ["1"]
    assert arrays_before(1, None, {"a": array, "b": array}, {"sweep"}) == []
    assert arrays_before(1, 2, {"a": array, "b": array}, {"another"}) == []


def test_of_a_pack_any_allocation_may_still_run(tmp_path: Path) -> None:
    array = handed_over(tmp_path, 1, ["a", "b", "c", "d"], None, Pack(per_job=2))
    assert arrays_before(1, 3, {"a": array}, {"sweep"}) == []
    assert arrays_before(1, 2, {"a": array}, {"sweep"}) == ["1"]
