"""What classes take, read from their source alone."""

from pathlib import Path
from typing import Any

import pytest

from launch.arguments import Arguments
from launch.signatures import Signature, Unread, read_signature
from launch.validate import check_file

MODELS = """
raise RuntimeError("nobody may import this")
from .parts import Base, make as build
from . import parts
from gone import Away

class Plain:
    def __init__(self, width, lr=1e-3, *, depth, bias=True): ...
class Inheriting(Base): ...
class Deeper(Inheriting): ...
class ByModule(parts.Base): ...
class Open(Plain):
    def __init__(self, width=1, **kwargs): ...
class Unknown(Away): ...
class Nothing: ...
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


def test_a_grid_is_looked_at_in_every_point(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    cfg = "class_path: my_pkg.models.Plain\ninit_args: {width: 1, depth: 2}\n"
    (folder / "model.yaml").write_text(cfg)
    (folder / "data.yaml").write_text("class_path: my_pkg.models.Nothing\n")
    (folder / "trainer.yaml").write_text(
        "{callbacks: [], num_nodes: null, devices: null, accelerator: null, kwargs: {}}\n"
    )
    grid = folder / "grid.yaml"
    text = "name: a\nbase: {model: model.yaml, data_train: data.yaml, trainer: trainer.yaml}\n"
    grid.write_text(f"{text}grid: {{seed: [1, 2]}}\n")
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
