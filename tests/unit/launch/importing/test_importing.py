"""Sweeps of other tools, imported: the same points, and a word on what is missing."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from launch.cli import app
from launch.grid import Grid, expand
from launch.importing.imported import Imported
from launch.importing.reading import read_foreign
from launch.importing.writing import write_imported
from launch.validate import check_file
from pcm.config.command_words import filled
from pcm.errors import ConfigError, RefusedError

HYDRA = """\
hydra:
  job: {name: train}
  overrides:
    task:
    - lr=1e-3,1e-2
    - model=small,big
    - +trainer.steps=10
    - name='a,b'
    - ~ema
    - seed=range(0,4,2)
    - act=choice(relu,tanh)
    - x=glob(*)
  launcher: {_target_: hydra._internal.core_plugins.basic_launcher.BasicLauncher}
lr: 0.1
"""

SEML = """\
seml: {executable: train.py, name: shared, conda_environment: me, output_dir: out}
slurm:
- experiments_per_job: 1
  sbatch_options: {gres: "gpu:1", mem: 16G, cpus-per-task: 2, time: 0-08:00, licenses: m}
fixed: {epochs: 5, model: {kind: mlp}}
grid:
  lr: {type: choice, options: [1.0e-3, 1.0e-2]}
  model:
    width: {type: range, min: 8, max: 32, step: 8}
  decay: {type: loguniform, min: 1.0e-4, max: 1.0e-2, num: 3}
random:
  samples: 2
  dropout: {type: uniform, min: 0.0, max: 0.5}
"""

SBATCH = """\
#!/bin/bash
#SBATCH --job-name=sweep
#SBATCH -p gpu
#SBATCH --array=1-5:2,9%2
#SBATCH --gres=gpu:a100:1
#SBATCH --time=01:00:00   # an hour
#SBATCH --output=out-%a.txt
rates=(0 0.1 0 0.3)
srun python train.py --lr "${rates[$SLURM_ARRAY_TASK_ID]}" --job "$SLURM_JOB_ID"
"""

CLI = """\
fit:
  seed_everything: 7
  trainer: {max_epochs: 3, devices: 2, accelerator: cpu, logger: true, strategy: ddp,
    plugins: [mine.Plugin], callbacks: [{class_path: mine.Callback, init_args: {every: 2}}]}
  model: {class_path: mine.Model, init_args: {width: 3}}
  data: {class_path: mine.Data}
"""


def imported(tmp_path: Path, name: str, text: str) -> tuple[Imported, Grid]:
    (tmp_path / name).write_text(text)
    result = read_foreign(tmp_path / name)
    write_imported(result, tmp_path / "grid.yaml")
    return result, expand(tmp_path / "grid.yaml")


def commands(grid: Grid) -> list[list[str]]:
    """What the points run."""
    runs: list[dict[str, Any]] = [point.config["run"] for point in grid.points]
    return [filled(run["command"], run["params"], seed=0, run_dir="DIR") for run in runs]


def test_a_hydra_multirun(tmp_path: Path) -> None:
    result, grid = imported(tmp_path, "multirun.yaml", HYDRA)
    found = commands(grid)
    assert len(found) == 2 * 2 * 2 * 2
    words = ["python", "train.py", "lr=1e-3", "model=small", "+trainer.steps=10", "name='a,b'"]
    assert found[0] == [*words, "~ema", "seed=0", "act=relu", "hydra.run.dir=DIR/hydra"]
    assert found[-1][2:4] == ["lr=1e-2", "model=big"]
    assert any(line.startswith("x=glob(*)") for line in result.left)


def test_a_seml_experiment(tmp_path: Path) -> None:
    result, grid = imported(tmp_path, "seml.yaml", SEML)
    assert len(grid.points) == 2 * 3 * 3 * 2
    first = commands(grid)[0]
    assert first[:3] == ["python", "train.py", "with"]
    assert {"epochs=5", "model.kind=mlp", "model.width=8", "lr=0.001", "decay=0.0001"} < set(first)
    widths = {point.config["run"]["params"]["model"]["width"] for point in grid.points}
    assert widths == {8, 16, 24}
    assert all(point.config["run"]["params"]["dropout"] is not None for point in grid.points)
    asked = grid.points[0].resources.given()
    assert (asked["gpus_per_node"], asked["cpus_per_task"]) == (1, 2)
    said = "\n".join(result.left)
    assert all(word in said for word in ("conda_environment", "licenses", "pcm's own draws"))


def test_a_script_for_sbatch(tmp_path: Path) -> None:
    result, grid = imported(tmp_path, "array.sh", SBATCH)
    tasks = [command[1] for command in commands(grid)]
    assert tasks == [f"SLURM_ARRAY_TASK_ID={task}" for task in (1, 3, 5, 9)]
    assert commands(grid)[0][2:] == ["bash", "array.sh"]
    assert (grid.name, grid.max_parallel) == ("sweep", 2)
    asked = grid.points[0].resources.given()
    assert (asked["partition"], asked["gpu_type"]) == ("gpu", "a100")
    said = "\n".join(result.left)
    assert "srun" in said
    assert "$SLURM_JOB_ID" in said


def test_a_script_for_sbatch_that_starts_ranks(tmp_path: Path) -> None:
    text = "#!/bin/bash\n#SBATCH --gres=gpu:2\nexec torchrun --nproc_per_node=2 train.py\n"
    said = "\n".join(imported(tmp_path, "job.sh", text)[0].left)
    assert "torchrun: pcm starts the script once a rank" in said


def test_a_script_of_pythons_is_no_sweep(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text('"""Trains."""\n')
    with pytest.raises(ConfigError, match="of no tool that is known") as caught:
        read_foreign(tmp_path / "train.py")
    assert "pcm init --model script" in str(caught.value)


def test_a_config_of_lightning_cli(tmp_path: Path) -> None:
    result, grid = imported(tmp_path, "config.yaml", CLI)
    [point] = grid.points
    assert (point.seed, point.world_size) == (7, 2)
    assert point.config["model"] == {"class_path": "mine.Model", "init_args": {"width": 3}}
    trainer = point.config["trainer"]
    assert trainer["kwargs"] == {"max_epochs": 3, "strategy": "ddp"}
    assert trainer["callbacks"] == [{"class_path": "mine.Callback", "init_args": {"every": 2}}]
    assert [line.split(":")[0] for line in result.left] == ["trainer.plugins"]
    assert check_file(tmp_path / "trainer.yaml").faults == ()


def test_what_is_there_is_kept_and_what_is_unknown_refused(tmp_path: Path) -> None:
    imported(tmp_path, "array.sh", SBATCH)
    with pytest.raises(RefusedError, match="nothing is overwritten"):
        imported(tmp_path, "array.sh", SBATCH)
    (tmp_path / "other.yaml").write_text("a: 1")
    with pytest.raises(ConfigError, match="of no tool that is known"):
        read_foreign(tmp_path / "other.yaml")


@pytest.mark.parametrize(
    "text",
    [
        HYDRA.replace("range(0,4,2)", "range(0,4,0)"),
        SEML.replace("options", "choices"),
        SEML.replace("min: 8", "min: low"),
        CLI.replace("{max_epochs: 3, ", "[").replace("every: 2}}]}", "every: 2}}]]"),
    ],
)
def test_what_its_own_tool_would_refuse(tmp_path: Path, text: str) -> None:
    (tmp_path / "wrong.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"wrong\.yaml"):
        read_foreign(tmp_path / "wrong.yaml")


def test_the_command_says_what_it_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("array.sh").write_text(SBATCH)
    result = CliRunner().invoke(app, ["import", "array.sh", "-o", "mine.yaml"])
    assert result.exit_code == 0, result.output
    assert "wrote mine.yaml" in result.output
    assert "not carried over: srun" in result.output
    assert "4 points" in result.output
