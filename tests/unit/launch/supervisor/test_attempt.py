"""Attempts: made by rank 0 under a lock, found by the others."""

from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import filelock
import pytest

from launch.container import Container
from launch.store import Experiment, LaunchDir, RunsRoot
from launch.store.installed import code_digest
from launch.store.markers import cancel
from launch.store.records import read_record
from launch.store.refusals import Refusal, read_refusal, recorded_refusal
from launch.supervisor import attempt as module
from launch.supervisor.attempt import Attempt, join_attempt, lead_attempt
from launch.supervisor.job import Job
from pcm.errors import NotFoundError, RefusedError
from pcm.run_dir import write_json
from tests.local.launches import make_launch


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOCK_PATIENCE_S", 0.1)
    monkeypatch.setattr(module, "JOIN_PATIENCE_S", 0.5)
    monkeypatch.setattr(module, "JOIN_INTERVAL_S", 0.01)


def never() -> bool:
    return False


def is_locked(experiment: Experiment) -> bool:
    try:
        with filelock.FileLock(experiment.run_dir.lock, timeout=0):
            return False
    except filelock.Timeout:
        return True


def test_the_first_attempt_makes_the_run_directory(experiment: Experiment, job: Job) -> None:
    with lead_attempt(experiment.launch, experiment.id, job) as attempt:
        assert experiment.run_dir.config.exists()
        record = read_record(attempt.files.attempt)
        assert (record["number"], record["key"], record["world_size"]) == (1, "a key", 2)
        assert (record["executor"], record["threads"]) == ("debug", 3)
        assert record["command"] == attempt.command
        assert attempt.command[-3:] == [str(experiment.run_dir.path), "--attempt", "1"]
        assert is_locked(experiment)
    assert not is_locked(experiment)


def test_attempts_count_on_and_keep_the_first_ones_threads(
    experiment: Experiment, job: Job
) -> None:
    with lead_attempt(experiment.launch, experiment.id, job):
        pass
    experiment.run_dir.attempt(9).path.mkdir()
    again = replace(job, cores=64, checkpoint="best")
    with lead_attempt(experiment.launch, experiment.id, again) as attempt:
        assert attempt.files.number == 10
        assert attempt.threads == 3
        assert attempt.command[-2:] == ["--checkpoint", "best"]


def test_a_second_attempt_of_a_running_experiment_is_refused(
    experiment: Experiment, job: Job
) -> None:
    with lead_attempt(experiment.launch, experiment.id, job):
        with (
            pytest.raises(RefusedError, match="running already: attempt 1 on") as refusal,
            lead_attempt(experiment.launch, experiment.id, job),
        ):
            pass
        assert "pcm status" in str(refusal.value)
        experiment.launch.jobs.mkdir()
        with pytest.raises(RefusedError), recorded_refusal(experiment.launch, "k"):
            raise refusal.value
        assert read_refusal(experiment.launch, "k") == Refusal(str(refusal.value), is_held=True)
        assert len(experiment.run_dir.attempts()) == 1


@pytest.mark.parametrize("restarts", [0, 1])
def test_what_is_left_of_the_same_job_is_told_to_stop(
    experiment: Experiment, job: Job, restarts: int
) -> None:
    first = replace(job, executor="slurm", id="7_0", key="7_0-17-0")
    again = replace(first, key=f"7_0-18-{restarts}", restarts=restarts)
    with lead_attempt(experiment.launch, experiment.id, first) as attempt:
        assert not attempt.files.stop.exists()
    with lead_attempt(experiment.launch, experiment.id, again):
        assert attempt.files.stop.exists()


def test_an_error_during_the_attempt_frees_the_experiment(experiment: Experiment, job: Job) -> None:
    with pytest.raises(OSError, match="full"), lead_attempt(experiment.launch, experiment.id, job):
        raise OSError("disk full")
    assert not is_locked(experiment)


def test_another_number_of_ranks_is_refused(experiment: Experiment, job: Job) -> None:
    with (
        pytest.raises(RefusedError, match="made for 2 ranks, and this job has 4"),
        lead_attempt(experiment.launch, experiment.id, replace(job, world_size=4)),
    ):
        pass
    assert experiment.run_dir.attempts() == []


def test_an_unknown_experiment_is_told(experiment: Experiment, job: Job) -> None:
    with (
        pytest.raises(NotFoundError, match="no experiment nothing"),
        lead_attempt(experiment.launch, "nothing", job),
    ):
        pass


def test_a_cancelled_experiment_does_not_start(experiment: Experiment, job: Job) -> None:
    cancel(RunsRoot(experiment.launch.root), experiment.id)
    with (
        pytest.raises(RefusedError, match="was cancelled"),
        lead_attempt(experiment.launch, experiment.id, job),
    ):
        pass
    assert experiment.run_dir.attempts() == []


def test_one_that_is_cancelled_while_it_starts_is_stopped(
    experiment: Experiment, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = module._make

    def make_and_cancel(*arguments: object) -> Attempt:
        attempt: Attempt = make(*arguments)  # type: ignore[arg-type]
        marker = RunsRoot(experiment.launch.root).cancelled(experiment.id)
        marker.parent.mkdir(parents=True)
        marker.touch()
        return attempt

    monkeypatch.setattr(module, "_make", make_and_cancel)
    with lead_attempt(experiment.launch, experiment.id, job) as attempt:
        assert read_record(attempt.files.stop)["reason"] == "cancel"


def test_other_ranks_find_the_attempt_of_their_own_job(experiment: Experiment, job: Job) -> None:
    other = replace(job, rank=1)
    with lead_attempt(experiment.launch, experiment.id, replace(job, key="an older job")):
        pass
    found: list[Attempt] = []
    joining = Thread(
        target=lambda: found.append(join_attempt(experiment.launch, experiment.id, other, never))
    )
    joining.start()
    with lead_attempt(experiment.launch, experiment.id, job) as attempt:
        joining.join()
        assert found == [attempt]


def test_other_ranks_hear_of_rank_0s_refusal(experiment: Experiment, job: Job) -> None:
    experiment.launch.jobs.mkdir()
    with pytest.raises(RefusedError), recorded_refusal(experiment.launch, job.key):
        raise RefusedError("no room", hint="make some")
    assert read_refusal(experiment.launch, job.key) == Refusal(
        "no room\n  try: make some", is_held=False
    )
    assert read_refusal(experiment.launch, "another key") is None
    with pytest.raises(RefusedError, match="no room"):
        join_attempt(experiment.launch, experiment.id, replace(job, rank=1), never)


def test_an_error_of_ours_is_a_refusal_too(experiment: Experiment) -> None:
    experiment.launch.jobs.mkdir()
    with pytest.raises(ZeroDivisionError), recorded_refusal(experiment.launch, "k"):
        raise ZeroDivisionError("by zero")
    assert read_refusal(experiment.launch, "k") == Refusal(
        "ZeroDivisionError: by zero", is_held=False
    )


def test_what_went_wrong_is_raised_even_if_it_cannot_be_written(experiment: Experiment) -> None:
    with pytest.raises(ZeroDivisionError), recorded_refusal(experiment.launch, "k"):
        raise ZeroDivisionError


def test_what_is_done_is_not_done_again(experiment: Experiment, job: Job) -> None:
    with lead_attempt(experiment.launch, experiment.id, job) as attempt:
        write_json(attempt.files.finished, {})
    with (
        pytest.raises(RefusedError, match="is done already"),
        lead_attempt(experiment.launch, experiment.id, job),
    ):
        pass
    assert len(experiment.run_dir.attempts()) == 1


def test_other_ranks_do_not_wait_for_ever(experiment: Experiment, job: Job) -> None:
    other = replace(job, rank=1)
    with pytest.raises(RefusedError, match=r"rank 1 .* found no attempt"):
        join_attempt(experiment.launch, experiment.id, other, never)
    with pytest.raises(RefusedError, match=r"rank 1 .* found no attempt"):
        join_attempt(experiment.launch, experiment.id, other, lambda: True)


def test_one_that_is_told_to_stop_waits_for_rank_0s_decision(
    experiment: Experiment, job: Job
) -> None:
    with lead_attempt(experiment.launch, experiment.id, job) as attempt:
        other = replace(job, rank=1)
        found = join_attempt(experiment.launch, experiment.id, other, lambda: True)
        assert found == attempt


def test_a_torn_record_of_the_first_attempt_is_no_obstacle(
    experiment: Experiment, job: Job
) -> None:
    with lead_attempt(experiment.launch, experiment.id, job):
        pass
    write_json(experiment.run_dir.attempt(1).attempt, {})
    Path(experiment.run_dir.attempt(2).path).mkdir()
    with lead_attempt(experiment.launch, experiment.id, job) as attempt:
        assert attempt.files.number == 3


def test_code_that_was_edited_since_the_launch_is_told(experiment: Experiment, job: Job) -> None:
    def log_of_an_attempt() -> str:
        with lead_attempt(LaunchDir(experiment.launch.path), experiment.id, job) as attempt:
            log = attempt.files.log(0)
            return log.read_text() if log.exists() else ""

    launched = read_record(experiment.launch.sweep)
    assert log_of_an_attempt() == "", "an older launch says nothing of its code"
    write_json(experiment.launch.sweep, launched | {"code_digest": code_digest()})
    assert log_of_an_attempt() == ""
    write_json(experiment.launch.sweep, launched | {"code_digest": "0" * 64})
    assert "was edited after the launch" in log_of_an_attempt()


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({"executor": "slurm"}, 2),
        ({"executor": "local", "devices": "0,1"}, 2),
        ({"executor": "local", "devices": ""}, 0),
        ({"executor": "local"}, 0),
    ],
)
def test_training_is_to_see_the_gpus_of_its_job(
    tmp_path: Path, job: Job, place: dict[str, Any], expected: int
) -> None:
    [experiment] = make_launch(tmp_path / "runs", world_size=2, gpus=2)
    first, second = replace(job, **place), replace(job, rank=1, **place)
    with lead_attempt(experiment.launch, experiment.id, first) as attempt:
        assert attempt.gpus == expected
        joined = join_attempt(experiment.launch, experiment.id, second, never)
    assert (joined.gpus, joined.arguments) == (expected, attempt.arguments)


def test_an_image_that_is_to_have_no_gpus_has_none(tmp_path: Path, job: Job) -> None:
    [experiment] = make_launch(tmp_path / "runs", world_size=2, gpus=2)
    container = Container(Path("/x.sif"), nv=False)
    slurm = replace(job, executor="slurm")
    assert module.gpus_on_node(experiment.launch, experiment.run_dir, slurm, container) == 0


def test_a_refusal_holds_no_secret(experiment: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", "s3cret-token")
    experiment.launch.jobs.mkdir()
    with (
        pytest.raises(RefusedError),
        recorded_refusal(experiment.launch, "k"),
    ):
        raise RefusedError("no image at https://s3cret-token@there")
    assert read_refusal(experiment.launch, "k") == Refusal(
        "no image at https://***A_TOKEN***@there", is_held=False
    )


@pytest.mark.parametrize("what", ["points", "base", "sweep"])
def test_a_launch_that_others_could_have_changed_is_not_run(
    experiment: Experiment, job: Job, what: str
) -> None:
    getattr(experiment.launch, what).chmod(0o666)
    with (
        pytest.raises(RefusedError, match="could have been changed by others"),
        lead_attempt(experiment.launch, experiment.id, job),
    ):
        pass
    assert not experiment.run_dir.path.exists()


def test_a_config_that_others_could_have_changed_is_not_run(
    experiment: Experiment, job: Job
) -> None:
    run_dir = experiment.create_run_dir()
    run_dir.config.chmod(0o666)
    with (
        pytest.raises(RefusedError, match=r"config\.yaml could have been changed"),
        lead_attempt(experiment.launch, experiment.id, job),
    ):
        pass
    assert run_dir.attempts() == []
    run_dir.config.chmod(0o644)
    with lead_attempt(experiment.launch, experiment.id, job) as attempt:
        attempt.run_dir.attempts_folder.chmod(0o777)
        with pytest.raises(RefusedError, match="attempts could have been changed"):
            join_attempt(experiment.launch, experiment.id, replace(job, rank=1), never)
