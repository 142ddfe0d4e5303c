"""sbatch and its friends replaced by scripts: what is written down when."""

import json
import os
from pathlib import Path

import pytest

from launch.site import Resources, Site
from launch.slurm import commands
from launch.store import RunsRoot
from launch.store.submissions import Submission, all_submissions
from launch.submit import array as submitting
from launch.submit.array import submit_array
from launch.submit.requests import ArrayRequest, array_requests
from launch.submit.sbatch_errors import NoRoomError
from pcm.errors import RefusedError
from tests.local.launches import make_launch
from tests.unit.launch.submit.conftest import Fake


@pytest.fixture
def request_of_two(tmp_path: Path) -> ArrayRequest:
    experiments = make_launch(tmp_path / 'it\'s "my" $RUNS', ["a", "b"])
    [request] = array_requests(experiments, Site(), 1001)
    return request


def submissions(request: ArrayRequest) -> list[Submission]:
    return list(all_submissions(RunsRoot(request.launch.root)))


def ignore(_text: str) -> None: ...


def test_what_was_taken_is_written_down(fake: Fake, request_of_two: ArrayRequest) -> None:
    fake("sbatch", '[ "$1" = --parsable ] && [ -s "${2%script.sh}intent.json" ] && echo "77;here"')
    submission = submit_array(request_of_two, Site(), ignore, checkpoint="best")
    assert (submission.job_id, submission.is_settled) == ("77", True)
    assert submission.array == request_of_two.ids
    assert submission.checkpoint == "best"
    assert submissions(request_of_two) == [submission]


def test_a_lost_answer_is_looked_up(fake: Fake, request_of_two: ArrayRequest) -> None:
    fake("sbatch", 'echo "$2" > "${0%sbatch}path"; kill -9 $$')
    row = '78|0|PENDING|0|0||None|$(basename "$(dirname "$(cat "${0%squeue}path")")")||'
    fake("squeue", f'echo "{row}"')
    assert submit_array(request_of_two, Site(), ignore).job_id == "78"


def test_a_task_that_has_started_tells_too(fake: Fake, request_of_two: ArrayRequest) -> None:
    fake("sbatch", 'touch "${2%script.sh}79_0_0_log.out"; exit 1')
    assert submit_array(request_of_two, Site(), ignore).job_id == "79"


def test_a_refusal_is_settled(fake: Fake, request_of_two: ArrayRequest) -> None:
    fake("sbatch", "echo 'Batch job submission failed: Invalid qos' >&2; exit 1")
    with pytest.raises(RefusedError, match=r"did not take 2 experiments: .*Invalid qos"):
        submit_array(request_of_two, Site(), ignore)
    [submission] = submissions(request_of_two)
    assert (submission.is_settled, submission.job_id) == (True, None)


def test_nothing_is_left_where_there_was_no_room(fake: Fake, request_of_two: ArrayRequest) -> None:
    fake("sbatch", "echo 'AssocMaxSubmitJobLimit' >&2; exit 1")
    with pytest.raises(NoRoomError, match="AssocMaxSubmitJobLimit"):
        submit_array(request_of_two, Site(), ignore)
    assert list(request_of_two.launch.submissions.iterdir()) == []


def test_nothing_is_settled_while_nobody_knows(fake: Fake, request_of_two: ArrayRequest) -> None:
    fake("sbatch", "exit 1")
    fake("squeue", "echo 'Unable to contact slurm controller' >&2; exit 1")
    with pytest.raises(RefusedError, match="nobody knows yet"):
        submit_array(request_of_two, Site(), ignore)
    assert [each.is_settled for each in submissions(request_of_two)] == [False]


def test_an_sbatch_that_never_ends_is_ended(
    fake: Fake, request_of_two: ArrayRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "DELAY_S", 0.3)
    monkeypatch.setattr(submitting, "DOUBT_S", 0.0)
    fake("sbatch", "echo 'sleeping and retrying' >&2; exec sleep 60")
    told: list[str] = []
    with pytest.raises(RefusedError, match="sleeping and retrying"):
        submit_array(request_of_two, Site(), told.append, patience_s=0.6)
    assert told == ["waiting for sbatch ... sleeping and retrying"]


def test_a_full_disk_is_told_before_anything_is_submitted(
    fake: Fake, request_of_two: ArrayRequest, tmp_path: Path
) -> None:
    fake("sbatch", f"touch '{tmp_path}/called'; echo 1")
    request_of_two.launch.submissions.write_text("in the way")
    with pytest.raises(RefusedError, match="can't write to the runs folder"):
        submit_array(request_of_two, Site(), ignore)
    assert not (tmp_path / "called").exists()


def test_no_file_has_anything_of_the_environment(
    fake: Fake, request_of_two: ArrayRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEPTUNE_API_TOKEN", "tok-123456")
    fake("sbatch", "echo 80")
    submission = submit_array(request_of_two, Site(), ignore)
    texts = [path.read_bytes() for path in submission.files.path.iterdir()]
    assert len(texts) == 3
    assert not any(b"tok-123456" in text for text in texts)


def test_what_was_intended_can_be_read_by_anybody(fake: Fake, request_of_two: ArrayRequest) -> None:
    fake("sbatch", "echo 81")
    files = submit_array(request_of_two, Site(), ignore).files
    intent = json.loads(files.intent.read_text())
    assert intent["array"] == list(request_of_two.ids)
    assert intent["token"] == files.token
    assert os.access(files.script, os.R_OK)
    assert files.token in files.script.read_text()


def test_resources_of_a_frozen_experiment_are_asked_for(fake: Fake, tmp_path: Path) -> None:
    experiments = make_launch(tmp_path / "runs", ["a"], world_size=3)
    site = Site(defaults=Resources(partition="gpu"))
    [request] = array_requests(experiments, site, 1001)
    fake("sbatch", "echo 82")
    script = submit_array(request, site, ignore).files.script.read_text()
    assert "#SBATCH --ntasks-per-node=3\n" in script
    assert "#SBATCH --partition=gpu\n" in script
