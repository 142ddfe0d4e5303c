"""Multiruns of Hydra: its launchers, and overrides that are no plain lists."""

from pathlib import Path

import pytest

from launch.grid import expand
from launch.importing.hydra_overrides import values_of
from tests.unit.launch.importing.test_foreign_projects import commands, written

SUBMITIT = """\
hydra:
  job: {name: train}
  overrides: {task: []}
  launcher:
    _target_: hydra_plugins.hydra_submitit_launcher.submitit_launcher.SlurmLauncher
    submitit_folder: logs/%j
    timeout_min: 90
    mem_gb: 16
    cpus_per_task: 4
    gpus_per_node: 1
    tasks_per_node: 1
    nodes: 1
    partition: gpu
    qos: null
    array_parallelism: 8
    setup: [module load cuda]
    additional_parameters: {account: me, mail-user: me@x.org}
  sweeper: {search_space: {lr: {type: float, low: 0, high: 1}}}
"""


def test_a_launcher_of_submitit(tmp_path: Path) -> None:
    sweep = written(tmp_path, "multirun.yaml", SUBMITIT)
    grid = expand(sweep.grids[0])
    assert commands(grid) == [["python", "train.py", "hydra.run.dir=DIR/hydra"]]
    asked = {"gpus_per_node": 1, "cpus_per_task": 4, "mem": 16384, "time": 90, "partition": "gpu"}
    asked |= {"account": "me", "mail_user": "me@x.org", "nodes": 1, "max_parallel": 8}
    assert grid.points[0].resources.given() == asked
    said = "\n".join(sweep.left)
    assert "hydra.launcher.setup" in said
    assert "hydra.sweeper.search_space" in said


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a\\,b,c", ["a\\,b", "c"]),
        ("'it\\'s, it',b", ["'it\\'s, it'", "b"]),
        ("shuffle([1,2])", ["shuffle([1,2])"]),
        ("sort([2,1],reverse=true)", ["sort([2,1],reverse=true)"]),
        ("sort(2,1)", ["2", "1"]),
    ],
)
def test_lists_and_commas_that_are_values(text: str, values: list[str]) -> None:
    assert values_of(text) == values
