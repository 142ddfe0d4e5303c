"""Experiments in the queues, from submissions as they are written down."""

import os
import time
import uuid
from contextlib import suppress
from pathlib import Path

import pytest

from launch.machine.processes import Process
from launch.slurm.queue import NOT_ASKED, Queue, Task
from launch.status.derive import Phase
from launch.status.queues import newest_hand_overs, queue_for, read_places
from launch.status.state import State
from launch.status.statuses import read_status, read_statuses
from launch.store import Experiment, LaunchDir, RunsRoot
from launch.store.refusals import recorded_refusal
from launch.store.submissions import SubmissionDir
from pcm.errors import RefusedError
from pcm.run_dir import AttemptDir, write_json
from tests.local.launches import make_launch

SILENT = Queue(is_known=False, trouble="no contact")


@pytest.fixture
def experiments(tmp_path: Path) -> list[Experiment]:
    return make_launch(tmp_path / "runs of 'é'", names=("a", "b", "c"))


def hand_over(
    experiments: list[Experiment], job: str | None, *, settled: bool = True, when: float = 100.0
) -> SubmissionDir:
    """An array of these experiments."""
    launch: LaunchDir = experiments[0].launch
    files = SubmissionDir(launch.submissions / uuid.uuid4().hex)
    files.path.mkdir(parents=True)
    write_json(files.intent, {"array": [each.id for each in experiments], "time": when})
    if settled:
        write_json(files.outcome, {"job_id": job, "reason": ""})
    return files


def queue(*tasks: Task) -> Queue:
    return Queue({task.id: task for task in tasks})


def attempt(experiment: Experiment, key: str, number: int = 1, **facts: object) -> AttemptDir:
    files = experiment.run_dir.attempt(number)
    files.path.mkdir(parents=True)
    process = Process.current().record() | {"process_started": "1"}
    job = {"executor": "slurm", "job_id": key.rpartition("-")[0], "key": key, "world_size": 1}
    write_json(files.attempt, {**process, **job, "started": 200.0, **facts})
    return files


def states(experiments: list[Experiment], found: Queue) -> list[State]:
    return [status.state for status in read_statuses(experiments, found).values()]


def test_each_task_of_an_array_is_an_experiment(experiments: list[Experiment]) -> None:
    hand_over(experiments, "7")
    found = queue(Task("7_0", "RUNNING"), Task("7_1", "PENDING", start=9e9, reason="Priority"))
    assert states(experiments, found) == [State.RUNNING, State.PENDING, State.CANCELLED]
    waiting = read_statuses(experiments, found)[experiments[1].id]
    assert (waiting.job, waiting.expected_start) == ("7_1", 9e9)
    assert "Priority" in waiting.detail


def test_what_was_never_handed_over_is_nowhere(experiments: list[Experiment]) -> None:
    assert states(experiments, queue()) == [State.NEW] * 3
    hand_over(experiments, None)
    assert states(experiments, queue()) == [State.NEW] * 3, "Slurm didn't take it"
    assert queue_for(experiments) is NOT_ASKED


def test_the_newest_job_counts(experiments: list[Experiment]) -> None:
    hand_over(experiments, "9", when=300.0)
    hand_over(experiments, "7", when=100.0)
    handed_over = newest_hand_overs(RunsRoot(experiments[0].launch.root), [experiments[1].id])
    assert {key: each.task_id(NOT_ASKED) for key, each in handed_over.items()} == {
        experiments[1].id: "9_1"
    }


def test_an_array_whose_launcher_died_is_found_by_its_token(experiments: list[Experiment]) -> None:
    files = hand_over(experiments, None, settled=False)
    assert states(experiments, queue()) == [State.NEW] * 3
    found = queue(Task("8_0", "PENDING", token=files.token), Task("8_1", "RUNNING"))
    assert states(experiments, found) == [State.PENDING, State.RUNNING, State.CANCELLED]


def test_a_job_that_is_handed_over_in_the_place_of_another(experiments: list[Experiment]) -> None:
    hand_over(experiments[:1], "7")
    files = attempt(experiments[0], "7_0-0")
    write_json(files.stopped, {"step": 3})
    verdict = {"reason": "time_limit", "comes_back": True, "is_sent_back": False, "detail": "no"}
    write_json(files.verdict, verdict)
    ended = queue(Task("7_0", "COMPLETED"))
    assert states(experiments[:1], ended) == [State.STOPPED]
    new = hand_over(experiments[:1], None, settled=False, when=300.0)
    assert states(experiments[:1], ended) == [State.REQUEUED]
    write_json(new.outcome, {"job_id": "8", "reason": ""})
    assert states(experiments[:1], queue(Task("8_0", "PENDING"))) == [State.PENDING]


def test_a_running_attempt_lives_as_long_as_its_job(experiments: list[Experiment]) -> None:
    hand_over(experiments, "7")
    attempt(experiments[0], "7_0-1")
    assert states(experiments[:1], queue(Task("7_0", "RUNNING", 1))) == [State.RUNNING]
    assert states(experiments[:1], queue(Task("7_0", "COMPLETING", 1))) == [State.RUNNING]
    assert states(experiments[:1], queue(Task("7_0", "PENDING", 2))) == [State.REQUEUED]
    assert states(experiments[:1], queue(Task("7_0", "NODE_FAIL", 1))) == [State.LOST]
    assert states(experiments[:1], queue()) == [State.LOST]
    starting = read_status(experiments[0], queue(Task("7_0", "RUNNING", 2)))
    assert (starting.state, starting.detail) == (State.RUNNING, "starting")


def test_one_that_slurm_has_forgotten_runs_as_long_as_its_processes_do(
    experiments: list[Experiment],
) -> None:
    hand_over(experiments, "7")
    attempt(experiments[0], "7_0-0", **Process.current().record())
    elsewhere = attempt(experiments[1], "7_1-0", host="another-machine")
    write_json(elsewhere.progress, {"step": 3})
    assert states(experiments[:2], queue()) == [State.RUNNING] * 2
    assert "does not know its job 7_0" in read_status(experiments[0], queue()).detail
    os.utime(elsewhere.progress, (1, 1))
    assert states(experiments[:2], queue()) == [State.RUNNING, State.LOST]


def test_an_id_that_slurm_gave_out_twice_is_another_job(experiments: list[Experiment]) -> None:
    files = hand_over(experiments, "7")
    attempt(experiments[0], "7_0-0", token=files.token)
    reused = [Task("7_0", "RUNNING", token="f" * 32), Task("7_1", "PENDING", token="f" * 32)]
    assert states(experiments[:2], queue(*reused)) == [State.LOST, State.LOST]
    ours = [task._replace(token=files.token) for task in reused]
    assert states(experiments[:2], queue(*ours)) == [State.RUNNING, State.PENDING]


def test_what_started_after_the_list_was_made_is_not_taken_for_requeued(
    experiments: list[Experiment],
) -> None:
    hand_over(experiments, "7")
    attempt(experiments[0], "7_0-0", **Process.current().record())
    assert states(experiments[:1], queue(Task("7_0", "PENDING", 0))) == [State.RUNNING]


def test_without_an_answer_the_files_tell(experiments: list[Experiment]) -> None:
    hand_over(experiments, "7")
    attempt(experiments[0], "7_0-0", host="another-machine")
    failed = attempt(experiments[1], "7_1-0")
    write_json(failed.failed, {"rank": 0, "exit_code": 1, "signal": None})
    write_json(failed.outcome(0), {"exit_code": 1})
    assert states(experiments, SILENT) == [State.RUNNING, State.FAILED, State.PENDING]
    assert "does not answer" in read_status(experiments[2], SILENT).detail


def test_a_job_that_made_no_attempt_says_why(experiments: list[Experiment]) -> None:
    files = hand_over(experiments, "7")
    experiments[0].launch.jobs.mkdir()
    write_json(
        experiments[0].launch.jobs / "refused-7_0-0.json", {"message": "is made for 2 ranks"}
    )
    (files.path / "7_1_0_log.out").write_text("no such interpreter")
    (files.path / "7_10_0_log.out").write_text("another's")
    first, second, third = read_statuses(experiments, queue()).values()
    assert (first.state, first.detail) == (State.FAILED, "is made for 2 ranks")
    assert second.state is State.FAILED
    assert "7_1_0_log.out" in second.detail
    assert third.state is State.LOST


def test_a_job_of_several_ranks_that_made_no_attempt_says_why(
    experiments: list[Experiment],
) -> None:
    files = hand_over(experiments, "7")
    experiments[0].launch.jobs.mkdir()
    with suppress(RefusedError), recorded_refusal(experiments[0].launch, "7_0-0"):
        raise RefusedError("is made for 2 ranks")
    files.rank_folder(0).mkdir()
    (files.rank_folder(0) / "7_1_0_log.out").write_text("no such interpreter")
    first, second, third = read_statuses(experiments, queue()).values()
    assert (first.state, first.detail) == (State.FAILED, "is made for 2 ranks")
    assert second.detail.endswith(f"see {files.rank_folder(0)}/7_1_0_log.out")
    assert third.state is State.LOST


def test_one_that_went_on_elsewhere_is_not_held_by_its_old_job(
    experiments: list[Experiment],
) -> None:
    hand_over(experiments, "7", when=100.0)
    local = attempt(experiments[0], "x", executor="local", job_id="123", started=time.time())
    write_json(local.stop, {"reason": "interrupt"})
    write_json(local.stopped, {"step": 3})
    write_json(local.outcome(0), {"exit_code": 75})
    for found in (queue(), SILENT, NOT_ASKED):
        assert states(experiments[:1], found) == [State.STOPPED]
    assert states(experiments[:1], queue(Task("7_0", "PENDING"))) == [State.PENDING]


def test_a_local_launchers_queue_comes_first(experiments: list[Experiment]) -> None:
    from launch.store.local_queues import announced_queue

    root = RunsRoot(experiments[0].launch.root)
    with announced_queue(root, [experiments[0].id]):
        place = read_places(root, [experiments[0].id]).of(experiments[0].id, None)
    assert place is not None
    assert (place.phase, place.job) == (Phase.WAITING, None)
