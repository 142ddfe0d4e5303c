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
