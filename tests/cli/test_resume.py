"""`pcm resume`, `pcm cancel` and `pcm sync`."""

import shlex
import sys
from pathlib import Path

import pytest

from launch.machine.processes import Process
from launch.status.state import State
from launch.status.statuses import read_statuses
from launch.store.local_queues import announced_queue
from launch.store.markers import cancel
from pcm.errors import ExitCode
from tests.cli.conftest import Pcm, Runs
from tests.cli.test_launch import FakeRunner, runner, with_trainer

__all__ = ["runner"]


@pytest.fixture
def mixed(runs: Runs) -> Runs:
    """Done, failed, cancelled, never started."""
    runs.finish(0)
    runs.fail(1, "no")
    runs.attempt(2)
    cancel(runs.store.root, runs.experiments[2].id)
    return runs


def states(runs: Runs) -> list[State]:
    statuses = read_statuses(runs.experiments)
    return [statuses[each.id].state for each in runs.experiments]


def test_the_states_are_what_these_tests_need(mixed: Runs) -> None:
    assert states(mixed) == [State.DONE, State.FAILED, State.CANCELLED, State.NEW]


def test_a_sweep_resumes_all_that_is_not_done(pcm: Pcm, mixed: Runs, runner: FakeRunner) -> None:
    result = pcm("resume", "small")
    assert result.exit_code == 0, result.output
    assert f"{mixed.experiments[0].id} {mixed.experiments[0].name}: done, left" in result.stdout
    [(names, _parallel, checkpoint)] = runner.calls
    assert names == [each.name for each in mixed.experiments[1:]]
    assert checkpoint is None


def test_what_was_cancelled_is_so_no_more(pcm: Pcm, mixed: Runs, runner: FakeRunner) -> None:
    marker = mixed.store.root.cancelled(mixed.experiments[2].id)
    assert marker.exists()
    assert pcm("resume", mixed.experiments[2].id).exit_code == 0
    assert not marker.exists()


def test_only_what_failed(pcm: Pcm, mixed: Runs, runner: FakeRunner) -> None:
    assert pcm("resume", "small", "--failed").exit_code == 0
    assert runner.calls[0][0] == [mixed.experiments[1].name]


def test_a_checkpoint_may_be_named(pcm: Pcm, mixed: Runs, runner: FakeRunner) -> None:
    assert pcm("resume", mixed.experiments[1].id, "--checkpoint", "best").exit_code == 0
    assert runner.calls[0][2] == "best"


def test_a_checkpoint_that_is_not_there_changes_nothing(
    pcm: Pcm, mixed: Runs, runner: FakeRunner
) -> None:
    result = pcm("resume", mixed.experiments[2].id, "--checkpoint", "epoch=9-step=9")
    assert result.exit_code == 5
    assert "has no checkpoint 'epoch=9-step=9'" in result.stderr
    assert not runner.calls
    assert states(mixed)[2] is State.CANCELLED


def test_several_ids(pcm: Pcm, mixed: Runs, runner: FakeRunner) -> None:
    ids = [mixed.experiments[3].id, mixed.experiments[1].id]
    assert pcm("resume", *ids, "--max-parallel", "2").exit_code == 0
    assert runner.calls[0][:2] == ([mixed.experiments[3].name, mixed.experiments[1].name], 2)


def test_nothing_to_resume(pcm: Pcm, mixed: Runs, runner: FakeRunner) -> None:
    result = pcm("resume", mixed.experiments[0].id)
    assert result.exit_code == 0
    assert result.stdout.endswith("Nothing to resume.\n")
    assert not runner.calls


def test_a_resume_that_fails_again(pcm: Pcm, mixed: Runs, runner: FakeRunner) -> None:
    runner.state = State.FAILED
    assert pcm("resume", mixed.experiments[1].id).exit_code == 1


def test_what_runs_is_refused_by_the_name_of_what_has_it(
    pcm: Pcm, mixed: Runs, runner: FakeRunner
) -> None:
    us = Process.current()
    mixed.attempt(1, **us.record())
    result = pcm("resume", mixed.experiments[1].id)
    assert result.exit_code == 4
    assert f"it runs: attempt 2 on {us.host}, process {us.pid}\n" in result.stderr
    assert "Nothing to resume" not in result.output
    assert not runner.calls


def test_what_waits_is_refused_by_the_name_of_what_it_waits_for(
    pcm: Pcm, mixed: Runs, runner: FakeRunner
) -> None:
    us = Process.current()
    with announced_queue(mixed.store.root, [mixed.experiments[1].id]):
        result = pcm("resume", mixed.experiments[1].id)
    assert result.exit_code == 4
    assert f"it waits for process {us.pid} on {us.host}\n" in result.stderr


def test_of_several_those_that_are_free_are_resumed(
    pcm: Pcm, mixed: Runs, runner: FakeRunner
) -> None:
    mixed.attempt(1, **Process.current().record())
    result = pcm("resume", "small")
    assert result.exit_code == 4
    assert result.stderr.count("is not resumed") == 1
    assert runner.calls[0][0] == [each.name for each in mixed.experiments[2:]]


def test_a_choice_of_states_asks_for_nothing_that_runs(
    pcm: Pcm, mixed: Runs, runner: FakeRunner
) -> None:
    mixed.attempt(2, **Process.current().record())
    result = pcm("resume", "small", "--failed")
    assert result.exit_code == 0, result.output
    assert f"{mixed.experiments[2].name}: running, left as it is" in result.stdout


def test_what_somebody_else_was_faster_with_is_refused(
    pcm: Pcm, mixed: Runs, runner: FakeRunner
) -> None:
    slow = mixed.experiments[1]
    runner.state, runner.refused = State.RUNNING, {slow.id: "experiment 3f2a is running already"}
    result = pcm("resume", slow.id)
    assert result.exit_code == 4
    assert "not started: experiment 3f2a is running already" in result.stderr
    assert "not done" not in result.stderr


def test_cancelling_needs_a_yes(pcm: Pcm, mixed: Runs) -> None:
    result = pcm("cancel", "small")
    assert result.exit_code == 2
    assert states(mixed)[3] is State.NEW


def test_cancelling_leaves_alone_what_is_done(pcm: Pcm, mixed: Runs) -> None:
    result = pcm("cancel", "small", "--yes")
    assert result.exit_code == 0
    assert "Cancelled 2 experiments." in result.stdout
    assert states(mixed) == [State.DONE, State.CANCELLED, State.CANCELLED, State.CANCELLED]


def test_nothing_to_cancel(pcm: Pcm, mixed: Runs) -> None:
    result = pcm("cancel", mixed.experiments[0].id)
    assert (result.exit_code, result.stdout) == (0, "Nothing to cancel.\n")


def test_cancelled_experiments_are_not_launched_again(
    pcm: Pcm, mixed: Runs, runner: FakeRunner
) -> None:
    assert pcm("launch", "small.yaml", "--executor", "local", "--yes").exit_code == 0
    assert mixed.experiments[2].name not in runner.calls[0][0]


def test_metrics_are_sent_of_what_has_started(pcm: Pcm, mixed: Runs) -> None:
    result = pcm("sync", "small")
    assert result.exit_code == 4
    assert result.stdout == f"{mixed.experiments[3].id}: not started\n"
    lines = result.stderr.splitlines()
    assert [line.partition(": error: ")[0] for line in lines] == [
        each.id for each in mixed.experiments[:3]
    ]
    assert all("asks for no tracker" in line for line in lines)
    result = pcm("sync", "small", "--to", "tensorboard")
    assert result.exit_code == 0
    assert result.stdout.count(": sent ") == 3


STAND_IN = """
import sys
words = sys.argv[1:]
if "--each" not in words:
    print("sent 7 points")
elif OLD:
    sys.exit(2)
else:
    names = sys.stdin.read().split()
    print('{"code": 0, "sent": ["sent 1 points"], "errors": []}', flush=True)
    print("out of luck", file=sys.stderr)
    sys.exit(len(names) and 7)
"""


@pytest.mark.parametrize("old", [True, False])
def test_what_sends_may_be_old_or_end_too_early(
    pcm: Pcm, mixed: Runs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, old: bool
) -> None:
    program = tmp_path / "program.py"
    program.write_text(f"OLD = {old}{STAND_IN}")
    monkeypatch.setenv("PCM_PYTHON", shlex.join([sys.executable, str(program)]))
    result = pcm("sync", "small")
    said = result.stdout + result.stderr
    if old:
        assert result.exit_code == 0
        assert said.count("sent 7 points") == 3
    else:
        # One sent, one lost with the process, and the third by another process.
        assert result.exit_code == 4
        assert said.count("sent 1 points") == 2
        assert said.count("ended with exit code 7: out of luck") == 1


def test_finished_experiments_are_carried_to_another_tracker(pcm: Pcm, mixed: Runs) -> None:
    done = mixed.experiments[0]
    assert pcm("sync", done.id, "--to", "tensorboard", "--follow").exit_code == 0
    assert list((done.run_dir.path / "tensorboard").iterdir())


def test_nothing_is_sent_to_a_tracker_that_nobody_knows(pcm: Pcm, mixed: Runs) -> None:
    result = pcm("sync", mixed.experiments[0].id, "--to", "mlflaw")
    assert result.exit_code == 2
    assert "mlflaw" in result.stderr


@pytest.mark.parametrize("gpus", [1, 2])
def test_what_insists_on_gpus_is_not_resumed_here_without_them(
    pcm: Pcm, project: Path, runner: FakeRunner, monkeypatch: pytest.MonkeyPatch, gpus: int
) -> None:
    with_trainer(project, accelerator="gpu")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    asked = ("--gpus-per-node", str(gpus))
    pcm("launch", "small.yaml", "--executor", "local", "--yes", *asked)
    launched = runner.calls.pop()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0" if gpus == 2 else "")
    refused = pcm("resume", "small")
    assert refused.exit_code == ExitCode.CONFIG_INVALID
    needs = "needs 2 GPUs, and this machine shows 1" if gpus == 2 else "needs 1 GPU, and"
    assert f"{launched[0][0]}: trainer.accelerator: {needs}" in refused.stderr
    assert refused.stderr.count("insists") == 0
    assert not runner.calls
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert pcm("resume", "small").exit_code == 0
    assert runner.calls[0][0] == launched[0]
