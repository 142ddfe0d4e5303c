"""What rank 0 makes of an attempt's files and of Slurm's answer."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from launch.slurm.controller import JobFacts
from launch.store import Experiment, LaunchDir, RunsRoot
from launch.store.records import read_record
from launch.store.submissions import SubmissionDir
from launch.supervisor import ending as module
from launch.supervisor.attempt import Attempt
from launch.supervisor.ending import check_losses, is_wanted_back, obstacle, settle
from launch.supervisor.job import Job
from launch.supervisor.requeue import FRUITLESS_MOST, Verdict
from pcm.errors import ExitCode, RefusedError
from pcm.run_dir import write_json

PREEMPTED = JobFacts("RUNNING", "None", 0, is_preempted=True, ends=None, memory=None)
CANCELLED = JobFacts("COMPLETING", "None", 0, is_preempted=False, ends=None, memory=None)

Say = Callable[[JobFacts | None], None]


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Say:
    """What Slurm says of any job from now on."""
    return lambda facts: monkeypatch.setattr(module, "read_job", lambda _: facts)


def add_attempt(experiment: Experiment, number: int = 1, **records: Any) -> Attempt:
    """An attempt that left these records."""
    files = experiment.run_dir.attempt(number)
    files.path.mkdir(parents=True)
    write_json(files.attempt, {"job_id": "7_0", "key": f"7_0-{number - 1}"})
    for name, record in records.items():
        write_json(getattr(files, name), record)
    return Attempt(experiment.launch, experiment.run_dir, files, [], [], 1)


def set_resources(experiment: Experiment, **resources: Any) -> None:
    record = {**experiment.record, "resources": resources}
    experiment.launch.points.write_text(json.dumps(record) + "\n")


def test_a_stop_is_settled_with_what_slurm_says(experiment: Experiment, job: Job, say: Say) -> None:
    say(PREEMPTED)
    attempt = add_attempt(experiment, stop={"by": "SIGTERM"}, stopped={"step": 3})
    verdict = settle(experiment.launch, attempt, job)
    assert verdict == Verdict("preempted", comes_back=True, is_ours=True)
    assert read_record(attempt.files.verdict)["reason"] == "preempted"
    assert not RunsRoot(experiment.launch.root).cancelled(experiment.id).exists()


def test_what_was_cancelled_in_slurm_is_cancelled_here(
    experiment: Experiment, job: Job, say: Say
) -> None:
    say(CANCELLED)
    attempt = add_attempt(experiment, stop={"by": "SIGTERM"}, stopped={"step": 3})
    verdict = settle(experiment.launch, attempt, job)
    assert verdict == Verdict("cancel", detail="the job was COMPLETING when the attempt ended")
    assert RunsRoot(experiment.launch.root).cancelled(experiment.id).exists()


def test_what_has_finished_needs_no_verdict(experiment: Experiment, job: Job, say: Say) -> None:
    say(CANCELLED)
    attempt = add_attempt(experiment, stop={"by": "SIGTERM"}, finished={"step": 3})
    assert settle(experiment.launch, attempt, job) is None
    assert not attempt.files.verdict.exists()


def test_former_failures_count(experiment: Experiment, job: Job, say: Say) -> None:
    say(replace(PREEMPTED, is_preempted=False))
    set_resources(experiment, retries=1)
    first = settle(experiment.launch, add_attempt(experiment, 1, failed={"rank": 0}), job)
    second = settle(experiment.launch, add_attempt(experiment, 2, failed={"rank": 0}), job)
    assert first is not None
    assert first.detail == "retry 1 of 1"
    assert second == Verdict("failed")


def test_a_fault_of_the_config_comes_back_by_no_retry(
    experiment: Experiment, job: Job, say: Say
) -> None:
    say(replace(PREEMPTED, is_preempted=False))
    set_resources(experiment, retries=3)
    failed = {"rank": 0, "exit_code": ExitCode.CONFIG_INVALID}
    verdict = settle(experiment.launch, add_attempt(experiment, failed=failed), job)
    assert verdict == Verdict("failed", detail="its config is at fault, and would be again")


@pytest.mark.parametrize("makes_steps", [True, False])
def test_only_attempts_without_a_step_count_as_fruitless(
    experiment: Experiment, job: Job, say: Say, *, makes_steps: bool
) -> None:
    say(PREEMPTED)
    for number in range(1, FRUITLESS_MOST + 1):
        step = {"step": 5 + makes_steps * number}
        attempt = add_attempt(experiment, number, progress=step, stop={"by": "SIGTERM"})
    verdict = settle(experiment.launch, attempt, job)
    assert verdict is not None
    # The first one made its five steps.
    assert verdict.comes_back
    extra = add_attempt(experiment, 20, stopped=step, stop={"by": "SIGTERM"})
    verdict = settle(experiment.launch, extra, job)
    assert verdict is not None
    assert verdict.comes_back is makes_steps


def test_a_sites_retries_hold_where_the_grid_leaves_them_open(
    experiment: Experiment, job: Job, say: Say
) -> None:
    say(replace(PREEMPTED, is_preempted=False))
    shared = experiment.launch.record | {"site_defaults": {"retries": 1, "partition": "gpu"}}
    write_json(experiment.launch.sweep, shared)
    launch = LaunchDir(experiment.launch.path)
    attempt = add_attempt(experiment, 1, failed={"rank": 0})
    verdict = settle(launch, attempt, job)
    assert verdict is not None
    assert verdict.detail == "retry 1 of 1"
    set_resources(experiment, retries=0)
    verdict = settle(launch, attempt, job)
    assert verdict is not None
    assert not verdict.comes_back


def test_nodes_that_die_too_often(experiment: Experiment, job: Job) -> None:
    job = replace(job, id="7_0", key="7_0-2", restarts=2)
    add_attempt(experiment, 1)
    add_attempt(experiment, 2, verdict={})
    check_losses(experiment.launch, experiment.id, job)
    set_resources(experiment, retry={"node_fail": {"max": 1}})
    check_losses(experiment.launch, experiment.id, job)
    add_attempt(experiment, 3)
    with pytest.raises(RefusedError, match="2 attempts of job 7_0 ended as on a node that dies"):
        check_losses(experiment.launch, experiment.id, job)
    check_losses(experiment.launch, experiment.id, replace(job, id="8_0"))


def test_a_node_that_fell_silent_is_one_that_died(
    experiment: Experiment, job: Job, say: Say
) -> None:
    say(replace(PREEMPTED, is_preempted=False))
    job = replace(job, id="7_0", key="7_0-0")
    attempt = add_attempt(experiment, 1, failed={"rank": 1})
    write_json(attempt.files.outcome(1), {"is_silent": True})
    verdict = settle(experiment.launch, attempt, job)
    assert verdict == Verdict("node_fail", comes_back=True, is_ours=True)
    set_resources(experiment, retry={"node_fail": {"max": 0}})
    with pytest.raises(RefusedError, match="1 attempts of job 7_0"):
        check_losses(experiment.launch, experiment.id, replace(job, restarts=1))


@pytest.mark.parametrize(
    ("facts", "is_wanted"),
    [
        (PREEMPTED, True),
        (CANCELLED, True),
        (replace(PREEMPTED, is_preempted=False), False),
        (replace(PREEMPTED, is_preempted=False, restarts=1), True),
        (None, False),
    ],
)
def test_signals_missed_while_starting(
    job: Job, facts: JobFacts | None, *, is_wanted: bool
) -> None:
    assert is_wanted_back(job, facts) is is_wanted


@pytest.mark.parametrize(
    ("programs", "is_requeueable", "words"),
    [
        ({"scontrol", "sbatch"}, True, None),
        ({"scontrol", "sbatch"}, False, ["Requeue=0", "another job goes on"]),
        ({"sbatch"}, True, ["no `scontrol`", "another job goes on"]),
        (set(), True, ["no `scontrol`", "the next `pcm launch` goes on"]),
    ],
)
def test_what_will_be_in_the_way_of_coming_back(
    monkeypatch: pytest.MonkeyPatch,
    programs: set[str],
    words: list[str] | None,
    *,
    is_requeueable: bool,
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: name if name in programs else None)
    found = obstacle(replace(PREEMPTED, is_requeueable=is_requeueable))
    assert (found is None) == (words is None)
    assert all(word in str(found) for word in words or ())


def test_the_scripts_shell_knows_which_signal_it_was(
    experiment: Experiment, job: Job, say: Say
) -> None:
    say(replace(PREEMPTED, is_preempted=False))
    job = replace(job, id="7_0", token="a" * 32)
    files = SubmissionDir(experiment.launch.submissions / ("a" * 32))
    files.path.mkdir(parents=True)
    files.signal("7_0").write_text("TERM\n")
    attempt = add_attempt(experiment, stop={"by": "SIGUSR2"}, stopped={"step": 3})
    verdict = settle(experiment.launch, attempt, job)
    assert verdict == Verdict("interrupt", detail="stopped by SIGTERM")
    files.signal("7_0").write_text("USR1\n")
    verdict = settle(experiment.launch, attempt, job)
    assert verdict == Verdict("time_limit", comes_back=True, is_ours=True)
