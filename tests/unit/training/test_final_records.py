"""What is written down when a rank fails."""

import stat
from pathlib import Path

import pytest

from pcm.errors import ExitCode
from pcm.rank.ranks import Ranks
from pcm.rank.stop import StopRequest
from pcm.rank.task import Task
from pcm.run_dir import RunDir, read_json
from pcm.training.final_records import record_failure

TOKEN = "s3cret-token-of-mine"


def test_a_token_in_an_exception_is_in_no_record_and_no_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MY_API_TOKEN", TOKEN)
    run_dir = RunDir(tmp_path)
    attempt = run_dir.attempt(1)
    attempt.path.mkdir(parents=True)
    with StopRequest(attempt) as stop:
        task = Task(run_dir, attempt, None, Ranks(), stop)
        try:
            raise ValueError(f"401 for Bearer {TOKEN}")
        except ValueError as error:
            code = record_failure(task, error)
    assert code is ExitCode.EXPERIMENT_FAILED
    record = read_json(attempt.error(0))
    assert record["message"] == "401 for Bearer ***MY_API_TOKEN***"
    assert "ValueError: 401 for Bearer ***MY_API_TOKEN***" in record["traceback"]
    log = capsys.readouterr().err
    assert "Traceback" in log
    assert TOKEN not in log + attempt.error(0).read_text()
    assert stat.S_IMODE(attempt.error(0).stat().st_mode) == 0o600
