"""What an earlier version has left is listed, shown and resumed by this one.

Told by the command line and the files alone.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from submitit.core.utils import DelayedSubmission

from tests.cluster.person import PCM
from tests.compat.fixture import HERE, OWN, Fixture, fixtures, read_rows

KEPT = fixtures()

RESUMED = ("stopped", "cancelled")
"""States of what goes on from a checkpoint."""

CLOSE = 1e-4
"""Of a chain's values on another processor. Measured: 3e-7 without its newer instructions, while
a loss differs by a thousandth at least from one row to the next."""


@dataclass(frozen=True)
class Upgraded:
    """A project of an earlier version, put back in a folder where this version is used now."""

    fixture: Fixture
    folder: Path
    environment: dict[str, str]

    def pcm(self, *words: str) -> str:
        """What a command prints, which must end well."""
        done = self.try_pcm(*words)
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def try_pcm(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in the project."""
        return subprocess.run(
            [PCM, *words],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def ask(self, *words: str) -> Any:
        """What a command prints with --json."""
        return json.loads(self.pcm(*words, "--json"))

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    @property
    def sweep(self) -> str:
        [sweep] = (self.runs / "sweeps").iterdir()
        return sweep.name

    @property
    def grid(self) -> str:
        return f"{self.sweep}.yaml"

    def experiment(self, identifier: str) -> Path:
        return place_of(self.runs, identifier)


def place_of(runs: Path, identifier: str) -> Path:
    """Where an experiment's run directory is, or is to be."""
    folder = runs / "experiments"
    former = folder / identifier
    return former if former.exists() else folder / identifier[:2] / identifier


def put_back(fixture: Fixture, tmp: Path) -> Upgraded:
    """As on a machine whose Slurm has long forgotten the fixture's jobs."""
    programs = tmp / "bin"
    programs.mkdir()
    (programs / "squeue").write_text("#!/bin/sh\n")
    (programs / "squeue").chmod(0o755)
    fixture.put_back(tmp / "project")
    kept = {key: text for key, text in os.environ.items() if not key.startswith("PCM_")}
    environment = kept | {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(OWN), str(HERE.parents[1])]),
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "120",
    }
    return Upgraded(fixture, tmp / "project", environment)


@pytest.fixture(scope="module", params=KEPT, ids=[each.name for each in KEPT])
def upgraded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Upgraded]:
    """Each fixture, only to be looked at; what looks changes nothing."""
    upgraded = put_back(request.param, tmp_path_factory.mktemp("upgraded"))
    before = contents(upgraded.runs)
    yield upgraded
    assert contents(upgraded.runs) == before


def contents(folder: Path) -> dict[Path, bytes]:
    """All files, by their paths."""
    # What is only kept to be quicker may come and go.
    files = (path for path in folder.rglob("*") if path.name != "summaries.sqlite")
    return {path: path.read_bytes() for path in files if path.is_file()}


def test_there_are_fixtures_to_look_at() -> None:
    assert {each.name for each in KEPT} >= {"v0_1_0/chain_on_slurm", "v0_1_0/own_locally"}


def test_all_are_listed_in_their_states(upgraded: Upgraded) -> None:
    listed = upgraded.ask("status", "--all")
    assert listed["warning"] is None
    kept = ("name", "state", "detail", "attempt", "job")
    assert {each["id"]: {key: each[key] for key in kept} for each in listed["experiments"]} == {
        each: {key: facts[key] for key in kept} for each, facts in upgraded.fixture.expected.items()
    }
    lines = upgraded.pcm("status", upgraded.sweep).splitlines()
    for identifier, facts in upgraded.fixture.expected.items():
        start = f"{identifier}  {facts['name']} "
        [line] = [line for line in lines if line.startswith(start)]
        assert line.split()[2] == facts["state"]


def test_each_is_shown_with_its_checkpoints(upgraded: Upgraded) -> None:
    for identifier, facts in upgraded.fixture.expected.items():
        shown = upgraded.ask("show", identifier)
        steps = [checkpoint["step"] for checkpoint in shown["checkpoints"]]
        assert (shown["name"], shown["overrides"]) == (facts["name"], facts["axes"])
        assert max(steps, default=0) == facts["checkpoint_step"]
        assert shown["run_dir"] == str(upgraded.experiment(identifier))
        assert facts["name"] in upgraded.pcm("show", identifier)


def test_each_says_why_it_is_where_it_is(upgraded: Upgraded) -> None:
    for identifier, facts in upgraded.fixture.expected.items():
        told = upgraded.pcm("why", identifier)
        assert f"{identifier} {facts['name']}" in told
        assert facts["state"] in told
        assert facts["detail"] in told


def test_the_output_of_each_is_found(upgraded: Upgraded) -> None:
    for identifier, facts in upgraded.fixture.expected.items():
        if facts["attempt"]:
            log = upgraded.experiment(identifier) / "attempts" / "1" / "rank-0.log"
            assert upgraded.pcm("logs", identifier) == log.read_text() != ""
        else:
            assert "has not started yet" in upgraded.try_pcm("logs", identifier).stderr


def test_results_are_those_of_that_version(upgraded: Upgraded) -> None:
    results = {each["id"]: each for each in upgraded.ask("results", upgraded.sweep)}
    for identifier, facts in upgraded.fixture.expected.items():
        result = results.pop(identifier)
        assert (result["state"], result["axes"]) == (facts["state"], facts["axes"])
        assert result["metrics"] == facts["metrics"]
    assert not results


def test_the_same_grid_still_names_the_same_experiments(upgraded: Upgraded) -> None:
    """Else a launch after the upgrade would train everything anew."""
    planned = {
        each["id"]: each["action"] for each in upgraded.ask("plan", upgraded.grid)["experiments"]
    }
    actions = {"done": "skip", "cancelled": "skip", "stopped": "resume", "new": "start"}
    assert planned == {
        each: actions[facts["state"]] for each, facts in upgraded.fixture.expected.items()
    }


def test_jobs_that_wait_meanwhile_find_what_they_run(upgraded: Upgraded) -> None:
    """A task of an array names a function of ours, and may wait for weeks."""
    payloads = list(upgraded.runs.rglob("payload.pkl"))
    assert len(payloads) == (upgraded.fixture.path.name == "chain_on_slurm")
    for payload in payloads:
        assert callable(DelayedSubmission.load(payload).function)


@pytest.mark.parametrize("fixture", KEPT, ids=[each.name for each in KEPT])
def test_what_was_stopped_goes_on_from_its_checkpoint_to_the_end(
    fixture: Fixture, tmp_path: Path
) -> None:
    upgraded = put_back(fixture, tmp_path)
    former = {each: facts["state"] for each, facts in fixture.expected.items()}
    resumed = [each for each, state in former.items() if state in RESUMED]
    upgraded.pcm("resume", *resumed, "--executor", "local", "--max-parallel", "2")
    listed = upgraded.ask("status", "--all")["experiments"]
    assert {each["id"]: each["state"] for each in listed} == former | dict.fromkeys(resumed, "done")
    assert resumed
    for identifier in resumed:
        check_that_it_went_on(upgraded, identifier)


def check_that_it_went_on(upgraded: Upgraded, identifier: str) -> None:
    """Whether an experiment's journal is that of one that was never stopped."""
    kept, folder = upgraded.fixture, upgraded.experiment(identifier)
    facts = kept.expected[identifier]
    journal = read_rows(folder / "metrics.jsonl")
    former = read_rows(place_of(kept.runs, identifier) / "metrics.jsonl")
    assert journal[: len(former)] == former
    starts = [row["resumed_from_step"] for row in journal if "resumed_from_step" in row]
    assert starts == [facts["checkpoint_step"]]
    rows = [row for row in journal if "step" in row]
    alone = read_rows(kept.left_alone / f"{identifier}.jsonl")
    assert [where(row) for row in rows] == [where(row) for row in alone]
    # The own class's arithmetic is exact, whichever the processor.
    is_exact = kept.path.name == "own_locally"
    for row, other in zip(rows, alone, strict=True):
        values = other["values"]
        assert row["values"] == (values if is_exact else pytest.approx(values, rel=CLOSE))
    last = folder / "attempts" / str(facts["attempt"] + 1)
    assert json.loads((last / "finished.json").read_text())["step"] == alone[-1]["step"]


def where(row: dict[str, Any]) -> tuple[int, int, list[str]]:
    """Step and epoch of a row, and what was logged."""
    return row["step"], row["epoch"], sorted(row["values"])
