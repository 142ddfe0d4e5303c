"""What is handed over in the place of a job that can't be sent back; sbatch is a stand-in."""

import os
from pathlib import Path
from typing import Any

import pytest

from launch.slurm.queue import Queue, Task
from launch.store import Experiment, RunsRoot
from launch.store.markers import cancel
from launch.store.submissions import SubmissionDir, all_submissions
from launch.submit import array
from launch.submit.continuing import continue_anew, main
from launch.telling import say_nothing
from pcm.errors import ExitCode, RefusedError
from pcm.run_dir import write_json
from tests.local.launches import make_launch

PARAMETERS = {"partition": "gpu", "mem": "200M", "nodes": 1, "ntasks_per_node": 1}


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return make_launch(tmp_path / "runs of 'é'", names=("a", "b"))[1]


@pytest.fixture(autouse=True)
def _sbatch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes everything as job 8."""
    path = tmp_path / "bin" / "sbatch"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\necho 8\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(array, "read_queue", lambda _: Queue())


def hand_over(experiment: Experiment, token: str, when: float, **more: Any) -> SubmissionDir:
    files = SubmissionDir(experiment.launch.submissions / token)
    files.path.mkdir(parents=True)
    intent = {"array": ["another", experiment.id], "time": when, "parameters": PARAMETERS}
    write_json(files.intent, intent | more)
    write_json(files.outcome, {"job_id": "7", "reason": ""})
    return files


def test_it_asks_for_what_its_job_did_and_begins_after_it(experiment: Experiment) -> None:
    files = hand_over(experiment, "old", 100.0, setup=["module load it"])
    assert continue_anew(files, experiment.id, "7_1", None, say_nothing) == "8"
    [_, new] = sorted(all_submissions(RunsRoot(experiment.launch.root)), key=lambda each: each.time)
    assert (new.job_id, new.array, new.parameters) == ("8", (experiment.id,), PARAMETERS)
    script = new.files.script.read_text().splitlines()
    assert {"module load it", "#SBATCH --dependency=afterany:7_1"} <= set(script)


@pytest.mark.parametrize(
    ("memory", "more"),
    [("MinMemoryNode=300", {"mem": "300M"}), ("MinMemoryCPU=300", {"mem_per_cpu": "300M"})],
)
def test_more_memory(experiment: Experiment, memory: str, more: dict[str, str]) -> None:
    files = hand_over(experiment, "old", 100.0, setup=[])
    continue_anew(files, experiment.id, "7_1", memory, say_nothing)
    [_, new] = sorted(all_submissions(RunsRoot(experiment.launch.root)), key=lambda each: each.time)
    others = {name: value for name, value in PARAMETERS.items() if name != "mem"}
    assert new.parameters == others | more


def test_what_an_earlier_version_handed_over(experiment: Experiment) -> None:
    files = hand_over(experiment, "old", 100.0)
    assert continue_anew(files, experiment.id, "7_1", None, say_nothing) == "8"


@pytest.mark.parametrize(("state", "after"), [("PENDING", "7_1:7"), ("COMPLETED", "7_1")])
def test_the_next_task_of_a_throttled_array_has_its_place(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch, state: str, after: str
) -> None:
    files = hand_over(experiment, "old", 100.0, setup=[], parallel=1, limit=1)
    tasks = {"7_0": Task("7_0", state), "7_1": Task("7_1", "RUNNING")}
    monkeypatch.setattr(array, "read_queue", lambda *_: Queue(tasks=tasks))
    continue_anew(files, experiment.id, "7_1", None, say_nothing)
    [_, new] = sorted(all_submissions(RunsRoot(experiment.launch.root)), key=lambda each: each.time)
    script = new.files.script.read_text().splitlines()
    assert f"#SBATCH --dependency=afterany:{after}" in script
    assert (new.parallel, new.limit) == (1, 1)


def test_nobody_is_overtaken(
    experiment: Experiment, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = hand_over(experiment, "old", 100.0, setup=[])
    hand_over(experiment, "new", 200.0, setup=[])
    with pytest.raises(RefusedError, match="goes on with it already"):
        continue_anew(files, experiment.id, "7_1", None, say_nothing)
    cancel(RunsRoot(experiment.launch.root), experiment.id)
    assert main([str(files.path), experiment.id, "7_1"]) == ExitCode.REFUSED
    assert capsys.readouterr().err == f"experiment {experiment.id} was cancelled\n"
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RefusedError, match="no `sbatch`"):
        continue_anew(files, experiment.id, "7_1", None, say_nothing)
    assert len(list(all_submissions(RunsRoot(experiment.launch.root)))) == 2
