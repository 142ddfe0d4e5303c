"""What is handed to submitit, and what is refused."""

import pickle
from pathlib import Path

import pytest
from submitit.core.utils import DelayedSubmission

from launch.slurm.commands import require_slurm
from launch.submit.local_job import submit_local
from launch.supervisor import supervise
from pcm.errors import RefusedError
from tests.local.launches import make_launch


def test_a_payload_is_a_name_and_two_strings(tmp_path: Path) -> None:
    path = tmp_path / "payload.pkl"
    DelayedSubmission(supervise, "/a launch", "0123456789").dump(path)
    content = path.read_bytes()
    assert len(content) < 500
    assert b"launch.supervisor" in content
    payload = pickle.loads(content)
    assert payload.function is supervise
    assert payload.args == ("/a launch", "0123456789")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    [experiment] = make_launch(tmp_path)
    experiment.launch.jobs.write_text("in the way")
    with pytest.raises(RefusedError, match=f"can't start experiment {experiment.id}"):
        submit_local(experiment.launch, experiment.id, 1, "key", "{}")


@pytest.mark.parametrize("tag", ["%j", "%t", "%A", "%a"])
def test_a_path_that_submitit_would_change_is_refused(tmp_path: Path, tag: str) -> None:
    [experiment] = make_launch(tmp_path / f"run{tag}s")
    with pytest.raises(RefusedError, match="runs folder"):
        submit_local(experiment.launch, experiment.id, 1, "key", "{}")
    assert not experiment.launch.jobs.exists()


def test_slurm_is_refused_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RefusedError, match="no Slurm on this machine") as refusal:
        require_slurm()
    assert "--executor local" in str(refusal.value)
