"""Points are checked and named by what they change; here against whole copies, one by one."""

import copy
import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from launch.grid import expand
from pcm.config.check import EXPERIMENT, check_experiment
from pcm.config.identity import identity
from pcm.config.override import resolve
from pcm.config.own_places import structures_of_places
from pcm.errors import ConfigError

CONFIG = Path(__file__).parents[4] / "config"
CHAIN = "model.chain.{}.cfg.{}".format
ARGUMENT = "model.init_args.{}".format

FULL = {
    "base": {
        "model": str(CONFIG / "models" / "pcm-cvae.yaml"),
        "data_train": str(CONFIG / "data" / "mnist-train.yaml"),
        "data_val": str(CONFIG / "data" / "mnist-test.yaml"),
        "trainer": str(CONFIG / "trainer" / "default.yaml"),
    }
}
OWN_FILES = {
    "model.yaml": {
        "class_path": "my.Model",
        "init_args": {"lr": 0.1, "layers": [{"width": 4}], "act": {"class_path": "my.Act"}},
    },
    "data.yaml": {"class_path": "my.Data", "init_args": {"batch_size": 4}},
}
OWN_CLASSES = {"base": {"model": "model.yaml", "data_train": "data.yaml"}}
SCRIPT = {
    "run": {"command": ["train", "{lr}", "{more.a}"], "params": {"lr": 0.1, "more": {"a": [1]}}}
}
LR = {"model.optimizers.0.kwargs.lr": [0.1, 1, 1.0, 1e-3, 0, -1, "fast", None, [0.1]]}

CASES: Mapping[str, tuple[Mapping[str, Any], Mapping[str, list[Any]]]] = {
    "places of their own": (
        FULL,
        {
            **LR,
            CHAIN("prior", "n_components"): [10, 20, 30, 0, 2.5, True],
            "model.training.max_epochs": [1, 2, 3, 0],
            "seed": [0, 1, 2, -1],
            "subsample_size": [None, 100, 0, "all"],
        },
    ),
    "places that rules compare": (
        FULL,
        {
            **LR,
            CHAIN("encoder", "input_dim"): [784, 256, 0],
            CHAIN("encoder", "block_wrapper_name"): [None, "residual", "shortcut", "other"],
            CHAIN("encoder", "hidden_dims"): [[256], [512, 256], [], 4],
            "model.chain.encoder.name": ["encoder", "coder", "decoder"],
        },
    ),
    "a link's kind and an optimizer's": (
        FULL,
        {
            "model.optimizers.0.optimizer_name": ["adam", "sgd", "adagard"],
            "model.optimizers.0.kwargs": [{}, {"lr": 0.1}, {"lr": 0.1, "betas": [0.9]}],
            "model.optimizers.0.links": [["encoder", "decoder"], ["encoder"], []],
        },
    ),
    "a trainer": (
        FULL,
        {
            **LR,
            "trainer.kwargs.precision": ["32-true", "bf16-mixed", "none"],
            "trainer.kwargs.gradient_clip_val": [None, 1.0],
            "trainer.kwargs.log_every_n_steps": [1, 10],
            "trainer.callbacks": [[], [{"name": "other"}]],
        },
    ),
    "a class of one's own": (
        OWN_CLASSES,
        {
            ARGUMENT("lr"): [0.1, 1, "${lr}", {"class_path": "my.Rate"}, {"class_path": "rate"}],
            ARGUMENT("layers.0.width"): [4, 8, "${width}", ["${a}", 1], None],
            ARGUMENT("act"): [
                {"class_path": "my.Act", "init_args": {"slope": 0.1}},
                {"class_path": "my.Act", "init_args": [1]},
                {"class_path": "my.Act", "partial": 1},
                [{"class_path": "my.Act"}, {"class_path": 3}],
            ],
            "data_train.init_args.batch_size": [4, 8],
            "seed": [0, 1, -1],
        },
    ),
    "a script": (
        SCRIPT,
        {
            "run.params.lr": [0.1, 1, 1.0, "x", None],
            "run.params.more": [{"a": [1]}, {"a": "é"}, {"b": 2}, 3],
            "run.params.new": [1, [1, 2], {"b": 1, "a": 2}],
            "seed": [0, 1, "one"],
        },
    ),
}


def write(tmp_path: Path, entries: Mapping[str, Any]) -> Path:
    path = tmp_path / "grid.yaml"
    path.write_text(yaml.safe_dump({"name": "sweep", **entries}, sort_keys=False))
    return path


def write_own_files(tmp_path: Path) -> None:
    for name, content in OWN_FILES.items():
        (tmp_path / name).write_text(yaml.safe_dump(content))


def changed(base: Any, row: Mapping[str, Any]) -> Any:
    config = copy.deepcopy(base)
    places = [(resolve(base, path), value) for path, value in row.items()]
    for keys, value in places:
        inside = config
        for key in keys[:-1]:
            inside = inside[key]
        inside[keys[-1]] = copy.deepcopy(value)
    return config


@pytest.mark.parametrize("case", CASES)
def test_a_glance_at_the_changes_says_what_a_whole_check_says(case: str, tmp_path: Path) -> None:
    entries, pools = CASES[case]
    write_own_files(tmp_path)
    draw = random.Random(case)
    rows = [{path: draw.choice(pool) for path, pool in pools.items()} for _ in range(80)]
    base = expand(write(tmp_path, entries)).points[0].config
    configs = [changed(base, row) for row in rows]
    faults = [check_experiment(config) for config in configs]
    wrong = {(fault.problem, fault.key, fault.found) for found in faults for fault in found}
    right = [index for index, found in enumerate(faults) if not found]
    assert wrong
    assert right

    with pytest.raises(ConfigError) as caught:
        expand(write(tmp_path, {**entries, "zip": [columns(rows)]}))
    told = {
        (re.sub(r" \(in \d+ points\)$", "", fault.problem), fault.key, fault.found)
        for fault in caught.value.faults
    }
    assert told == wrong

    grid = expand(write(tmp_path, {**entries, "zip": [columns([rows[i] for i in right])]}))
    wanted = dict.fromkeys(identity(configs[index]) for index in right)
    assert [point.identity for point in grid.points] == list(wanted)
    assert [identity(point.config) for point in grid.points] == list(wanted)


@pytest.mark.parametrize(
    ("entries", "paths"),
    [
        (FULL, ["model.optimizers.0.kwargs.lr", CHAIN("prior", "n_components"), "seed"]),
        (FULL, ["model.training.batch_size", "data_train.label_condition.known_prob"]),
        (OWN_CLASSES, [ARGUMENT("lr"), ARGUMENT("layers.0.width")]),
        (SCRIPT, ["run.params.lr", "seed"]),
    ],
)
def test_of_common_axes_a_glance_is_enough(
    entries: Mapping[str, Any], paths: list[str], tmp_path: Path
) -> None:
    write_own_files(tmp_path)
    config = expand(write(tmp_path, entries)).points[0].config
    places = [resolve(config, path) for path in paths]
    assert structures_of_places(config, EXPERIMENT, places) is not None


def columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {path: [row[path] for row in rows] for path in rows[0]}
