"""Jobs that come back whatever the site allows, and whatever their script's shell is told."""

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from launch.status.state import State
from launch.store.records import read_record
from launch.store.submissions import all_submissions
from tests.cluster.person import Person, wait_for
from tests.cluster.running import LONG, Running
from tests.cluster.slurm import SlurmCluster

MARK = "the person's own trap"

STRICT = """\
setup:
- set -euo pipefail
- export SLURM_TIME_FORMAT=relative
- trap 'echo "$own" > own' EXIT
- own="{mark}"
"""


def state(running: Running) -> str:
    """What `pcm status` says of it."""
    return running.person.pcm("status", running.experiment.id, "--json").stdout


def why(running: Running) -> str:
    """What `pcm why` says of it, in one line."""
    return " ".join(running.person.pcm("why", running.experiment.id).stdout.split())


def continuation(running: Running) -> Running:
    """The job that goes on in its place."""
    arrays = [each for each in all_submissions(running.person.store.root) if each.job_id]
    former, new = sorted(arrays, key=lambda each: each.time)
    assert former.array == new.array == (running.experiment.id,)
    return Running(running.person, running.experiment, f"{new.job_id}_0")


def warn(running: Running) -> None:
    """Slurm's signal before the time is over."""
    running.person.cluster.run("scancel", "--signal=USR2", running.task)


def programs_without(person: Person, *names: str) -> Path:
    """A folder with all programs but these, for a node's PATH."""
    folder = person.project / "programs"
    folder.mkdir()
    for source in (Path("/usr/bin"), Path("/bin")):
        for path in source.iterdir():
            link = folder / path.name
            if path.name not in names and not link.is_symlink():
                link.symlink_to(path)
    return folder


def programs_with_scontrol(person: Person, at_requeue: str) -> Path:
    """As above, with an scontrol that does something else before it sends a job back."""
    folder = programs_without(person, "scontrol")
    real = shutil.which("scontrol")
    text = f'#!/bin/bash\nif [ "$1" = requeue ]; then {at_requeue}; fi\nexec {real} "$@"\n'
    person.write_file(f"{folder.name}/scontrol", text, mode=0o755)
    return folder


def site_with_path(person: Person, folder: Path) -> None:
    """A site whose nodes have these programs and no others."""
    person.write_file("site.yaml", json.dumps({"setup": [f"export PATH='{folder}'"]}))


def test_a_polite_signal_to_the_scripts_shell_gets_a_checkpoint(person: Person) -> None:
    # `set -e`, and a trap of the person's own, in which the shell is told which signal it was.
    person.write_file("site.yaml", STRICT.format(mark=MARK))
    running = Running.launch(person, {"tasks_per_node": 2}, "--site", "site.yaml", **LONG)
    running.wait_for_steps()
    person.run("scancel", "--batch", "--signal=TERM", running.task)
    verdict = running.wait_for_verdict()
    assert (verdict["reason"], verdict["detail"]) == ("interrupt", "stopped by SIGTERM")
    assert running.attempt(1).stopped.exists()
    running.wait_until_over()
    assert running.state == "COMPLETED"
    assert (person.project / "own").read_text().strip() == MARK
    [submission] = all_submissions(person.store.root)
    assert not submission.files.signal(running.task).exists()
    assert State.STOPPED in state(running)


def test_a_warning_to_the_scripts_shell_sends_the_job_back(person: Person) -> None:
    person.write_file("site.yaml", STRICT.format(mark=MARK))
    running = Running.launch(person, None, "--site", "site.yaml", STAND_IN_STEPS="60")
    running.wait_for_steps()
    person.run("scancel", "--batch", "--signal=USR2", running.task)
    verdict = running.wait_for_verdict()
    assert (verdict["reason"], verdict["comes_back"]) == ("time_limit", True)
    running.wait_for_end(attempt=2)


def test_a_signal_while_setup_runs_is_not_missed(person: Person) -> None:
    person.write_file("site.yaml", "setup: ['touch here', 'until [ -e go ]; do sleep 0.1; done']\n")
    running = Running.launch(person, None, "--site", "site.yaml", **LONG)
    wait_for((person.project / "here").exists)
    person.run("scancel", "--batch", "--signal=USR2", running.task)
    time.sleep(0.5)  # the shell has no way to tell that it has got it
    person.write_file("go", "")
    assert running.wait_for_verdict()["reason"] == "time_limit"


def test_a_signal_while_supervisors_are_imported_is_not_missed(person: Person) -> None:
    running = Running.launch(person, None, STAND_IN_STEPS="100")

    def supervisor() -> psutil.Process | None:
        for each in person.processes():
            if "launch.supervisor" in each.cmdline()[:6] and "-P" in each.cmdline():
                return each
        return None

    os.kill(wait_for(supervisor).pid, signal.SIGUSR2)
    assert running.wait_for_verdict()["reason"] == "time_limit"
    assert read_record(running.attempt(1).stop)["by"] == "SIGUSR2"
    running.wait_for_end(attempt=2)


def test_a_time_limit_without_a_signal_is_met(person: Person) -> None:
    # WINCH is one that nobody heeds.
    person.write_file("site.yaml", "sbatch: {signal: 28@1}\n")
    running = Running.launch(person, {"time": 1}, "--site", "site.yaml", **LONG)
    verdict = running.wait_for_verdict()
    assert (verdict["reason"], verdict["comes_back"]) == ("time_limit", True)
    assert running.attempt(1).stopped.exists()
    running.wait_for_steps(attempt=2, steps=read_record(running.attempt(1).stopped)["step"] + 1)


@pytest.mark.parametrize(
    ("sbatch", "variables"),
    [({"export": "LANG,HOME"}, {}), ({"export": "NIL"}, {}), ({}, {"SBATCH_EXPORT": "NONE"})],
)
def test_a_job_that_inherits_no_variables(
    person: Person, sbatch: dict[str, str], variables: dict[str, str]
) -> None:
    needed = ("PCM_PYTHON", "PYTHONPATH")
    setup = [f"export {name}='{person.environment[name]}'" for name in needed]
    person.write_file("site.yaml", json.dumps({"sbatch": sbatch, "setup": setup}))
    running = Running.launch(person, None, "--site", "site.yaml", **variables)
    running.wait_for_end(attempt=1)


def test_what_may_not_be_requeued_goes_on_as_another_job(person: Person) -> None:
    person.write_file("site.yaml", "setup: ['until [ -e go ]; do sleep 0.1; done']\n")
    running = Running.launch(person, None, "--site", "site.yaml", STAND_IN_STEPS="100")
    person.cluster.run("scontrol", "update", f"JobId={running.task}", "Requeue=0")
    (person.project / "site.yaml").unlink()
    person.write_file("go", "")
    running.wait_for_steps()
    assert "Requeue=0" in running.attempt(1).log(0).read_text()
    assert "Requeue=0" in why(running)
    warn(running)
    wait_for(lambda: "goes on in its place" in running.wait_for_verdict()["detail"])
    new = continuation(running)
    new.wait_for_end(attempt=2)
    assert State.DONE in state(new)
    step = read_record(new.attempt(1).stopped)["step"]
    assert f"goes on from step {step}\n" in new.attempt(2).log(0).read_text()


def test_nodes_without_scontrol(person: Person) -> None:
    site_with_path(person, programs_without(person, "scontrol"))
    running = Running.launch(person, None, "--site", "site.yaml", STAND_IN_STEPS="100")
    running.wait_for_steps()
    assert "no `scontrol` on its node" in why(running)
    warn(running)
    wait_for(lambda: "goes on in its place" in running.wait_for_verdict()["detail"])
    continuation(running).wait_for_end(attempt=2)


def test_nodes_without_any_of_slurms_programs_leave_it_to_the_next_launch(person: Person) -> None:
    site_with_path(person, programs_without(person, "scontrol", "sbatch"))
    running = Running.launch(person, None, "--site", "site.yaml", STAND_IN_STEPS="100")
    running.wait_for_steps()
    warn(running)
    wait_for(lambda: "nor another job" in running.wait_for_verdict()["detail"])
    running.wait_until_over()
    assert State.STOPPED in state(running)
    assert "`scontrol` is not on the PATH" in why(running)
    person.launch("sweep.yaml", "--site", "site.yaml")
    continuation(running).wait_for_end(attempt=2)


def test_a_supervisor_that_dies_before_it_sends_the_job_back(person: Person) -> None:
    site_with_path(person, programs_with_scontrol(person, "kill -9 $PPID; exit 1"))
    running = Running.launch(person, None, "--site", "site.yaml", STAND_IN_STEPS="100")
    running.wait_for_steps()
    warn(running)
    assert running.wait_for_verdict()["is_sent_back"] is False
    running.wait_until_over()
    assert State.STOPPED in state(running)
    person.launch("sweep.yaml")
    continuation(running).wait_for_end(attempt=2)


@pytest.mark.own_cluster
def test_a_controller_that_is_away_when_the_job_is_to_go_back(person: Person) -> None:
    waits = "touch asked; until [ -e down ]; do sleep 0.1; done"
    site_with_path(person, programs_with_scontrol(person, waits))
    running = Running.launch(person, None, "--site", "site.yaml", STAND_IN_STEPS="100")
    running.wait_for_steps()
    warn(running)
    wait_for((person.project / "asked").exists)
    person.cluster.kill("slurmctld", signal.SIGTERM)
    try:
        person.write_file("down", "")
        wait_for(lambda: any(each.name() == "scontrol" for each in person.processes()))
        assert read_record(running.attempt(1).verdict)["is_sent_back"] is False
    finally:
        person.cluster.start_controller()
    wait_for(lambda: read_record(running.attempt(1).verdict)["is_sent_back"])
    running.wait_for_end(attempt=2)


@pytest.fixture(scope="module")
def cancelling(slurm_installed: None) -> Iterator[SlurmCluster]:
    """A cluster that cancels what it preempts, at once, as Slurm does by default."""
    with SlurmCluster(nodes=1, grace_seconds=0, settings=["PreemptMode=CANCEL"]) as cluster:
        yield cluster


@pytest.fixture
def preempted_person(cancelling: SlurmCluster, user: str, home: Path) -> Iterator[Person]:
    """Somebody who works there."""
    person = Person(user, home, cancelling)
    yield person
    person.leave()


@pytest.mark.own_cluster
def test_what_is_cancelled_for_another_job_comes_back(preempted_person: Person) -> None:
    person = preempted_person
    person.write_file("site.yaml", STRICT.format(mark=MARK))
    ranks = {"tasks_per_node": 2}
    running = Running.launch(person, ranks, "--site", "site.yaml", STAND_IN_STEPS="100")
    running.wait_for_steps()
    with running.preempted():
        verdict = running.wait_for_verdict()
        assert (verdict["reason"], verdict["comes_back"]) == ("preempted", True)
        assert not person.store.root.cancelled(running.experiment.id).exists()
    running.wait_for_end(attempt=2)
