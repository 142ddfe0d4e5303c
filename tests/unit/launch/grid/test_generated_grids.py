"""Wrong grid files by the hundred: each is answered, and what is passed can be launched and run."""

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from launch.grid import Grid, expand
from launch.site import Site, sbatch_parameters
from launch.site.retries import Retries
from launch.store import Store
from launch.submit.requests import array_requests
from launch.validate import check_file
from pcm.config.check import check_experiment
from pcm.config.command_words import filled
from pcm.config.document import load_document
from pcm.config.trackers import requested
from pcm.run_dir.checkpoint_interval import Interval
from pcm.run_dir.checkpointing import read_checkpointing
from tests.unit.launch.conftest import BASE
from tests.unit.spoiling import Spoiler

FILES, AT_ONCE = 150, 50

PARTS: dict[str, list[Any]] = {
    "name": ["small", "größer"],
    "tags": [["a"]],
    "seed": [2**32 - 1],
    "set": [{"model.init_args.lr": 0.1}, {"trainer.checkpoints": {"every": {"steps": 5}}}],
    "grid": [
        {"model.init_args.lr": [0.1, 1], "seed": [0, 1]},
        {"trainer.after_fit": [None, "test"], "model": ["small.yaml", "large.yaml"]},
        {"trainer.callbacks.timer.kwargs.duration": ["00:01:00:00"], "resources.nodes": [1, 2]},
    ],
    "zip": [[{"model.init_args.width": [1, 2], "subsample_size": [3, None]}]],
    "random": [{"n": 2, "seed": 1, "axes": {"model.init_args.lr": {"log_uniform": [1e-3, 1]}}}],
    "exclude": [[{"seed": 1}], [{"model.init_args.lr": 1, "resources.nodes": 2}]],
    "include": [[{"seed": 9}, {}]],
    "resources": [
        {"gpus_per_node": 2, "mem_per_gpu": "1G", "max_gpus": 4, "max_parallel": 3},
        {"pack": {"per_job": 4, "per_gpu": 2}, "retries": 2, "time": "90min", "mem": 0},
        {"retry": {"oom": {"mem_factor": 1.5, "max": 2}, "node_fail": None}, "nodelist": ["n1"]},
        {"sbatch": {"licenses": "x", "hold": True}, "exclusive": "user", "mail_type": ["END"]},
    ],
    "checkpoints": [{"every": "10m"}, {"minutes": 5, "monitor": "x", "mode": "max", "keep": 1}],
    "container": [{"image": "x.sif", "environment": {"A": None}, "binds": ["/data"]}],
    "tracker": ["mlflow", ["csv", {"name": "wandb", "project": "x"}]],
    "notify": ["me@example.org", ["webhook", "/bin/true now"]],
    "preload": [["numpy", "a.b"]],
    "version": [1],
    "starts_from": [{"checkpoint": "x.ckpt"}],
}
RUN = {
    "command": ["python", "t.py", "{lr}", "{opt.lr}", "{seed}"],
    "params": {"lr": 0, "opt": {"lr": 1}},
}
OF_SCRIPT = {
    **{key: PARTS[key] for key in PARTS if key not in ("random", "starts_from")},
    "grid": [{"run.params.lr": [1, [2], "x"], "seed": [0, 1]}],
    "set": [{"run.params.opt.lr": "y"}],
    "zip": [[{"run.params.new": [1, None], "resources.time": ["1h", 5]}]],
    "exclude": [[{"run.params.lr": 1}]],
}
KEYS = sorted(
    {*PARTS, "run", "base", "max", "n", "steps", "lr", "model.init_args.no", "run.params.lr"}
)


class Writer:
    """Grid files that are wrong in a place or two, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._spoiler = Spoiler(self._random, KEYS)

    def text(self) -> str:
        """A file's."""
        pick, chance = self._random.choice, self._random.random
        is_script = chance() < 0.4
        grid: dict[str, Any] = {"run": RUN} if is_script else {"base": BASE}
        parts = OF_SCRIPT if is_script else PARTS
        grid |= {key: pick(parts[key]) for key in parts if chance() < 0.2 or key == "grid"}
        grid = json.loads(json.dumps(grid))
        for _ in range(pick((0, 1, 1, 2))):
            self._spoiler.spoil(grid)
        lines = yaml.safe_dump(grid, sort_keys=False, allow_unicode=True).splitlines()
        if chance() < 0.1:
            self._spoiler.insert_line(lines)
        return "\n".join(lines)


def run_as_a_node_does(grid: Grid, root: Path) -> None:
    """All that launching reads of the grid, and a node of its last point."""
    store = Store(root)
    launch = store.freeze(grid)
    experiments = store.experiments(grid.name)
    assert [each.id for each in experiments] == [point.id for point in grid.points]
    assert array_requests(experiments, Site(), 1000)
    requested(launch.record.get("tracker"))
    for experiment in experiments[-1:]:
        sbatch_parameters(experiment.resources, Site())
        Retries.of(experiment.resources.given())
        run_dir = experiment.create_run_dir()
        Interval.parse(read_checkpointing(run_dir).every)
        config = load_document(run_dir.config).data
        assert not check_experiment(config)
        if "run" in config:
            words = filled(config["run"]["command"], config["run"]["params"], seed=0, run_dir=".")
            assert all(b"\0" not in os.fsencode(word) for word in words)
            assert words[0].strip()


@pytest.mark.parametrize("seed", range(FILES // AT_ONCE))
def test_whatever_a_grid_file_says(
    config_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    # The classes of its files are nowhere.
    monkeypatch.setattr("launch.validate.is_this_python", lambda: False)
    plain = config_folder / "trainer" / "plain.yaml"
    plain.write_text(plain.read_text().replace("[]", "[{name: timer}]"))
    writer, path = Writer(seed), config_folder / "grids" / "grid.yaml"
    passed = 0
    for number in range(AT_ONCE):
        path.write_text(writer.text(), encoding="utf-8")
        checked = check_file(path)
        for fault in checked.faults:
            assert str(fault).startswith(str(fault.file)), path.read_text()
            assert fault.file
            assert fault.line, f"{fault}\n{path.read_text()}"
        if checked.kind == "grid" and not checked.faults:
            run_as_a_node_does(expand(path), tmp_path / str(number))
            passed += 1
    assert passed > AT_ONCE / 5
