"""Which experiment a task of an array runs."""

import pickle
import sys
from pathlib import Path

import pytest

from launch.store.submissions import SubmissionDir
from launch.supervisor import task
from launch.supervisor.__main__ import main
from pcm.errors import ExitCode, RefusedError
from pcm.run_dir import write_json


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SubmissionDir:
    """An array of three experiments, of which the calling process is the last task."""
    files = SubmissionDir(tmp_path / "sweeps" / "s" / "launch" / "submissions" / "token")
    files.path.mkdir(parents=True)
    write_json(files.intent, {"token": "token", "time": 1.0, "array": ["a", "b", "c"]})
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "7")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "2")
    return files


@pytest.fixture
def supervised(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What would have been supervised."""
    calls: list[tuple[object, ...]] = []

    def supervise(*words: object, **_options: object) -> str:
        calls.append(words)
        return "done"

    monkeypatch.setattr(task, "supervise", supervise)
    return calls


def test_a_task_runs_the_experiment_at_its_index(
    files: SubmissionDir, supervised: list[tuple[object, ...]]
) -> None:
    assert task.run_task(str(files.path)) == "done"
    assert supervised == [(str(files.launch.path), "c", None, "token")]


def test_a_task_of_the_job_that_is_known_runs(
    files: SubmissionDir, supervised: list[tuple[object, ...]]
) -> None:
    write_json(files.outcome, {"job_id": "7", "reason": "", "time": 2.0})
    task.run_task(str(files.path))
    assert len(supervised) == 1


@pytest.mark.parametrize("job_id", [None, "6"])
def test_an_array_that_was_given_up_runs_nothing(
    files: SubmissionDir, supervised: list[tuple[object, ...]], job_id: str | None
) -> None:
    write_json(files.outcome, {"job_id": job_id, "reason": "no answer", "time": 2.0})
    with pytest.raises(RefusedError, match="came too late: no answer"):
        task.run_task(str(files.path))
    assert supervised == []


def test_a_payload_of_the_version_before_names_the_same_function() -> None:
    # As pickle writes a function of a module: by its name.
    assert pickle.loads(b"claunch.slurm.task\nrun_task\n.") is task.run_task


def test_a_task_that_is_refused_says_why_and_fails(
    files: SubmissionDir, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("A_TOKEN", "s3cret-token")
    monkeypatch.setattr(sys, "argv", ["launch.supervisor", str(files.path)])
    write_json(files.outcome, {"job_id": "6", "reason": "no s3cret-token", "time": 2.0})
    assert main() == ExitCode.REFUSED
    said = capsys.readouterr().err
    assert said == "pcm: array 7 came too late: no ***A_TOKEN***\n"


def test_an_error_that_nobody_foresaw_leaves_its_traceback(
    files: SubmissionDir, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["launch.supervisor", str(files.path)])
    monkeypatch.delenv("SLURM_ARRAY_JOB_ID")
    assert main() == ExitCode.EXPERIMENT_FAILED
    assert "KeyError: 'SLURM_ARRAY_JOB_ID'" in capsys.readouterr().err
