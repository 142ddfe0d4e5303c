"""Where hours went: ran, repeated after a kill, waited in a queue."""

from pathlib import Path
from typing import Any

import pytest

from launch.report.page.hours import Hours, hours_of
from launch.store import Experiment
from launch.store.submissions import SubmissionDir
from pcm.run_dir import JournalWriter, write_json
from tests.report.sweeps import freeze

T = 1_700_000_000.0
HOUR = 3600.0


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    [only] = freeze(tmp_path, "hours", seed=1)
    only.create_run_dir()
    return only


def attempt(experiment: Experiment, number: int, began: float, ended: float, **facts: Any) -> None:
    files = experiment.run_dir.attempt(number)
    files.path.mkdir(parents=True)
    write_json(files.attempt, {"number": number, "started": T + began * HOUR, **facts})
    write_json(files.outcome(0), {"exit_code": 0, "ended": T + ended * HOUR})


def test_without_a_queue_nothing_waited(experiment: Experiment) -> None:
    assert hours_of([experiment]) == [Hours()]
    attempt(experiment, 1, 0, 2)
    assert hours_of([experiment]) == [Hours(ran=2.0)]


def test_a_requeued_job_waited_twice_and_repeats_what_it_lost(experiment: Experiment) -> None:
    files = SubmissionDir(experiment.launch.submissions / "token")
    files.path.mkdir(parents=True)
    write_json(files.intent, {"array": [experiment.id], "time": T})
    write_json(files.outcome, {"job_id": "7", "time": T})
    attempt(experiment, 1, 1, 3, job_id="7_0", token="token")
    attempt(experiment, 2, 3.5, 5.5, job_id="7_0", token="token")
    for number, resumed, times in ((1, None, [1.5, 2.0, 2.5]), (2, 10, [4.0, 5.0])):
        writer = JournalWriter(experiment.run_dir.metrics, number, resumed)
        for index, time in enumerate(times):
            writer.append((resumed or 0) + 10 * (index + 1), 0, T + time * HOUR, {})
        writer.close()
    # An hour, then half of one; of the rows at 1.5 h, 2 h and 2.5 h the first counts alone.
    assert hours_of([experiment]) == [Hours(ran=4.0, repeated=1.0, queued=1.5)]
