"""What classes take, read from their source alone."""

from pathlib import Path
from typing import Any

import pytest

from launch import api
from launch.arguments import Arguments
from launch.signatures import NoClass, NoModule, Signature, Unread, read_signature
from launch.sources import import_folders
from launch.validate import check_file
from pcm.errors import ConfigError

MODELS = """
raise RuntimeError("nobody may import this")
from .parts import Base, make as build
from . import parts
from gone import Away

class Plain:
    def __init__(self, width, lr=1e-3, *, depth, bias=True): ...
    def training_step(self, batch): ...
    def configure_optimizers(self): ...
class Inheriting(Base): ...
class Deeper(Inheriting): ...
class ByModule(parts.Base): ...
class Open(Plain):
    def __init__(self, width=1, **kwargs): ...
class Unknown(Away): ...
class Nothing: ...
class Odd:
    def __init__(self=None): ...
class Mixed(Plain, Base): ...
@decorated
class Decorated: ...
"""
PARTS = """
class Base:
    def __init__(self, size: int, *more, name: str = ""): ...
def make(n): ...
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    package = tmp_path / "my_pkg"
    package.mkdir()
    (package / "__init__.py").write_text("from my_pkg.models import Plain as Renamed\n")
    (package / "models.py").write_text(MODELS)
    (package / "parts.py").write_text(PARTS)
    return tmp_path


BASE = Signature(("size", "name"), ("size",), is_open=False)
PLAIN = Signature(("width", "lr", "depth", "bias"), ("width", "depth"), is_open=False)


@pytest.mark.parametrize(
    ("path", "signature"),
    [
        ("my_pkg.models.Plain", PLAIN),
        ("my_pkg.Renamed", PLAIN),
        ("my_pkg.models.Inheriting", BASE),
        ("my_pkg.models.Deeper", BASE),
        ("my_pkg.models.ByModule", BASE),
        ("my_pkg.models.build", Signature(("n",), ("n",), is_open=False)),
        ("my_pkg.models.Nothing", Signature((), (), is_open=False)),
        ("my_pkg.models.Odd", Signature((), (), is_open=False)),
        ("my_pkg.models.Open", Signature(("width",), (), is_open=True)),
    ],
)
def test_signatures(folder: Path, path: str, signature: Signature) -> None:
    assert read_signature(path, [folder]) == signature


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("my_pkg.models.Unknown", "no source of gone"),
        ("my_pkg.models.Mixed", "not one parent"),
        ("my_pkg.models.Decorated", "decorators"),
        ("my_pkg.models.Missing", "does not define it plainly"),
        ("other.Thing", "no source of other"),
    ],
)
def test_what_cannot_be_read_says_why(folder: Path, path: str, reason: str) -> None:
    unread = read_signature(path, [folder])
    assert isinstance(unread, Unread)
    assert reason in unread.reason


@pytest.mark.parametrize(
    ("path", "kind", "said"),
    [
        ("my_pkg.models.Plan", NoClass, "did you mean 'Plain'?"),
        ("my_pkg.modles.Plain", NoModule, "did you mean 'my_pkg.models'?"),
        ("my_pgk.Renamed", NoModule, "did you mean 'my_pkg'?"),
        ("my_pkg.torn.Thing", NoModule, "torn.py, line 2: "),
        ("my_pkg.models.Away", NoModule, "no source of gone"),
        # What nobody can tell is no fault.
        ("my_pkg.starred.Plan", Unread, "plainly"),
        ("math.Sine", Unread, "no source of math"),
    ],
)
def test_what_is_not_there(folder: Path, path: str, kind: type[Unread], said: str) -> None:
    (folder / "my_pkg" / "torn.py").write_text("import os\ndef f(:\n")
    (folder / "my_pkg" / "starred.py").write_text("from my_pkg.models import *\n")
    unread = read_signature(path, [folder])
    assert type(unread) is kind
    assert said in str(unread)


def look(folder: Path, **given: Any) -> tuple[list[tuple[str, str]], dict[str, str]]:
    arguments = Arguments([folder])
    cfg = {"class_path": "my_pkg.models.Plain", "init_args": given}
    found = [(".".join(map(str, each.keys)), each.problem) for each in arguments.findings(cfg)]
    return found, arguments.unread


def test_arguments_that_a_class_does_not_take(folder: Path) -> None:
    assert look(folder, width=1, depth=2) == ([], {})
    found, _ = look(folder, widht=1, depth=2)
    assert found == [
        ("init_args.widht", "my_pkg.models.Plain takes no 'widht'"),
        ("init_args.width", "my_pkg.models.Plain needs 'width'"),
    ]


def test_objects_inside_need_not_be_whole(folder: Path) -> None:
    inner = {"class_path": "my_pkg.models.Inheriting", "init_args": {"nam": "a"}}
    found, unread = look(folder, width=[inner], depth={"class_path": "other.Thing"})
    problem = "my_pkg.models.Inheriting takes no 'nam'"
    assert found == [("init_args.width.0.init_args.nam", problem)]
    assert list(unread) == ["other.Thing"]


def test_what_is_made_of_a_models_parameters_has_to_be_whole(folder: Path) -> None:
    step = {"class_path": "torch.optim.lr_scheduler.StepLR", "init_args": {"gama": 1}}
    adam = {"class_path": "torch.optim.Adam"}
    cfg = {"class_path": "my_pkg.models.Open", "optimizer": adam, "lr_scheduler": step}
    found = {each.keys: each.problem for each in Arguments(import_folders()).findings(cfg)}
    place = ("lr_scheduler", "init_args")
    assert (*place, "gama") in found
    assert found[*place, "step_size"].endswith("StepLR needs 'step_size'")
    assert not any("optimizer" in keys for keys in found)


def test_validate_names_the_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    file = folder / "model.yaml"
    file.write_text("class_path: my_pkg.models.Open\ninit_args:\n  width: 3\n")
    checked = check_file(file)
    assert checked.faults == ()
    assert "my_pkg.models.Open takes was not checked: it takes any **kwargs" in checked.notes[0]
    file.write_text("class_path: my_pkg.models.Nothing\ninit_args:\n  width: 3\n")
    (fault,) = check_file(file).faults
    assert (fault.line, fault.key) == (3, "init_args.width")


CFG = "class_path: my_pkg.models.Plain\ninit_args: {width: 1, depth: 2}\n"
GRID = "name: a\nbase: {model: model.yaml, data_train: data.yaml, trainer: trainer.yaml}\n"


@pytest.fixture
def grid(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A good grid file of two points, beside the package."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv("PCM_PYTHON", raising=False)
    (folder / "my_pkg" / "models.py").write_text(MODELS.replace("from gone import Away", ""))
    (folder / "model.yaml").write_text(CFG)
    (folder / "data.yaml").write_text("class_path: my_pkg.models.Nothing\n")
    (folder / "trainer.yaml").write_text(
        "{callbacks: [], num_nodes: null, devices: null, accelerator: null, kwargs: {}}\n"
    )
    grid = folder / "grid.yaml"
    grid.write_text(f"{GRID}grid: {{seed: [1, 2]}}\n")
    return grid


def test_a_grid_is_looked_at_in_every_point(folder: Path, grid: Path) -> None:
    cfg = CFG
    assert check_file(grid).faults == ()
    (folder / "model.yaml").write_text(cfg.replace("depth", "length"))
    assert [fault.key for fault in check_file(grid).faults] == [
        "model.init_args.length",
        "model.init_args.depth",
    ]


FORMER = """
import pytorch_lightning as pl
from pytorch_lightning.callbacks import Timer as Clock
class Base(pl.LightningModule): ...
class Model(Base):
    def __init__(self, width=1): ...
class Free:
    pl = pl
"""


def test_classes_of_another_lightning(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "my_pkg" / "former.py").write_text(FORMER)
    (folder / "my_pkg" / "again.py").write_text("from my_pkg.former import Model, Clock\n")
    own = folder / "own.yaml"
    for path in ("my_pkg.former.Model", "my_pkg.again.Model", "my_pkg.again.Clock"):
        own.write_text(f"class_path: {path}\ninit_args: {{}}\n")
        (fault,) = check_file(own).faults
        assert fault.key == "class_path", path
        assert "import lightning.pytorch" in str(fault)
    own.write_text("class_path: my_pkg.former.Free\ninit_args: {}\n")
    assert check_file(own).faults == ()


def test_a_fault_is_placed_where_it_is_written(folder: Path, grid: Path) -> None:
    (folder / "model.yaml").write_text(CFG.replace("depth: 2", "\n  depth: 2,\n  lenght: 3"))
    grid.write_text(
        f"{GRID}grid:\n  model.init_args.width: [1]\n  model.class_path: [my_pkg.Plan]\n"
    )
    faults = {fault.key: f"{fault.file}:{fault.line}" for fault in check_file(grid).faults}
    assert faults == {"model.class_path": f"{grid}:5"}
    grid.write_text(f"{GRID}set: {{model.init_args: {{width: 1, depth: 2, bais: true}}}}\n")
    faults = {fault.key: f"{fault.file}:{fault.line}" for fault in check_file(grid).faults}
    assert faults == {"model.init_args.bais": f"{grid}:3"}
    grid.write_text(f"{GRID}grid: {{seed: [1, 2]}}\n")
    faults = {fault.key: f"{fault.file}:{fault.line}" for fault in check_file(grid).faults}
    assert faults == {"model.init_args.lenght": "model.yaml:4"}


def test_what_is_not_there_is_not_launched(
    folder: Path, grid: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plan() -> int:
        return len(api.plan(grid, runs_dir=folder / "runs").work)

    assert plan() == 2
    models = folder / "my_pkg" / "models.py"
    models.write_text("import a_gone_package, torch\n" + models.read_text())
    with pytest.raises(ConfigError, match=r"not found: a_gone_package \(.*models.py, line 1\)"):
        plan()
    # Such a line may bring the package within reach.
    models.write_text(f"import sys\nsys.path.append('there')\n{models.read_text()}")
    assert plan() == 2
    (folder / "model.yaml").write_text(CFG.replace("my_pkg", "gone_pkg"))
    with pytest.raises(ConfigError, match=r"model.yaml:1: .* no source of gone_pkg.models"):
        plan()
    # Where another Python trains, or an image has the code, nobody here knows.
    monkeypatch.setenv("PCM_PYTHON", "/another/python")
    assert plan() == 2
    monkeypatch.delenv("PCM_PYTHON")
    grid.write_text(f"{grid.read_text()}container: {{image: a.sif}}\n")
    assert plan() == 2
    assert "gone_pkg.models.Plain takes was not checked" in check_file(grid).notes[0]


def test_the_values_of_an_axis_are_held_against_annotations(folder: Path, grid: Path) -> None:
    """Each kind of value once, however many points there are."""
    models = folder / "my_pkg" / "models.py"
    text = models.read_text().replace("(self, width, lr=1e-3,", "(self, width: int, lr=1e-3,")
    models.write_text(text)
    axes = {"model.init_args.width": {"uniform": [8, 64]}}
    grid.write_text(f"{GRID}random: {{n: 50, axes: {axes}}}\n")
    (fault,) = check_file(grid).faults
    assert (fault.file, fault.line, fault.key) == (str(grid), 3, "model.init_args.width")
    assert (fault.problem, fault.expected) == (
        "wrong type",
        "int, as my_pkg.models.Plain annotates it",
    )
    grid.write_text(f"{GRID}grid: {{model.init_args.width: [8, 16.0, '32', null]}}\n")
    assert check_file(grid).faults == ()
