"""Real local runs: submitit's controller, supervisors, and a stand-in for training."""

import json
import os
import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from launch.local.runner import run_local
from launch.local.starter import Starter
from launch.status.state import State, Status
from launch.status.statuses import read_status
from launch.status.why import why
from launch.store import Experiment, RunsRoot
from launch.store.markers import cancel, uncancel
from launch.store.records import read_record
from launch.submit.local_job import LocalJob, SubmittedJob
from pcm.errors import RefusedError
from pcm.run_dir import write_json
from tests.local.conftest import Launcher, first_attempt, marked_processes, trains, wait_for
from tests.local.launches import make_launch
from tests.webhook import SECRET, Listener, command_lines

StartLauncher = Callable[[int], Launcher]


def ignore(statuses: Mapping[str, Status]) -> None:
    """Draw nothing."""


def states(statuses: Mapping[str, Status]) -> list[State]:
    return [status.state for status in statuses.values()]


def supervisor_pid(experiment: Experiment, rank: int) -> int:
    # Rank 0 may train before the supervisor of another has written of itself.
    record = wait_for(lambda: read_record(first_attempt(experiment).supervisor(rank)))
    return int(record["pid"])


def test_a_queue_of_two_ranks_each_runs_to_its_end(root: Path) -> None:
    experiments = make_launch(root, ["a", "b", "c"], world_size=2)
    seen: list[list[State]] = []
    run = run_local(experiments, 2, lambda statuses: seen.append(states(statuses)))
    assert list(run.statuses) == [experiment.id for experiment in experiments]
    assert states(run.statuses) == [State.DONE] * 3
    assert not run.is_interrupted
    assert max(picture.count(State.RUNNING) for picture in seen) == 2
    assert seen[0] == [State.RUNNING, State.RUNNING, State.PENDING]
    assert list((root / "queues").iterdir()) == []
    assert list(experiments[0].launch.jobs.iterdir()) == []
    for experiment in experiments:
        files = first_attempt(experiment)
        assert "rank 1 of attempt 1" in files.log(1).read_text()
        assert read_record(files.outcome(1))["exit_code"] == 0


def test_what_a_full_disk_keeps_from_starting_waits_and_ends_nothing_that_runs(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiments = make_launch(root, ["a", "b"])
    start = Starter.start
    refused: list[str] = []

    def start_where_there_is_room(*args: Any) -> LocalJob:
        if args[1] is experiments[1] and len(refused) < 3:
            refused.append(args[1].id)
            raise RefusedError(f"can't start experiment {args[1].id}: No space left on device")
        return start(*args)

    monkeypatch.setattr(Starter, "start", start_where_there_is_room)
    run = run_local(experiments, 2, ignore)
    assert states(run.statuses) == [State.DONE] * 2
    assert refused == [experiments[1].id] * 3
    assert (read_status(experiments[0]).attempt, read_status(experiments[1]).attempt) == (1, 1)


def test_training_sees_its_ranks_and_neither_slurm_nor_submitit(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    monkeypatch.delenv("OMP_NUM_THREADS")
    [experiment] = make_launch(root, world_size=2)
    run_local([experiment], 1, ignore)
    log = first_attempt(experiment).log(0).read_text()
    assert "'WORLD_SIZE': '2'" in log
    assert "'SLURM_JOB_ID': None, 'SUBMITIT_EXECUTOR': None" in log
    threads = max(1, len(os.sched_getaffinity(0)) // 2)
    assert f"'OMP_NUM_THREADS': '{threads}'" in log
    assert "working folder" in log


def test_no_secret_is_in_any_file_or_command_line_and_payloads_are_small(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    webhook = Listener(lambda: seen.append(command_lines()))
    monkeypatch.setenv("NEPTUNE_API_TOKEN", "s3cr3t-t0ken")
    monkeypatch.setenv("PCM_NOTIFY_WEBHOOK", webhook.address)
    monkeypatch.setattr(SubmittedJob, "remove_files", lambda _: None)
    [experiment] = make_launch(root)
    record = json.loads(experiment.launch.sweep.read_text())
    write_json(experiment.launch.sweep, {**record, "notify": ["webhook"]})
    run_local([experiment], 1, lambda _: seen.append(command_lines()))
    webhook.close()
    files = [path for path in root.rglob("*") if path.is_file()]
    assert not [path for path in files if b"s3cr3t-t0ken" in path.read_bytes()]
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]
    assert len(webhook.bodies) == 1
    assert any(experiment.id in each for each in seen)
    assert not [each for each in seen if "s3cr3t-t0ken" in each or SECRET in each]
    [payload] = experiment.launch.jobs.glob("*/*_submitted.pkl")
    assert payload.stat().st_size < 1000
    assert b"launch.supervisor" in payload.read_bytes()


def test_a_failing_rank_ends_the_others_and_is_the_reason(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_FAIL", "1")
    [experiment] = make_launch(root, world_size=2)
    run = run_local([experiment], 1, ignore)
    assert run.statuses[experiment.id].state is State.FAILED
    assert run.statuses[experiment.id].detail == "rank 1: ValueError: no such digit: 11"
    reason = why(experiment.run_dir)
    assert reason is not None
    assert reason.rank == 1
    assert "ValueError: no such digit: 11" in reason.text


def test_a_killed_rank_is_the_reason_and_leaves_no_workers(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_KILLED", "1")
    monkeypatch.setenv("STAND_IN_WORKER", "1")
    [experiment] = make_launch(root, world_size=2)
    run = run_local([experiment], 1, ignore)
    assert run.statuses[experiment.id].state is State.FAILED
    assert run.statuses[experiment.id].detail == "rank 1: killed by SIGKILL"


def test_ranks_that_wait_for_a_failed_one_for_ever_are_killed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_DEAF", "1")
    monkeypatch.setenv("STAND_IN_KILLED", "0")
    [experiment] = make_launch(root, world_size=2)
    run = run_local([experiment], 1, ignore)
    assert run.statuses[experiment.id].detail == "rank 0: killed by SIGKILL"
    assert read_record(first_attempt(experiment).outcome(1))["killed"] is True


def test_an_end_without_a_word_is_a_failure(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_SILENT", "0")
    [experiment] = make_launch(root)
    run = run_local([experiment], 1, ignore)
    assert run.statuses[experiment.id].state is State.FAILED
    assert "without a word" in run.statuses[experiment.id].detail


def test_a_command_that_does_not_exist_is_a_failure(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PCM_PYTHON", "'/no such/python'")
    [experiment] = make_launch(root, world_size=2)
    run = run_local([experiment], 1, ignore)
    assert run.statuses[experiment.id].state is State.FAILED
    assert "/no such/python" in run.statuses[experiment.id].detail


def test_ctrl_c_stops_what_runs_and_drops_what_waits(
    root: Path, start_launcher: StartLauncher
) -> None:
    first, second = make_launch(root, ["a", "b"], world_size=2)
    launcher = start_launcher(1)
    wait_for(lambda: trains(first))
    launcher.interrupt()
    result = launcher.result()
    assert result["is_interrupted"]
    assert result["states"] == {first.id: "stopped", second.id: "new"}
    assert read_record(first_attempt(first).stop)["reason"] == "interrupt"

    run = run_local([first, second], 2, ignore)
    assert states(run.statuses) == [State.DONE, State.DONE]
    stopped_at = read_record(first_attempt(first).stopped)["step"]
    assert 0 < stopped_at < 20
    assert read_record(first.run_dir.attempt(2).finished)["step"] == 20


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_polite_signals_are_as_ctrl_c(
    root: Path, start_launcher: StartLauncher, number: signal.Signals
) -> None:
    [experiment] = make_launch(root, world_size=2)
    launcher = start_launcher(1)
    wait_for(lambda: trains(experiment))
    os.kill(launcher.process.pid, number)
    os.kill(launcher.process.pid, number)
    assert launcher.result()["states"] == {experiment.id: "stopped"}
    assert first_attempt(experiment).stopped.exists()


def test_ctrl_c_while_jobs_are_starting_loses_none(
    root: Path, start_launcher: StartLauncher
) -> None:
    [experiment] = make_launch(root, world_size=2)
    launcher = start_launcher(1)
    wait_for(lambda: list(experiment.launch.path.glob("jobs/*/*_submitted.pkl")))
    launcher.interrupt()
    assert launcher.result()["states"] == {experiment.id: "stopped"}


def test_a_second_ctrl_c_kills(
    root: Path, start_launcher: StartLauncher, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_DEAF", "1")
    monkeypatch.setenv("STAND_IN_WORKER", "1")
    [experiment] = make_launch(root, world_size=2)
    launcher = start_launcher(1)
    wait_for(first_attempt(experiment).supervisor(1).exists)
    launcher.interrupt()
    wait_for(first_attempt(experiment).stop.exists)
    with pytest.raises(AssertionError):
        wait_for(lambda: launcher.process.poll() is not None, seconds=1.5)
    launcher.interrupt()
    assert launcher.result()["states"] == {experiment.id: "stopped"}
    assert marked_processes(mark) == []
    assert "killed before" in read_status(experiment).detail


def test_a_killed_launcher_takes_its_experiments_with_it(
    root: Path, start_launcher: StartLauncher, mark: str
) -> None:
    first, second = make_launch(root, ["a", "b"], world_size=2)
    launcher = start_launcher(1)
    wait_for(lambda: trains(first))
    assert read_status(second).state is State.PENDING
    launcher.process.kill()
    launcher.process.wait()
    wait_for(lambda: not marked_processes(mark))
    assert read_status(first).state is State.STOPPED
    assert first_attempt(first).stopped.exists()
    assert read_status(second).state is State.NEW


@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_supervisor_takes_its_training_with_it(
    root: Path, mark: str, rank: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_STEPS", "400")
    monkeypatch.setenv("STAND_IN_WORKER", "1")
    [experiment] = make_launch(root, world_size=2)
    killed: list[int] = []

    def kill(statuses: Mapping[str, Status]) -> None:
        if not killed and trains(experiment):
            killed.append(supervisor_pid(experiment, rank))
            os.kill(killed[0], signal.SIGKILL)

    run = run_local([experiment], 1, kill)
    assert run.statuses[experiment.id].state is State.FAILED
    assert marked_processes(mark) == []
    failed = read_record(first_attempt(experiment).failed)
    assert failed["rank"] == rank
    assert failed["message"] == "its supervisor was killed"


def test_a_killed_controller_does_not_end_its_experiment(root: Path) -> None:
    [experiment] = make_launch(root, world_size=2)
    killed: list[int] = []

    def kill(statuses: Mapping[str, Status]) -> None:
        if not killed and trains(experiment):
            supervisor = psutil.Process(supervisor_pid(experiment, 0))
            killed.append(supervisor.ppid())
            os.kill(killed[0], signal.SIGKILL)

    run = run_local([experiment], 1, kill)
    assert killed
    assert run.statuses[experiment.id].state is State.DONE


def test_an_error_while_drawing_leaves_nothing_running(root: Path, mark: str) -> None:
    [experiment] = make_launch(root, world_size=2)

    def draw(statuses: Mapping[str, Status]) -> None:
        if trains(experiment):
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        run_local([experiment], 1, draw)
    assert marked_processes(mark) == []
    assert read_status(experiment).state is State.STOPPED


def test_cancelled_experiments_stop_or_never_start(root: Path) -> None:
    first, second, third = experiments = make_launch(root, ["a", "b", "c"])
    runs = RunsRoot(root)

    def cancel_once(statuses: Mapping[str, Status]) -> None:
        if trains(first):
            cancel(runs, first.id)
            cancel(runs, second.id)

    run = run_local(experiments, 1, cancel_once)
    assert states(run.statuses) == [State.CANCELLED, State.CANCELLED, State.DONE]
    assert first_attempt(first).stopped.exists()
    assert not second.run_dir.path.exists()
    assert not run.is_interrupted
    assert read_status(third).state is State.DONE

    for experiment in (first, second):
        uncancel(runs, experiment.id)
    assert states(run_local([first, second], 2, ignore).statuses) == [State.DONE, State.DONE]


def test_an_experiment_that_runs_elsewhere_is_refused(
    root: Path, start_launcher: StartLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    [experiment] = make_launch(root, world_size=2)
    monkeypatch.setenv("STAND_IN_STEPS", "4000")
    launcher = start_launcher(1)
    wait_for(lambda: trains(experiment))
    run = run_local([experiment], 1, ignore)
    assert run.statuses[experiment.id].state is State.RUNNING
    assert "is running already: attempt 1 on" in run.refused[experiment.id]
    assert not experiment.run_dir.attempt(2).path.exists()
    assert read_status(experiment).state is State.RUNNING
    launcher.interrupt()
    assert launcher.result()["states"] == {experiment.id: "stopped"}


def test_an_experiment_that_another_launcher_has_done_is_done(root: Path) -> None:
    [experiment] = make_launch(root)
    run_local([experiment], 1, ignore)
    run = run_local([experiment], 1, ignore)
    assert run.statuses[experiment.id].state is State.DONE
    assert len(experiment.run_dir.attempts()) == 1


def test_an_experiment_without_room_waits_for_its_gpus(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-aa,GPU-bb,GPU-cc")
    experiments = make_launch(root, ["a", "b"], world_size=2, gpus=2)
    seen: list[list[State]] = []
    run = run_local(experiments, 2, lambda statuses: seen.append(states(statuses)))
    assert states(run.statuses) == [State.DONE] * 2
    assert max(picture.count(State.RUNNING) for picture in seen) == 1
    assert threading.active_count() == 1
