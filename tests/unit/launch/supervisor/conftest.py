"""Jobs and attempts that are only said to run."""

from dataclasses import replace
from pathlib import Path

import pytest

from launch.store import Experiment
from launch.supervisor.job import Job
from tests.local.launches import make_launch


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    """An experiment of two ranks that was never started."""
    [only] = make_launch(tmp_path / "runs of \"é'", world_size=2)
    return only


@pytest.fixture
def job() -> Job:
    """Rank 0 of a job of two ranks."""
    alone = Job.in_this_process(checkpoint=None)
    return replace(alone, world_size=2, local_world_size=2, key="a key", cores=3)
