"""What a class of one's own lacks is found in its source."""

from pathlib import Path

import pytest

from launch.validate import check_file

TRAINER = """\
callbacks: []
num_nodes: null
devices: null
accelerator: cpu
kwargs: {}
"""

METHODS = """
import lightning as L
from lightning.pytorch import LightningModule, LightningDataModule

class Bare(L.LightningModule):
    def training_step(self, batch): ...
    def configure_optimizers(self): ...
class Below(Bare): ...
class Tested(Bare):
    def test_step(self, batch): ...
class BelowTested(Tested): ...
class Same(Bare):
    test_step = Bare.training_step
class Mixed(made(), Bare): ...
@decorated
class Decorated(Bare): ...
class Data(LightningDataModule): ...
"""


@pytest.mark.parametrize(
    ("model", "lacks"),
    [
        *(("Bare", True), ("Below", True), ("Tested", False), ("BelowTested", False)),
        *(("Same", False), ("Mixed", False), ("Decorated", False)),
    ],
)
def test_what_a_class_lacks_is_told_where_it_is_sure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, lacks: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PCM_PYTHON", raising=False)
    (tmp_path / "tried.py").write_text(METHODS)
    (tmp_path / "model.yaml").write_text(f"class_path: tried.{model}\n")
    (tmp_path / "trainer.yaml").write_text(TRAINER + "after_fit: test\n")
    base = "base: {model: model.yaml, data_train: data.yaml, trainer: trainer.yaml}\n"
    (tmp_path / "data.yaml").write_text("class_path: tried.Data\n")
    grid = tmp_path / "grid.yaml"
    grid.write_text(base)
    faults = check_file(grid).faults
    problems = [f"tried.{model} has no `test_step`"] if lacks else []
    problems.append("tried.Data has no `test_dataloader`")
    assert [each.problem for each in faults] == problems
    assert [(Path(each.file or "").name, each.line) for each in faults] == [
        ("trainer.yaml", TRAINER.count("\n") + 1)
    ] * len(problems)


UNFINISHED = """
import lightning as L

class Model(L.LightningModule):
    def forward(self, batch): ...
class Whole(Model):
    def training_step(self, batch): ...
    def train_dataloader(self): ...
    configure_optimizers = Model.forward
class Data(L.LightningDataModule): ...
"""

ADAM = "optimizer: {class_path: torch.optim.Adam, init_args: {lr: 0.1}}\n"


@pytest.mark.parametrize(
    ("model", "data", "lacking"),
    [
        ("tried.Model\n", "data.yaml", ["training_step", "configure_optimizers"]),
        (f"tried.Model\n{ADAM}", "data.yaml", ["training_step"]),
        (f"tried.Model\n{ADAM}", "null", ["training_step", "train_dataloader"]),
        ("tried.Whole\n", "null", []),
    ],
)
def test_what_no_module_can_be_trained_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, data: str, lacking: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PCM_PYTHON", raising=False)
    (tmp_path / "tried.py").write_text(UNFINISHED)
    (tmp_path / "model.yaml").write_text(f"class_path: {model}")
    (tmp_path / "data.yaml").write_text("class_path: tried.Data\n")
    (tmp_path / "trainer.yaml").write_text(TRAINER)
    grid = tmp_path / "grid.yaml"
    grid.write_text(f"base: {{model: model.yaml, data_train: {data}, trainer: trainer.yaml}}\n")
    faults = check_file(grid).faults
    assert [each.problem for each in faults] == [f"tried.Model has no `{each}`" for each in lacking]
    assert {(Path(each.file or "").name, each.line) for each in faults} <= {("model.yaml", 1)}
