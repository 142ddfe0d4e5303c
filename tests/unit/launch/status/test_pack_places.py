"""Experiments of packs in the queue: any task of their array may have them."""

import time
from dataclasses import asdict
from pathlib import Path

import pytest

from launch.machine.processes import Process
from launch.site import Pack
from launch.slurm.queue import Queue, Task
from launch.status.state import State, Status
from launch.status.statuses import read_statuses
from launch.store import Experiment, RunsRoot
from launch.store.claims import Claims, Standing
from launch.store.submissions import SubmissionDir, read_submission
from launch.submit.cancelling import cancel_all
from launch.submit.sweep import in_slurm
from pcm.run_dir import AttemptDir, write_json
from tests.local.launches import make_launch
from tests.unit.launch.submit.conftest import Fake, fake

__all__ = ["fake"]

KEY = "7_0-one-0"

TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def experiments(tmp_path: Path) -> list[Experiment]:
    return make_launch(tmp_path / "runs", names=("a", "b", "c", "d"))


@pytest.fixture
def claims(experiments: list[Experiment]) -> Claims:
    """Four experiments that two jobs draw, handed over an hour ago."""
    files = SubmissionDir(experiments[0].launch.submissions / TOKEN)
    files.path.mkdir(parents=True)
    when = time.time() - 3600
    array, pack = [each.id for each in experiments], asdict(Pack(2))
    write_json(files.intent, {"array": array, "time": when, "pack": pack})
    write_json(files.outcome, {"job_id": "7", "reason": "", "time": when})
    submission = read_submission(files)
    assert submission is not None
    return Claims(submission)


def attempt(experiment: Experiment, job: str = "7_0", **facts: object) -> AttemptDir:
    files = experiment.run_dir.attempt(1)
    files.path.mkdir(parents=True)
    process = {**Process.current().record(), "process_started": "1"}
    of_job = {"executor": "slurm", "job_id": job, "key": f"{job}-x-0", "is_packed": True}
    write_json(files.attempt, {**process, **of_job, "started": time.time(), **facts})
    return files


def look(experiments: list[Experiment], *states: str) -> list[Status]:
    """Where they stand, with the states of the two jobs."""
    tasks = [Task(f"7_{index}", state, token=TOKEN) for index, state in enumerate(states)]
    queue = Queue({task.id: task for task in tasks})
    return list(read_statuses(experiments, queue).values())


def test_what_waits_for_its_turn_is_pending(experiments: list[Experiment], claims: Claims) -> None:
    first = experiments[0]
    found = look(experiments, "RUNNING", "PENDING")
    assert {each.state for each in found} == {State.PENDING}
    assert found[1].detail == "waits for its turn in job 7"
    assert claims.take(first.id, Standing(), "7_0", KEY) == 1
    [starting, *others] = look(experiments, "RUNNING", "PENDING")
    assert (starting.state, starting.job) == (State.RUNNING, "7_0")
    assert {each.state for each in others} == {State.PENDING}
    # Whatever its own job does, another one may draw it.
    assert look(experiments, "COMPLETED", "PENDING")[1].state is State.PENDING


def test_what_the_jobs_have_left_is_told(experiments: list[Experiment], claims: Claims) -> None:
    claims.take(experiments[0].id, Standing(), "7_0", KEY)
    claims.close(experiments[0].id, 1, "its image is gone")
    found = look(experiments, "COMPLETED", "COMPLETED")
    assert [each.state for each in found] == [State.FAILED] * 4
    assert found[0].detail == "its image is gone"
    assert found[1].detail == "job 7 ended before its turn came"
    # They began, and trained others.
    refused = look(experiments, "FAILED", "OUT_OF_MEMORY")
    assert [each.state for each in refused] == [State.FAILED] * 4
    assert refused[1].detail == "job 7 ended before its turn came: FAILED"
    assert refused[2].detail == "job 7 ended before its turn came: OUT_OF_MEMORY"
    assert look(experiments, "NODE_FAIL", "NODE_FAIL")[1].state is State.LOST
    assert look(experiments, "CANCELLED", "CANCELLED")[1].state is State.CANCELLED


def test_an_end_is_its_own(experiments: list[Experiment], claims: Claims) -> None:
    failed, back, lost, _ = experiments
    write_json(attempt(failed).failed, {"rank": 0, "exit_code": 1})
    given_back = attempt(back)
    write_json(given_back.stopped, {"checkpoint": None, "step": 3, "epoch": 0})
    write_json(given_back.verdict, {"reason": "preempted", "comes_back": True})
    attempt(lost)
    found = look(experiments, "PENDING", "RUNNING")
    states = [State.FAILED, State.REQUEUED, State.REQUEUED, State.PENDING]
    assert [each.state for each in found] == states
    # Its job runs on, and says nothing of one that has died in it.
    claims.take(lost.id, Standing(), "7_0", KEY)
    claims.close(lost.id, 1)
    assert look(experiments, "RUNNING", "RUNNING")[2].state is State.LOST


def test_cancelling_one_leaves_its_job_to_the_others(
    experiments: list[Experiment], claims: Claims, fake: Fake, tmp_path: Path
) -> None:
    rows = [f"7|{index}|PENDING|0|||None|{TOKEN}" for index in range(2)]
    fake("squeue", f"printf '%s\\n' {' '.join(map(repr, rows))}")
    fake("scancel", f'echo "$@" >> {tmp_path}/cancelled')
    root = RunsRoot(experiments[0].launch.root)
    cancel_all(root, [experiments[0].id])
    assert not (tmp_path / "cancelled").exists()
    # So it may be resumed at once, while the others still wait.
    assert set(in_slurm(root)) == {each.id for each in experiments[1:]}
    assert look(experiments, "PENDING", "PENDING")[0].state is State.CANCELLED
    cancel_all(root, [each.id for each in experiments])
    assert in_slurm(root) == {}
    assert (tmp_path / "cancelled").read_text().split()[-1] == "7_[0-1]"
