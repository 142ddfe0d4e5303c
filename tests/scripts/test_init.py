"""`pcm init`: what it writes runs at once, and overwrites nothing."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from launch import api
from launch.cli import app
from launch.local.debug import run_debug
from launch.projects.beginning import Kind
from launch.results.rows import results_of
from launch.status.state import State
from launch.validate import check_file
from pcm.errors import ExitCode, RefusedError
from tests.scripts.conftest import Folder, run


def init(kind: Kind, folder: str = ".") -> Result:
    return CliRunner().invoke(app, ["init", "--model", kind, folder])


def test_a_script_runs_as_it_says(folder: Folder) -> None:
    result = init(Kind.SCRIPT)
    assert result.exit_code == 0
    assert "pcm launch grid.yaml --executor local" in result.output
    experiments = folder.launch()
    run(experiments)
    assert [row.state for row in results_of(experiments)] == [State.DONE] * 4
    assert all(row.metrics["distance"] < 1 for row in results_of(experiments))


@pytest.mark.parametrize(
    ("kind", "overrides"),
    [
        (Kind.CLASS, {"trainer.kwargs.max_epochs": 1, "model.init_args.lr": 0.01}),
        (Kind.CHAIN, {"model.training.max_epochs": 1, "model.optimizers.0.kwargs.lr": 0.01}),
    ],
)
def test_models_train(folder: Folder, kind: Kind, overrides: dict[str, float]) -> None:
    assert init(kind).exit_code == 0
    assert {check.kind for check in map(check_file, folder.path.glob("*.yaml"))} >= {"grid"}
    [experiment] = folder.launch(**overrides, seed=0)
    assert run_debug(experiment).state is State.DONE
    [result] = results_of([experiment])
    assert result.metrics["val/loss"] < 1


def test_nothing_is_overwritten(folder: Folder) -> None:
    (folder.path / "there").mkdir()
    (folder.path / "there" / "grid.yaml").write_text("mine")
    result = init(Kind.CLASS, "there")
    assert result.exit_code == ExitCode.REFUSED
    assert "there has grid.yaml already" in result.output
    assert [path.name for path in Path("there").iterdir()] == ["grid.yaml"]
    assert (folder.path / "there" / "grid.yaml").read_text() == "mine"


def test_what_is_typed_next_begins_where_one_is(folder: Folder) -> None:
    assert "cd" not in init(Kind.SCRIPT, str(folder.path)).output.split()
    assert "  cd 'my project'\n" in init(Kind.SCRIPT, "my project").output


def test_a_file_is_no_folder_for_a_project(folder: Folder) -> None:
    (folder.path / "notes").write_text("mine")
    result = init(Kind.CLASS, "notes")
    assert result.exit_code == ExitCode.REFUSED
    assert "notes is a file" in result.output
    below = init(Kind.CLASS, "notes/first")
    assert (below.exit_code, "name another folder" in below.output) == (ExitCode.REFUSED, True)


def test_python_writes_the_same(tmp_path: Path) -> None:
    files = api.init(tmp_path / "new", model="script")
    assert [file.name for file in files] == ["grid.yaml", "train.py"]
    with pytest.raises(RefusedError, match=r"has grid\.yaml, train\.py already"):
        api.init(tmp_path / "new", model=Kind.SCRIPT)
