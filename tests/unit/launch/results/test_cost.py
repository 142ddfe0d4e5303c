"""What experiments took of GPUs that they shared."""

from pathlib import Path

import pytest

from launch.report.page.gathering import Gathering
from launch.results.cost import cost_of
from launch.status.looking import Looking
from launch.store import Experiment
from pcm.run_dir import write_json
from tests.local.launches import make_launch


@pytest.mark.parametrize(("is_packed", "gpu_hours"), [(True, 1.0), (False, 4.0)])
def test_who_shares_gpus_has_a_part_of_them(
    tmp_path: Path, is_packed: bool, gpu_hours: float
) -> None:
    [made] = make_launch(tmp_path, gpus=2)
    pack = {"per_job": 8, "per_gpu": 4, "sets": 1}
    resources = {**made.record["resources"], "pack": pack}
    experiment = Experiment(made.launch, {**made.record, "resources": resources})
    files = experiment.run_dir.attempt(1)
    files.path.mkdir(parents=True)
    write_json(files.attempt, {"started": 1000.0, "is_packed": is_packed})
    write_json(files.outcome(0), {"exit_code": 0, "ended": 1000.0 + 7200})
    assert (cost_of(experiment).hours, cost_of(experiment).gpu_hours) == (2.0, gpu_hours)
    # A page says the same.
    (record,) = Gathering("packed", Looking(), None).gather([experiment])["runs"]
    assert (record["hours"], record["gpu_hours"]) == (2.0, gpu_hours)
