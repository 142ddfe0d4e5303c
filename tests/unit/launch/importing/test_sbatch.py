"""What people ask sbatch for in their scripts."""

from pathlib import Path
from typing import Any

import pytest

from launch.grid import expand
from pcm.errors import ConfigError
from tests.unit.launch.importing.test_foreign_projects import commands, written


@pytest.mark.parametrize(
    ("lines", "asked"),
    [
        ("--gres=gpu:a100:1(S:0),tmpfs:10G", {"gpus_per_node": 1, "gpu_type": "a100"}),
        ("--gpus=8 --nodes=2", {"gpus_per_node": 4, "nodes": 2}),
        ("-N 1 -n 1 --gpus-per-task=1 -c4", {"gpus_per_node": 1, "cpus_per_task": 4}),
        ("--gpus-per-node=1 --cpus-per-gpu=6", {"gpus_per_node": 1, "cpus_per_gpu": 6}),
        ("--mem=16gb --time=2-12", {"mem": 16384, "time": 3600}),
        ("--mem=0 -t 30:00", {"mem": 0, "time": 30}),
    ],
)
def test_resources(tmp_path: Path, lines: str, asked: dict[str, Any]) -> None:
    sweep = written(tmp_path, "array.sh", f"#!/bin/bash\n#SBATCH {lines}\n")
    given = expand(sweep.grids[0]).points[0].resources.given()
    assert given == {"nodes": 1, **asked} | ({} if "gpu" in lines else {"tasks_per_node": 1})


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("--gpus=a100:1,v100:1", "--gpus=a100:1,v100:1: write gpus_per_node"),
        ("--gpus=3 --nodes=2", "--gpus=3: write gpus_per_node"),
        ("--gpus-per-task=1 -n4", "--gpus-per-task=1: write gpus_per_node"),
        ("--nodes=1-2", "--nodes=1-2: write one number"),
        ("--gres=gpu:1,tmpfs:1G", "--gres=tmpfs:1G: write it as `sbatch:"),
        ("--dependency=afterok:1", "--dependency=afterok:1: it keeps `max_parallel`"),
        ("--chdir=/home/me", "--chdir=/home/me: launch from there"),
        ("-J x\npython train.py $SLURM_ARRAY_TASK_ID", "--array: none in the script"),
        ('-J x\npython train.py "$@"', "$1: what was typed behind"),
    ],
)
def test_what_is_left_is_said(tmp_path: Path, lines: str, said: str) -> None:
    sweep = written(tmp_path, "array.sh", f"#!/bin/bash\n#SBATCH {lines}\n")
    expand(sweep.grids[0])
    assert any(line.startswith(said) for line in sweep.left), sweep.left


ARRAY = """\
#!/bin/bash
#SBATCH --array=0-4:2%4,20,2
rates=(1e-3 1e-2)
sed -n "${SLURM_ARRAY_TASK_ID}p" params.txt | awk '{print $1}'
echo "$SLURM_ARRAY_TASK_ID of $SLURM_ARRAY_TASK_COUNT, ${rates[$((SLURM_ARRAY_TASK_ID % 2))]}"
"""


def test_tasks_of_an_array(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sweep = written(tmp_path, "array {1}.sh", ARRAY)
    grid = expand(sweep.grids[0])
    tasks = [command[1].rpartition("=")[2] for command in commands(grid)]
    assert tasks == ["0", "2", "4", "20"]
    assert commands(grid)[0][2:] == ["SLURM_ARRAY_TASK_COUNT=4", "bash", "array {1}.sh"]
    assert grid.max_parallel == 4
    assert [line for line in sweep.left if not line.startswith("edits")] == []


def test_a_script_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    sweep = written(tmp_path, "array.sh", ARRAY)
    assert f"its folder: launch from {tmp_path}" in sweep.left


@pytest.mark.parametrize("array", ["5-2", "0-4:0", "a", ""])
def test_what_is_no_array(tmp_path: Path, array: str) -> None:
    with pytest.raises(ConfigError, match="not as its tool wants it"):
        written(tmp_path, "array.sh", f"#!/bin/bash\n#SBATCH --array={array},1\n")
