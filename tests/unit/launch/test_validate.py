from pathlib import Path
from typing import Any

import pytest

from launch.validate import check_file, kind_of

MODEL = ("chain", "optimizers", "training", "loss_manager", "commands")


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        (("base",), "grid"),
        (("name", "base", "seed"), "grid"),
        (("base", "gird"), "grid"),
        (MODEL, "model"),
        (("chian", *MODEL[1:]), "model"),
        (("chain",), "model"),
        (("train", "label_condition", "cond_trans_mgr"), "data"),
        (("callbacks", "kwargs"), "trainer"),
        (("defaults",), "site"),
        (("gpu_flag", "name"), "site"),
        (("site", "runs_dir"), "settings"),
        (("model", "data_train", "trainer", "seed", "schema_version"), "experiment"),
        (("class_path",), "class"),
        (("class_path", "init_args"), "class"),
        (("colour",), None),
        (("name",), None),
        ((), None),
    ],
)
def test_the_kind_with_most_of_the_keys(keys: tuple[str, ...], kind: str | None) -> None:
    assert kind_of(dict.fromkeys(keys)) == kind


@pytest.mark.parametrize("data", [None, 3, "text", ["chain"], True])
def test_what_is_no_mapping_has_no_kind(data: Any) -> None:
    assert kind_of(data) is None


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("models", "model"), ("data", "data"), ("trainer", "trainer"), ("grids", "grid")],
)
def test_the_folder_decides_where_the_content_does_not(
    tmp_path: Path, folder: str, kind: str
) -> None:
    path = tmp_path / "ein “Ordner”" / folder / "x.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("{}\n")
    verdict = check_file(path)
    assert verdict.kind == kind
    assert verdict.faults


def test_what_cannot_be_read_has_no_kind(tmp_path: Path) -> None:
    verdict = check_file(tmp_path / "none.yaml")
    assert verdict.kind is None
    assert verdict.faults[0].problem == "no such file"


def test_the_config_of_an_experiment_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("schema_version: 1\nseed: -1\nworld_size: 1\nmodel: {}\ntrainer: {}\n")
    verdict = check_file(path)
    assert verdict.kind == "experiment"
    assert any(fault.key == "seed" and fault.line == 2 for fault in verdict.faults)
