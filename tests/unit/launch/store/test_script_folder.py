"""Where a script runs: in the folder of the launch, or in its copy in a snapshot."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from launch.grid import expand
from launch.store import Store
from pcm.run_dir.records import ScriptRecord
from pcm.run_dir.typed_json import read


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in a checkout."""
    path = tmp_path / "checkout" / "sub folder"
    path.mkdir(parents=True)
    (path / "grid.yaml").write_text("run: {command: [sh, run.sh], params: {on: 'true'}}\n")
    (path / "run.sh").write_text("true\n")
    git = ["git", "-C", str(path), "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "start"]):
        subprocess.run([*git, *words], check=True)
    monkeypatch.chdir(path)
    return path


def test_it_is_the_one_that_the_launch_was_typed_in(folder: Path, tmp_path: Path) -> None:
    launch = Store(tmp_path / "runs")
    launch.freeze(expand(folder / "grid.yaml"))
    run_dir = launch.experiments()[0].create_run_dir()
    assert read(ScriptRecord, run_dir.script) == ScriptRecord(str(folder), str(folder))
    assert run_dir.params.with_suffix(".yaml").read_text() == "'on': 'true'\n"


def test_a_snapshot_has_its_own(folder: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "runs")
    grid = replace(expand(folder / "grid.yaml"), checkout=folder.parent)
    subprocess.run(["mv", str(folder / ".git"), str(folder.parent)], check=True)
    subprocess.run(["git", "-C", str(folder.parent), "add", "-A"], check=True)
    launch = store.freeze(grid)
    record = read(ScriptRecord, store.experiments()[0].create_run_dir().script)
    assert isinstance(record, ScriptRecord)
    assert record.folder == str(launch.snapshot / "sub folder")
    assert (record.shared, record.is_writable) == (str(launch.snapshot), False)
    assert (Path(record.folder) / "run.sh").exists()
