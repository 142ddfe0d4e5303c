"""Points are named many at a time; here against configs hashed alone, and what they always were."""

import hashlib
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from launch.grid import Grid, expand
from pcm.config.identity import identity

LAYER = {"width": 4, "act": {"class_path": "my.Act", "init_args": {"slope": 0.1, "a": None}}}
MODEL: dict[str, Any] = {
    "class_path": "my.Model",
    "init_args": {"lr": 0.1, "layers": [LAYER, LAYER], "100%": "é"},
}
FILES = {
    "model.yaml": MODEL,
    "other.yaml": {**MODEL, "init_args": {**MODEL["init_args"], "deep": True}},
    "data.yaml": {"class_path": "my.Data", "init_args": {"batch_size": 4}},
}
BASE = {"base": {"model": "model.yaml", "data_train": "data.yaml"}}
SCRIPT = {"run": {"command": ["true"], "params": {"lr": 0.1, "more": {"a": [1], "b": "{é}"}}}}
LR, SLOPE = "model.init_args.lr", "model.init_args.layers.1.act.init_args.slope"
WIDTH = "model.init_args.layers.0.width"

GRIDS: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "sections that are shared": (
        {**BASE, "grid": {LR: [1, 1e-3, "x"], SLOPE: [0.5, None], "seed": [*range(1_000)]}},
        "3864329b21d7ebd2acfa",
    ),
    "seeds first": (
        {**BASE, "grid": {"seed": [*range(300)], "subsample_size": [None, 9], LR: [0, 0.5, [1]]}},
        "2990393df22b99823230",
    ),
    "values of their own": (
        {
            **BASE,
            "random": {
                "n": 5_000,
                "axes": {
                    LR: {"log_uniform": [1e-5, 1]},
                    SLOPE: {"normal": [0, 1]},
                    WIDTH: {"int_log_uniform": [1, 10_000]},
                    "subsample_size": {"choice": [None, 10, 20]},
                },
            },
        },
        "44fa146213f0a1866fbd",
    ),
    "draws for each seed": (
        {**BASE, "grid": {"seed": [0, 1]}, "random": {"n": 900, "axes": {LR: {"uniform": [0, 1]}}}},
        "1134c0281943a8143665",
    ),
    "files that run fastest": (
        {
            **BASE,
            "version": 2,
            "grid": {"seed": [*range(500)], "model": ["model.yaml", "other.yaml"], LR: [1, 2]},
        },
        "b3df81ea4a7766877c2b",
    ),
    "what a machine is asked for": (
        {
            **BASE,
            "grid": {"resources.nodes": [1, 2], "seed": [*range(200)], "resources.time": [1, 2]},
        },
        "b888fe67885ab8f13efc",
    ),
    "entries that count or don't": (
        {
            **BASE,
            "zip": [{"trainer.kwargs.precision": ["32-true"] * 300, "seed": [*range(300)]}],
            "grid": {
                "trainer.callbacks": [
                    [],
                    [{"name": "timer", "kwargs": {"duration": "01:00:00:00"}}],
                ]
            },
        },
        "2c5827f66856c7a65302",
    ),
    "entries that never count": (
        {
            **BASE,
            "grid": {"trainer.kwargs.log_every_n_steps": [1, 10], "seed": [*range(100)]},
        },
        "6b5c9a77ed2bc167d15b",
    ),
    "nothing else than entries that never count": (
        {**BASE, "grid": {"trainer.kwargs.log_every_n_steps": [1, 10]}},
        "2a0da0c0dba01e6fc380",
    ),
    "a script": (
        {
            **SCRIPT,
            "grid": {"run.params.lr": [0.1, 1, None], "run.params.more.a": [[1], {"b": 2, "a": 1}]},
            "zip": [{"run.params.new": [*range(500)], "seed": [*range(500)]}],
        },
        "ab1bb221e8a2e5bd5a3d",
    ),
}


def expanded(tmp_path: Path, entries: Mapping[str, Any]) -> Grid:
    for name, content in FILES.items():
        (tmp_path / name).write_text(yaml.safe_dump(content))
    path = tmp_path / "grid.yaml"
    path.write_text(yaml.safe_dump({"name": "sweep", **entries}, sort_keys=False))
    return expand(path)


@pytest.mark.parametrize("kind", GRIDS)
def test_points_are_what_they_are_alone_and_always_were(kind: str, tmp_path: Path) -> None:
    entries, wanted = GRIDS[kind]
    grid = expanded(tmp_path, entries)
    identities = [point.identity for point in grid.points]
    alone = [identity(point.config, version=entries.get("version")) for point in grid.points]
    assert identities == alone
    assert hashlib.sha256("".join(identities).encode()).hexdigest()[:20] == wanted


def test_points_of_several_files_keep_the_order_of_the_grid(tmp_path: Path) -> None:
    axes = {"seed": [*range(3)], "model": ["model.yaml", "other.yaml"], LR: [1, 2]}
    grid = expanded(tmp_path, {**BASE, "grid": axes, "include": [{"seed": 9}]})
    wanted = [dict(zip(axes, row, strict=True)) for row in itertools.product(*axes.values())]
    assert [point.overrides for point in grid.points] == [*wanted, {"seed": 9}]
