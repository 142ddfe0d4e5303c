"""Who may import whom: the host side stays light, and the two sides meet in files alone."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

HEAVY = {
    "torch",
    "lightning",
    "torchvision",
    "torchmetrics",
    "numpy",
    "pandas",
    "neptune",
    "tensorboard",
    "trackio",
    "wandb",
    "mlflow",
    "matplotlib",
    "seaborn",
    "sklearn",
    "umap",
    "einops",
}
SHARED = (
    "pcm.config",
    "pcm.console",
    "pcm.errors",
    "pcm.garbage_collection",
    "pcm.lean_imports",
    "pcm.nursery",
    "pcm.printable",
    "pcm.run_dir",
    "pcm.secret_values",
)
"""What the host side may use of pcm."""

HOST_MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for folder in ("launch", "pcm/config", "pcm/nursery", "pcm/rank", "pcm/run_dir", "pcm/scripts")
    for path in (ROOT / folder).rglob("*.py")
)
"""And a script's run, whose image may have no torch."""


def imports(file: Path) -> Iterator[str]:
    """The absolute name of every module that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def loaded_by(statement: str) -> set[str]:
    """Top-level modules in memory after a statement, in a fresh process."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    modules = json.loads(done.stdout.splitlines()[-1])
    return set(modules) | {module.split(".")[0] for module in modules}


def test_every_host_module_is_found() -> None:
    assert {"launch.cli", "launch.plan", "pcm.config", "pcm.run_dir.files"} <= set(HOST_MODULES)


def test_no_module_of_the_host_side_loads_a_training_library() -> None:
    statement = "import " + ", ".join(["pcm.errors", *HOST_MODULES])
    assert not loaded_by(statement) & HEAVY


def test_training_loads_nothing_for_pictures_and_trackers_that_nobody_asked_for() -> None:
    loaded = loaded_by("import pcm.training.run, pcm.chain, pcm.data")
    assert "torch" in loaded
    assert not loaded & {"sklearn", "seaborn", "umap", "numba", "pandas", "neptune", "launch"}
    # scipy, matplotlib and torchvision come with torchmetrics, and that with Lightning.
    assert not loaded & {"tensorboard", "wandb", "mlflow", "transformers", "pcm.plots.callback"}
    assert not loaded & {"requests", "aiohttp", "submitit", "typer", "sqlite3", "pcm.config.check"}


def test_the_command_line_loads_next_to_nothing_for_its_help() -> None:
    loaded = loaded_by("import launch.cli")
    assert not loaded & {*HEAVY, "submitit", "yaml", "filelock", "rich.live", "rich.table"}
    assert "pcm.run_dir.records" not in loaded


def test_a_look_at_experiments_loads_nothing_that_others_need() -> None:
    loaded = loaded_by("import launch.status.looking, launch.notify.noticing, launch.report.status")
    assert not loaded & {"rich", "submitit", "yaml", "launch.grid", "launch.store.freezing"}


@pytest.mark.parametrize("file", sorted((ROOT / "launch").rglob("*.py")), ids=str)
def test_launch_uses_only_the_shared_part_of_pcm(file: Path) -> None:
    foreign = {
        module
        for module in imports(file)
        if is_within(module, "pcm")
        and module not in ("pcm", "pcm.__version__")
        and not any(is_within(module, shared) for shared in SHARED)
    }
    assert not foreign


def test_launch_takes_nothing_but_the_version_from_the_top_of_pcm() -> None:
    for file in (ROOT / "launch").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "pcm":
                names = {alias.name for alias in node.names}
                assert names <= {"__version__", "config", "run_dir", "errors"}, file


def test_pcm_never_imports_launch() -> None:
    offenders = [
        file
        for file in (ROOT / "pcm").rglob("*.py")
        if any(is_within(module, "launch") for module in imports(file))
    ]
    assert not offenders


def test_the_shared_part_of_pcm_uses_nothing_of_the_rest() -> None:
    for folder in ("config", "nursery", "run_dir"):
        for file in (ROOT / "pcm" / folder).rglob("*.py"):
            rest = {
                module
                for module in imports(file)
                if is_within(module, "pcm")
                and module not in ("pcm", "pcm.__version__")
                and not any(is_within(module, shared) for shared in SHARED)
            }
            assert not rest, file


def test_submitit_is_known_to_those_who_submit_and_to_its_jobs_alone() -> None:
    importers = {
        file.relative_to(ROOT).as_posix()
        for folder in ("launch", "pcm")
        for file in (ROOT / folder).rglob("*.py")
        if any(is_within(module, "submitit") for module in imports(file))
    }
    assert importers == {
        "launch/submit/local_job.py",
        "launch/submit/script.py",
        "launch/supervisor/job.py",
    }
