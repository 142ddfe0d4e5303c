"""Which experiment a task of an array runs."""

from pathlib import Path

import pytest

from launch.store.submissions import SubmissionDir
from launch.supervisor import task
from pcm.errors import RefusedError
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
