"""What real projects of other tools write, beyond the plainest of their files."""

from pathlib import Path
from typing import Any

import pytest

from launch import api
from launch.grid import Grid, expand
from launch.importing.hydra_overrides import distribution_of, values_of
from launch.importing.sacred_words import as_sacred, sacred_words
from pcm.config.command_words import filled
from pcm.errors import ConfigError, RefusedError

OPTUNA = """\
hydra:
  mode: MULTIRUN
  runtime: {cwd: CWD}
  job: {name: fit, config_name: fit.yaml}
  overrides:
    hydra: [hydra.mode=MULTIRUN, hydra.job.chdir=true]
    task: [model=small, model.act=relu, "layers[0]=3"]
  sweeper:
    _target_: my_sweeper.Optuna
    n_trials: 5
    params:
      lr: tag(log, interval(1e-4, 1e-1))
      width: int(interval(4, 9))
      seed: choice(1, 2)
"""

COMPOSED = """\
task_name: digits
tags: [first, 2]
seed: 11
test: true
callbacks:
  keep: {_target_: lightning.pytorch.callbacks.ModelCheckpoint, dirpath: "${paths.out}/c",
    monitor: val/acc}
  stop: {_target_: lightning.pytorch.callbacks.EarlyStopping, monitor: val/loss}
  nothing: null
trainer: {_target_: lightning.pytorch.Trainer, max_epochs: 4, devices: 2, accelerator: cpu,
  strategy: ddp_spawn, default_root_dir: "${paths.out}"}
model:
  _target_: mine.Net
  width: ${data.width}
  optimizer: {_target_: torch.optim.Adam, _partial_: true, lr: 0.01}
  layers: [{_target_: mine.Layer, _convert_: all, n: 3}]
data: {_target_: mine.Data, width: 8, folder: "${paths.root}/images/${data.width}"}
paths: {root: "${oc.env:STRANGERS_DATA}", out: "${hydra:runtime.output_dir}"}
logger: {csv: {_target_: lightning.pytorch.loggers.CSVLogger}}
"""

NESTED = """\
seml: {executable: train.py, name: both, project_root_dir: ..}
slurm: {experiments_per_job: 4, max_simultaneous_jobs: 3, sbatch_options: {mem: 1G}}
fixed: {epochs: 5, early: false, note: "1", +norm.priority: 2}
grid:
  lr: {type: loguniform, min: 0.1, max: 0.2, num: 1}
  kind: {type: choice, options: [a, b], zip_id: pair}
  +norm.name: {type: choice, options: [batch, layer]}
  +start: {type: choice, options: [warm.yaml]}
small:
  fixed: {epochs: 1}
  grid:
    size: {type: choice, options: [1, 2], zip_id: pair}
large:
  grid:
    size: {type: choice, options: [8, 9], zip_id: pair}
  deep: {fixed: {layers: [4, true]}}
  flat: {fixed: {layers: null}}
"""


def written(tmp_path: Path, name: str, text: str) -> api.ImportedSweep:
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return api.import_sweep(file, output=tmp_path / "out.yaml")


def commands(grid: Grid) -> list[list[str]]:
    """What the points run."""
    runs: list[dict[str, Any]] = [point.config["run"] for point in grid.points]
    return [filled(run["command"], run["params"], seed=0, run_dir="DIR") for run in runs]


def test_a_sweeper_that_draws(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "fit.py").touch()
    (tmp_path / "multi").mkdir()
    (tmp_path / "multi" / "multirun.yaml").write_text(OPTUNA.replace("CWD", str(tmp_path)))
    sweep = api.import_sweep(tmp_path / "multi", output=tmp_path / "out.yaml")
    found = commands(expand(sweep.grids[0]))
    assert len(found) == 5
    before = ["src/fit.py", "--config-name=fit.yaml", "hydra.job.chdir=true", "model=small"]
    assert found[0][1:7] == [*before, "model.act=relu", "layers[0]=3"]
    assert found[0][-2:] == ["hydra.mode=RUN", "hydra.run.dir=DIR/hydra"]
    drawn = [dict(word.split("=", 1) for word in command[7:10]) for command in found]
    assert all(1e-4 <= float(each["lr"]) <= 1e-1 for each in drawn)
    assert len({each["lr"] for each in drawn}) == 5
    assert {int(each["width"]) for each in drawn} <= set(range(4, 10))
    assert any("my_sweeper.Optuna" in line for line in sweep.left)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("range(3)", [0, 1, 2]),
        ("range(1, 8, step=3)", [1, 4, 7]),
        ("range(0.0,1,0.25)", [0.0, 0.25, 0.5, 0.75]),
        ("range(3,0,-2)", [3, 1]),
        ("tag(a,b,choice(x,y))", ["x", "y"]),
        ("sort(3,1,2,reverse=true)", ["3", "1", "2"]),
        ("shuffle(range(2))", [0, 1]),
        ("int(1.5,2)", ["int(1.5)", "int(2)"]),
        ("'a,(b',c", ["'a,(b'", "c"]),
        ("glob(*)", None),
        ("range(a)", None),
    ],
)
def test_what_an_override_sweeps_over(text: str, values: list[Any] | None) -> None:
    assert values_of(text) == values


def test_what_is_set_is_not_drawn() -> None:
    assert distribution_of("0.5") is None
    assert distribution_of("choice(a)") is None
    assert distribution_of("a,b") == {"choice": ["a", "b"]}


def test_a_config_that_hydra_composed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRANGERS_DATA", "/data")
    run = tmp_path / "run" / ".hydra"
    run.mkdir(parents=True)
    (run / "hydra.yaml").write_text("hydra: {job: {name: fit}, runtime: {output_dir: /out}}")
    (run / "config.yaml").write_text(COMPOSED)
    sweep = api.import_sweep(tmp_path / "run", output=tmp_path / "out.yaml")
    assert sweep.points() == 1
    [point] = expand(sweep.grids[0]).points
    assert (point.seed, point.world_size) == (11, 2)
    optimizer = {"class_path": "torch.optim.Adam", "init_args": {"lr": 0.01}, "partial": True}
    layers = [{"class_path": "mine.Layer", "init_args": {"n": 3}}]
    arguments = {"width": 8, "optimizer": optimizer, "layers": layers}
    assert point.config["model"] == {"class_path": "mine.Net", "init_args": arguments}
    assert point.config["data_train"]["init_args"]["folder"] == "/data/images/8"
    trainer = point.config["trainer"]
    assert trainer["after_fit"] == "test"
    assert trainer["kwargs"] == {"max_epochs": 4, "strategy": "ddp"}
    assert [each["init_args"] for each in trainer["callbacks"]] == [
        {"monitor": "val/acc"},
        {"monitor": "val/loss"},
    ]
    said = [line.split(":")[0] for line in sweep.left]
    assert {"callbacks.keep.dirpath", "_convert_ of mine.Layer", "logger"} < set(said)


def test_what_only_the_script_knows_has_to_be_written_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STRANGERS_DATA", raising=False)
    sweep = written(tmp_path, "config.yaml", COMPOSED)
    assert any("${oc.env:STRANGERS_DATA}/images/8" in line for line in sweep.left)
    with pytest.raises(ConfigError, match=r"data\.yaml:\d+: init_args\.folder: an interpolation"):
        sweep.points()


def test_sub_configurations_of_seml(tmp_path: Path) -> None:
    sweep = written(tmp_path, "seml.yaml", NESTED)
    names = [path.name for path in sweep.grids]
    assert names == ["out-small.yaml", "out-large-deep.yaml", "out-large-flat.yaml"]
    small, deep, flat = (expand(path) for path in sweep.grids)
    assert (len(small.points), len(deep.points), len(flat.points)) == (4, 4, 4)
    # Three jobs at a time, of four experiments each.
    assert (small.name, small.max_parallel) == ("both-small", 12)
    first, last = commands(small)[0], commands(small)[-1]
    assert first[:5] == ["python", "train.py", "with", "batch", "warm.yaml"]
    assert {"epochs=1", "early=False", "note='1'", "lr=0.1", "kind=a", "size=1"} == set(first[5:])
    assert last[3] == "layer"
    assert {"kind=b", "size=2"} < set(last)
    assert "layers=[4, True]" in commands(deep)[0]
    assert "layers=None" in commands(flat)[0]
    pack = small.points[0].resources.given()["pack"]
    assert (pack["per_job"], pack["per_gpu"]) == (4, 4)
    assert any(line.startswith("slurm: no time: ") for line in sweep.left)


def test_what_sacred_reads() -> None:
    assert [as_sacred(value) for value in (True, None, "x", "1e-3", 2, [1, "a"])] == [
        *("True", "None", "x", "'1e-3'", 2),
        [1, "a"],
    ]
    assert sacred_words(["+b", "a", "+c.name"], {"+c.priority": 1}) == [
        *("{+c.name}", "{+b}", "a={a}"),
    ]


@pytest.mark.parametrize(
    ("lines", "command"),
    [
        ("#!/bin/bash -l\n#SBATCH -a 0-1\n", ["bash", "-l"]),
        ("#!/usr/bin/env python\n#SBATCH --array 0-1\n", ["python"]),
    ],
)
def test_the_first_line_of_a_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: str, command: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    more = "#SBATCH -J a/b\n#SBATCH --gres=shard:1 -n1\necho\n#SBATCH --mem=1G\n"
    sweep = written(tmp_path, "jobs/array.sh", lines + more)
    grid = expand(sweep.grids[0])
    assert commands(grid)[1] == ["env", "SLURM_ARRAY_TASK_ID=1", *command, "jobs/array.sh"]
    assert grid.name == "a-b"
    assert grid.points[0].resources.given() == {"nodes": 1, "tasks_per_node": 1}
    assert any(line.startswith("--gres=shard:1") for line in sweep.left)
    assert not any("ntasks" in line for line in sweep.left)


@pytest.mark.parametrize("line", ["#SBATCH --array=0-$N", '#SBATCH --comment="', "#SBATCH what"])
def test_a_script_that_sbatch_would_refuse(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigError, match=r"array\.sh: not as its tool wants it"):
        written(tmp_path, "array.sh", f"#!/bin/bash\n{line}\n")


def test_lightnings_classes_by_name_alone(tmp_path: Path) -> None:
    text = """\
seed_everything: true
trainer: {max_epochs: 1, barebones: false, strategy: DDPStrategy, logger: false,
  callbacks: {class_path: Timer, init_args: {duration: "00:01:00:00"}}}
model: {class_path: mine.Model}
optimizer: {lr: 0.1}
ckpt_path: null
"""
    sweep = written(tmp_path, "config.yaml", text)
    [point] = expand(sweep.grids[0]).points
    trainer = point.config["trainer"]
    assert trainer["kwargs"] == {
        "max_epochs": 1,
        "strategy": {"class_path": "lightning.pytorch.strategies.DDPStrategy"},
    }
    assert trainer["callbacks"][0]["class_path"] == "lightning.pytorch.callbacks.Timer"
    assert point.config["data_train"] is None
    said = [line.split(":")[0] for line in sweep.left]
    assert said == ["data", "optimizer", "seed_everything"]


def test_folders_and_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a folder without"):
        api.import_sweep(tmp_path)
    with pytest.raises(ConfigError, match="can't be read"):
        api.import_sweep(tmp_path / "nothing.yaml")
    (tmp_path / "multirun.yaml").write_text("hydra: {sweeper: {params: {a: '1,2'}}}")
    with pytest.raises(RefusedError, match="can't write"):
        api.import_sweep(tmp_path, output=tmp_path / "multirun.yaml" / "x.yaml")
    [grid] = api.import_sweep(tmp_path, output=tmp_path / "new" / "grids" / "x.yaml").grids
    assert grid.is_file()
