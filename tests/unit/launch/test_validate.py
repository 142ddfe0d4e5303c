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


HYDRAS = """\
class_path: mine.Model
init_args:
  net: {_target_: mine.Net, width: 3}
  more: [{_target_: mine.Layer}]
"""


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (HYDRAS, "init_args.net._target_"),
        ("_target_: mine.Model\nnet: {_target_: mine.Net}\nwidth: 3\n", "_target_"),
        ("run: {command: [a]}\nbase: {model: m.yaml, data_train: null}\n", "run"),
    ],
)
def test_two_ways_in_one_file_are_one_fault(tmp_path: Path, text: str, key: str) -> None:
    (tmp_path / "file.yaml").write_text(text)
    (fault,) = check_file(tmp_path / "file.yaml").faults
    assert fault.key == key


def test_a_trainer_of_hydras_is_one_fault(tmp_path: Path) -> None:
    (tmp_path / "theirs.yaml").write_text("_target_: lightning.Trainer\nmax_epochs: 3\n")
    (tmp_path / "model.yaml").write_text("class_path: mine.Model\ninit_args: {}\n")
    base = "base: {model: model.yaml, data_train: null, trainer: theirs.yaml}\n"
    (tmp_path / "grid.yaml").write_text(base)
    (fault,) = check_file(tmp_path / "grid.yaml").faults
    assert fault.key == "_target_"
    assert "a trainer file" in str(fault)
