"""Statuses of run directories in every condition, whole and torn."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from launch.machine.processes import Process
from launch.status.facts import attempt_facts
from launch.status.state import State, Status
from launch.status.statuses import read_status, read_statuses
from launch.store import Experiment, RunsRoot
from launch.store.local_queues import announced_queue
from launch.store.markers import cancel, request_stop, uncancel
from pcm.run_dir import AttemptDir, write_json
from tests.local.launches import make_launch

ELSEWHERE = {"host": "another-machine", "pid": 1, "process_started": "17"}


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    [only] = make_launch(tmp_path / "runs of 'é'", world_size=2)
    return only


def gone() -> dict[str, Any]:
    """This process's id, as another process had it before."""
    return Process.current().record() | {"process_started": "1"}


def attempt(experiment: Experiment, process: dict[str, Any], number: int = 1) -> AttemptDir:
    files = experiment.run_dir.attempt(number)
    files.path.mkdir(parents=True)
    write_json(files.attempt, {"number": number, "world_size": 2, **process})
    return files


def make_old(path: Path) -> None:
    then = time.time() - 10_000
    os.utime(path, (then, then))


def test_nothing_there_is_new(experiment: Experiment) -> None:
    assert read_status(experiment) == Status(State.NEW)


def test_a_living_supervisor_runs_and_its_progress_is_told(experiment: Experiment) -> None:
    files = attempt(experiment, Process.current().record())
    write_json(files.progress, {"epoch": 2, "step": 7, "loss": 0.5, "unknown": 1})
    status = read_status(experiment)
    assert (status.state, status.attempt) == (State.RUNNING, 1)
    assert status.progress is not None
    assert (status.progress.epoch, status.progress.step, status.progress.eta) == (2, 7, None)
    request_stop(files, by="a test", reason="interrupt")
    assert read_status(experiment).state is State.STOPPING


def test_a_process_id_that_was_given_away_again_is_not_alive(experiment: Experiment) -> None:
    attempt(experiment, gone())
    assert read_status(experiment).state is State.LOST


def test_all_outcomes_end_an_attempt_though_its_process_lives_on(experiment: Experiment) -> None:
    """As in a debugging session, where the supervisor is the launcher."""
    files = attempt(experiment, Process.current().record())
    write_json(files.stopped, {})
    write_json(files.outcome(0), {})
    assert read_status(experiment).state is State.RUNNING
    write_json(files.outcome(1), {})
    assert read_status(experiment).state is State.STOPPED


def test_a_failure_that_is_being_told_is_not_lost(experiment: Experiment) -> None:
    """A supervisor tells a rank's outcome first, and that it is the failure of all after that."""
    files = attempt(experiment, Process.current().record())
    for rank in range(2):
        write_json(files.outcome(rank), {"exit_code": 1})
    assert read_status(experiment).state is State.RUNNING
    write_json(files.failed, {"rank": 0, "exit_code": 1})
    assert read_status(experiment).state is State.FAILED


def test_one_that_was_asked_to_stop_has_stopped_once_all_ranks_have_ended(
    experiment: Experiment,
) -> None:
    """As after a second Ctrl-C, in a process that goes on: nothing else will be told."""
    files = attempt(experiment, Process.current().record())
    request_stop(files, by="SIGINT", reason="interrupt")
    for rank in range(2):
        write_json(files.outcome(rank), {"exit_code": 130})
    assert read_status(experiment).state is State.STOPPED


@pytest.mark.parametrize(("word", "state"), [("failed", State.FAILED), ("finished", State.DONE)])
def test_a_word_between_the_look_at_files_and_that_at_processes_counts(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch, word: str, state: State
) -> None:
    files = attempt(experiment, Process.current().record())

    def ends(_: Process) -> bool:
        write_json(getattr(files, word), {"rank": 0})
        return False

    monkeypatch.setattr(Process, "is_alive", property(ends))
    assert read_status(experiment).state is state


def test_the_newest_attempt_counts_by_number(experiment: Experiment) -> None:
    attempt(experiment, gone(), number=9)
    newest = attempt(experiment, gone(), number=10)
    write_json(newest.finished, {})
    status = read_status(experiment)
    assert (status.state, status.attempt) == (State.DONE, 10)


@pytest.mark.parametrize(
    ("finished", "there", "newest"),
    [(1, (1,), 1), (1, (1, 2), 2), (2, (1, 2), 2), (3, (3,), 3), (None, (1,), 1)],
)
def test_a_finished_attempt_is_done_if_it_is_the_newest(
    experiment: Experiment, finished: int | None, there: tuple[int, ...], newest: int
) -> None:
    for number in there:
        files = attempt(experiment, gone(), number=number)
        if number == finished:
            write_json(files.finished, {"step": 9, "epoch": 1})
    status = read_status(experiment)
    assert (status.state is State.DONE, status.attempt) == (newest == finished, newest)


def test_another_machines_attempt_lives_by_its_heartbeat(experiment: Experiment) -> None:
    files = attempt(experiment, ELSEWHERE)
    assert read_status(experiment).state is State.RUNNING
    write_json(files.progress, {"step": 1})
    make_old(files.attempt)
    assert read_status(experiment).state is State.RUNNING
    make_old(files.progress)
    assert read_status(experiment).state is State.LOST
    files.progress.unlink()
    assert read_status(experiment).state is State.LOST


def test_an_attempt_without_a_record_is_starting_and_then_lost(experiment: Experiment) -> None:
    files = experiment.run_dir.attempt(1)
    files.path.mkdir(parents=True)
    assert read_status(experiment).state is State.RUNNING
    make_old(files.path)
    status = read_status(experiment)
    assert status.state is State.LOST
    assert "attempt.json" in status.detail


@pytest.mark.parametrize("text", ["", "{", "[]", "17", "\x00\x01", '{"pid": "x", "host": null}'])
def test_garbage_is_no_crash(experiment: Experiment, text: str) -> None:
    files = attempt(experiment, gone())
    for path in (files.attempt, files.progress, files.failed, files.stop, files.error(0)):
        path.write_text(text)
    make_old(files.path)
    assert read_status(experiment).state in (State.FAILED, State.STOPPED)
    assert attempt_facts(files).failure is not None


@pytest.mark.parametrize("text", ['{"world_size": "2"}', '{"pid": [', "[" * 100_000])
def test_a_damaged_record_is_told_with_its_path(experiment: Experiment, text: str) -> None:
    files = attempt(experiment, gone())
    files.attempt.write_text(text)
    files.progress.write_text('{"step": 7}')
    make_old(files.path)
    status = read_status(experiment)
    assert status.state is State.LOST
    assert f"{files.attempt} is damaged" in status.detail
    assert status.progress is not None
    assert status.progress.step == 7


def test_files_between_the_attempts_are_ignored(experiment: Experiment) -> None:
    write_json(attempt(experiment, gone()).finished, {})
    (experiment.run_dir.attempts_folder / ".nfs0001").touch()
    (experiment.run_dir.attempts_folder / "2-copy").mkdir()
    assert read_status(experiment).state is State.DONE


def test_a_failure_is_told_with_its_exception(experiment: Experiment) -> None:
    files = attempt(experiment, gone())
    write_json(files.failed, {"rank": 0, "exit_code": 1, "signal": None, "message": None})
    assert read_status(experiment).detail == "rank 0: exit code 1"
    write_json(files.error(0), {"type": "OSError", "message": "disk full\nand more"})
    assert read_status(experiment).detail == "rank 0: OSError: disk full"


def test_queued_and_cancelled_experiments(experiment: Experiment) -> None:
    root = RunsRoot(experiment.launch.root)
    with announced_queue(root, [experiment.id]):
        assert read_status(experiment).state is State.PENDING
        assert cancel(root, experiment.id)
        assert not cancel(root, experiment.id)
        assert read_status(experiment).state is State.CANCELLED
        uncancel(root, experiment.id)
        uncancel(root, experiment.id)
        assert read_status(experiment).state is State.PENDING
    assert read_status(experiment).state is State.NEW


def test_cancel_stops_a_running_attempt_and_leaves_an_ended_one(experiment: Experiment) -> None:
    root = RunsRoot(experiment.launch.root)
    ended = attempt(experiment, gone())
    write_json(ended.stopped, {})
    cancel(root, experiment.id)
    assert not ended.stop.exists()
    running = attempt(experiment, Process.current().record(), number=2)
    uncancel(root, experiment.id)
    cancel(root, experiment.id)
    assert running.stop.exists()


def test_many_experiments_are_told_apart(tmp_path: Path) -> None:
    experiments = make_launch(tmp_path, [str(number) for number in range(50)])
    for each in experiments[::2]:
        write_json(attempt(each, gone()).finished, {})
    statuses = read_statuses(experiments)
    assert list(statuses) == [each.id for each in experiments]
    found = [statuses[each.id].state for each in experiments]
    assert found == [State.DONE, State.NEW] * 25


def test_a_stop_that_could_not_be_saved_tells_what_is_lost(experiment: Experiment) -> None:
    files = attempt(experiment, gone())
    request_stop(files, by="a test", reason="interrupt")
    lost = {"saved_step": 4, "unsaved": "No space left on device"}
    write_json(files.stopped, {"checkpoint": "a.ckpt", "step": 8, "epoch": 0, **lost})
    status = read_status(experiment)
    assert status.state is State.STOPPED
    expected = "interrupt; step 8 is lost, back to step 4: No space left on device"
    assert status.detail == expected
