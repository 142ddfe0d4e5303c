"""The wheel in an environment of its own, without anything that trains."""

import json
import os
import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Callable
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GRID = "config/grids/quickstart.yaml"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def uv(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "uv", *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def binaries(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs of an environment with the wheel, what it depends on, and nothing else."""
    environment = tmp_path_factory.mktemp("host only")
    uv("venv", "--allow-existing", "--python", sys.executable, environment)
    constraints = ROOT / "constraints.txt"
    uv("pip", "install", "--python", environment, "--constraint", constraints, wheel)
    return environment / "bin"


@pytest.fixture
def pcm(binaries: Path, tmp_path: Path) -> Run:
    """Run the installed `pcm` in the project's folder, so that `config/` is there."""

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        environment["PCM_RUNS_DIR"] = str(tmp_path / "runs")
        return subprocess.run(
            [binaries / "pcm", *arguments],
            check=False,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_the_wheel_holds_both_packages_their_types_and_the_digits(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        digits = [info for info in archive.infolist() if info.filename.endswith((".npz", ".gz"))]
    assert {"pcm/py.typed", "launch/py.typed", "launch/cli/__init__.py"} <= set(names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"pcm", "launch", "pcm_launch"}
    assert digits, "the bundled digits are missing"
    assert sum(info.file_size for info in digits) < 700_000


def test_the_metadata_keep_the_training_side_apart(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = Parser().parsestr(archive.read(name).decode())
    plain = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert {re.split("[<>=]", line)[0] for line in plain} == {
        "filelock",
        "pyyaml",
        "rich",
        "submitit",
        "typer",
    }
    assert set(metadata.get_all("Provides-Extra", [])) >= {"train", "neptune"}


@pytest.mark.parametrize("library", ["torch", "lightning", "neptune", "torchvision", "numpy"])
def test_no_training_library_is_there(binaries: Path, library: str) -> None:
    command = [str(binaries / "python"), "-c", f"import {library}"]
    done = subprocess.run(command, check=False, capture_output=True)
    assert b"ModuleNotFoundError" in done.stderr


def test_help(pcm: Run) -> None:
    done = pcm("--help")
    assert done.returncode == 0, done.stderr
    assert "launch" in done.stdout


def test_validate(pcm: Run) -> None:
    files = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "config").rglob("*.yaml"))]
    assert files
    done = pcm("validate", *files)
    assert done.returncode == 0, done.stderr


def test_validate_finds_a_fault(pcm: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken grid.yaml"
    broken.write_text("base: {model: pcm-cvae.yaml}\ngrid: {model.optimizers.0.kwargs.lr: []}\n")
    done = pcm("validate", str(broken))
    assert done.returncode == 3
    assert "broken grid.yaml:" in done.stderr


def test_structure(pcm: Run) -> None:
    done = pcm("structure", "dense_blocks/dense_block_stack")
    assert done.returncode == 0, done.stderr
    assert "hidden_dims" in done.stdout


def test_plan(pcm: Run) -> None:
    done = pcm("plan", GRID)
    assert done.returncode == 0, done.stderr
    assert "4 to start" in done.stdout
    assert "which is to train, has no torch and no lightning" in done.stderr


def test_a_launch_that_could_only_fail_is_refused(pcm: Run, tmp_path: Path) -> None:
    done = pcm("launch", GRID, "--executor", "local", "--yes")
    assert done.returncode == 4, done.stderr
    assert "pip install 'pcm-launch[train]'" in done.stderr
    assert "PCM_PYTHON" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_another_python_is_asked_whether_it_can_train(
    pcm: Run, binaries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = binaries / "python3"
    monkeypatch.setenv("PCM_PYTHON", shlex.quote(str(other)))
    done = pcm("launch", GRID, "--executor", "local", "--yes")
    assert done.returncode == 4, done.stderr
    assert f"{other}, which is to train, has no torch and no lightning" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_rank_says_what_its_python_lacks(
    binaries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "0")
    for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"):
        monkeypatch.setenv(name, "1")
    command = [str(binaries / "python"), "-m", "pcm", str(tmp_path), "--attempt", "1"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr
    assert "which is to train, has no torch" in done.stderr
    assert "-m pip install 'pcm-launch[train]'" in done.stderr
    record = (tmp_path / "attempts" / "1" / "error-0.json").read_text()
    assert json.loads(record)["message"] in done.stderr


def test_a_class_is_planned_and_its_imports_are_not_blamed(pcm: Run, tmp_path: Path) -> None:
    done = pcm("init", str(tmp_path / "first"))
    assert done.returncode == 0, done.stderr
    done = pcm("plan", str(tmp_path / "first" / "grid.yaml"))
    assert done.returncode == 0, done.stderr
    assert "has no torch" in done.stderr


def test_dry_run_of_a_launch(pcm: Run, tmp_path: Path) -> None:
    done = pcm("launch", GRID, "--executor", "local", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "-m pcm" in done.stdout
    assert not (tmp_path / "runs").exists()


def test_status(pcm: Run) -> None:
    done = pcm("status")
    assert done.returncode == 0, done.stderr
