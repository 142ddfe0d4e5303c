"""Several processes that draw from one list at the same moment, as allocations on many nodes do."""

import multiprocessing
import random
import time
from collections import Counter
from dataclasses import asdict, replace
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from launch.pack import drawing
from launch.pack.drawing import Drawing
from launch.site import Pack
from launch.store.claims import Claims, Hold
from launch.store.submissions import SubmissionDir, read_submission
from launch.supervisor.job import Job
from pcm.run_dir import write_json
from tests.local.launches import make_launch

DRAWERS, EXPERIMENTS = 4, 80

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Claims:
    """Of an array whose allocations all begin with the same experiment."""
    monkeypatch.setattr(drawing, "PAUSE_S", 0.0)
    monkeypatch.setattr(drawing, "PAUSE_PER_TASK_S", 0.0)
    experiments = make_launch(tmp_path, [f"point {number}" for number in range(EXPERIMENTS)])
    files = SubmissionDir(experiments[0].launch.submissions / "token")
    files.path.mkdir(parents=True)
    pack = asdict(Pack(per_job=EXPERIMENTS))
    ids = [each.id for each in experiments]
    write_json(files.intent, {"array": ids, "time": time.time(), "pack": pack})
    submission = read_submission(files)
    assert submission is not None
    return Claims(submission)


def draw_all(claims: Claims, number: int, begin: Barrier, done: Path) -> None:
    """Draw until all are over; one in five that it gets is given back, the rest written down."""
    chance = random.Random(number)
    job = replace(Job.in_this_process(None), id=f"7_{number}", key=f"7_{number}-0", token="token")
    own = Drawing(claims, job, 0)
    begin.wait()
    with done.open("w") as stream:
        while len(claims.over()) < EXPERIMENTS:
            draw = own.next()
            if draw is not None and chance.random() < 0.2:
                own.give_back(draw)
            elif draw is not None:
                print(draw.id, draw.number, file=stream)
                own.close(draw)


def test_each_is_done_once_whoever_wants_it(claims: Claims, tmp_path: Path) -> None:
    begin = FORK.Barrier(DRAWERS)
    logs = [tmp_path / f"done by {number}" for number in range(DRAWERS)]
    drawers = [
        FORK.Process(target=draw_all, args=(claims, number, begin, log))
        for number, log in enumerate(logs)
    ]
    for each in drawers:
        each.start()
    for each in drawers:
        each.join(60)
    assert [each.exitcode for each in drawers] == [0] * DRAWERS
    done = Counter(line.split()[0] for log in logs for line in log.read_text().splitlines())
    assert done == Counter(claims.submission.array)
    assert {each.hold for each in claims.standings(0).values()} == {Hold.OVER}
    # More than one got some, or nothing was tried here.
    assert sum(bool(log.read_text()) for log in logs) > 1
