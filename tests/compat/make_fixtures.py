"""Makes the fixtures of a version with the code that is checked out.

    python -m tests.compat.make_fixtures VERSION

As root: it brings up a Slurm, as the tests of it do. It knows the command line and the files,
and nothing of the modules behind them.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.access import needed_folders, passable
from tests.accounts import unprivileged_user
from tests.cluster.person import PCM, Person, wait_for
from tests.cluster.slurm import SlurmCluster, install
from tests.compat.fixture import (
    CHECKOUT,
    HERE,
    OWN,
    PROJECT,
    PYTHON,
    RUNS,
    SLURM,
    Fixture,
    read_rows,
    rewrite,
)

PATIENCE_S = 240.0

LAUNCH_HERE = (PCM, "launch", "--executor", "local", "--yes")

STEP_S = "0.3"
"""So slow are the own class's steps while somebody has to stop them."""


def main() -> None:
    """Both fixtures, in the version's folder; what is there already is left as it is."""
    [version] = sys.argv[1:]
    folder = HERE / f"v{version.replace('.', '_')}"
    own, chain = Fixture(folder / "own_locally"), Fixture(folder / "chain_on_slurm")
    if not own.path.exists():
        make_own_locally(own)
    if chain.path.exists():
        return
    install()
    with passable(needed_folders()), unprivileged_user() as user, SlurmCluster() as cluster:
        make_chain_on_slurm(chain, user, cluster)


def make_own_locally(fixture: Fixture) -> None:
    """One point done, one stopped by Ctrl-C in mid-epoch, one that never started."""
    with tempfile.TemporaryDirectory(prefix="pcm-own-") as name:
        project = Path(name) / "project"
        shutil.copytree(HERE / "projects" / "own_locally", project)
        commit(project)
        runs = project / "runs"
        launcher = subprocess.Popen(
            [*LAUNCH_HERE, "whole-numbers.yaml", "--max-parallel", "1"],
            cwd=project,
            env=environment() | {"OWN_STEP_S": STEP_S},
        )
        _, second, _ = wait_for(lambda: points(runs))
        wait_for(lambda: step_of(runs, second) > 12, PATIENCE_S)
        launcher.send_signal(signal.SIGINT)
        assert launcher.wait(PATIENCE_S) == 130
        keep(fixture, project, runs, {})


def commit(project: Path) -> None:
    """Make the project a git repository, since launches note its version."""
    git = ("git", "-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
    for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "All of it")):
        subprocess.run([*git, *command], cwd=project, check=True)


def make_chain_on_slurm(fixture: Fixture, user: str, cluster: SlurmCluster) -> None:
    """One point done, one stopped politely in mid-epoch, one cancelled in mid-epoch."""
    with tempfile.TemporaryDirectory(prefix="pcm-chain-") as name:
        home = Path(name)
        home.chmod(0o755)
        person = Person(user, home, cluster)
        del person.environment["PCM_PYTHON"]
        runs = home / "runs"
        person.environment["PCM_RUNS_DIR"] = str(runs)
        shutil.rmtree(person.project)
        shutil.copytree(HERE / "projects" / "chain_on_slurm", person.project)
        person.write_file("small-chain.yaml", (person.project / "small-chain.yaml").read_text())
        person.pcm("launch", "small-chain.yaml", "--partition", cluster.partition, "--yes")
        [outcome] = runs.glob("sweeps/*/*/submissions/*/outcome.json")
        job = json.loads(outcome.read_text())["job_id"]
        _, stopped, cancelled = points(runs)
        wait_for(lambda: step_of(runs, stopped) > 3, PATIENCE_S)
        person.run("scancel", "--signal=TERM", f"{job}_1")
        wait_for(lambda: step_of(runs, cancelled) > 3, PATIENCE_S)
        person.pcm("cancel", cancelled, "--yes")
        person.wait_for_empty_queue(PATIENCE_S)
        theirs = {str(home): PROJECT, str(cluster.folder): SLURM, user: "somebody"}
        keep(fixture, person.project, runs, theirs)
        person.leave()


def environment() -> dict[str, str]:
    """Variables of a training here."""
    return os.environ | {"PYTHONPATH": str(OWN), "OMP_NUM_THREADS": "1"}


def points(runs: Path) -> list[str]:
    """Ids of the one launch's points; empty before that."""
    return [row["id"] for file in runs.glob("sweeps/*/*/points.jsonl") for row in read_rows(file)]


def step_of(runs: Path, identifier: str) -> int:
    """How far the first attempt of an experiment is."""
    found = runs.glob(f"experiments/**/{identifier}/attempts/1/progress.json")
    return max((int(json.loads(path.read_text())["step"] or 0) for path in found), default=0)


def keep(fixture: Fixture, project: Path, runs: Path, words: Mapping[str, str]) -> None:
    """Write a fixture of a project and its runs folder.

    Args:
        words: what must not be in it besides this machine's paths and name, and what is there
            instead.
    """
    host = socket.gethostname()
    names = {f'"{host}"': '"node1"', f"hostname={host}": "hostname=node1"}
    paths = {str(runs): RUNS, str(project): PROJECT, sys.executable: PYTHON, **words}
    rewrite(runs, fixture.runs, {**paths, str(HERE.parents[1]): CHECKOUT, **names})
    for payload in fixture.runs.rglob("payload.pkl"):
        rewrite_payload(payload, str(runs))
    ignored = shutil.ignore_patterns("runs", ".git")
    shutil.copytree(project, fixture.project, ignore=ignored)
    train_alone(fixture, project)
    said = {each["id"]: each for each in ask(project, runs, "results", sweep_of(runs))}
    expected = {each: what_is_said(project, runs, each, said[each]) for each in points(runs)}
    fixture.expectations.write_text(json.dumps(expected, indent=1) + "\n")


def rewrite_payload(payload: Path, runs: str) -> None:
    """Take the machine's path out of what a task of an array runs: a function and its folder."""
    from submitit.core.utils import DelayedSubmission

    submission = DelayedSubmission.load(payload)
    submission.args = tuple(each.replace(runs, RUNS) for each in submission.args)
    submission.dump(payload)


def train_alone(fixture: Fixture, project: Path) -> None:
    """Train the same experiments without a stop, and keep their journals."""
    [grid] = project.glob("*-*.yaml")
    with tempfile.TemporaryDirectory(prefix="pcm-alone-") as runs:
        launch = (*LAUNCH_HERE, grid.name, "--runs-dir", runs)
        subprocess.run(launch, cwd=project, env=environment(), check=True)
        fixture.left_alone.mkdir()
        for journal in Path(runs).glob("experiments/**/metrics.jsonl"):
            shutil.copyfile(journal, fixture.left_alone / f"{journal.parent.name}.jsonl")


def sweep_of(runs: Path) -> str:
    """Name of the one sweep."""
    [sweep] = (runs / "sweeps").iterdir()
    return sweep.name


def what_is_said(
    project: Path, runs: Path, identifier: str, result: Mapping[str, Any]
) -> dict[str, Any]:
    """What later versions must say as well of an experiment."""
    shown = ask(project, runs, "show", identifier)
    steps = [checkpoint["step"] for checkpoint in shown["checkpoints"]]
    status = shown["status"]
    return {
        **{key: status[key] for key in ("state", "detail", "attempt", "job")},
        **{key: result[key] for key in ("name", "axes", "metrics")},
        "checkpoint_step": max(steps, default=0),
    }


def ask(project: Path, runs: Path, *words: str) -> Any:
    """What a command prints with --json."""
    command = [PCM, *words, "--json", "--runs-dir", str(runs)]
    done = subprocess.run(
        command, cwd=project, env=environment(), stdout=subprocess.PIPE, check=True
    )
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
