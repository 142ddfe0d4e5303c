"""What becomes of jobs that Slurm's list does not name: how Slurm said that they ended is kept."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from launch.store.submissions import Submission, all_submissions
from tests.cluster.person import HELD, Person, wait_for
from tests.cluster.running import LONG, Running
from tests.cluster.slurm import SlurmCluster, install

pytestmark = pytest.mark.own_cluster

FORGETFUL = ["MinJobAge=10", "EnforcePartLimits=NO", "KillWait=3"]
"""A job that has ended is out of squeue's list in a minute, when Slurm tidies up."""

TYPED = '"gpus_per_node": 1, "gpu_type": "nosuch"'
"""GPUs that no node has; one rank, as without."""

NOTING = """\
#!/bin/sh
echo "sbatch: your budget is nearly used up" >&2
PATH=/usr/local/bin:/usr/bin:/bin exec sbatch "$@"
"""
"""An sbatch of a site that has something to say."""

HIDDEN = """\
#!/bin/sh
[ -e "$HOME/hidden" ] && exit 0
PATH=/usr/local/bin:/usr/bin:/bin exec squeue "$@"
"""
"""A squeue that lists nothing while a file is there, as behind a cache."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[SlurmCluster]:
    """A cluster that forgets at once, without accounting."""
    try:
        install()
    except RuntimeError as error:
        pytest.fail(f"these tests need a Slurm of their own: {error}")
    with SlurmCluster(settings=FORGETFUL) as cluster:
        yield cluster


def statuses(person: Person, *sweeps: str) -> list[dict[str, Any]]:
    told = json.loads(person.pcm("status", *sweeps, "--json").stdout)
    found: list[dict[str, Any]] = told["experiments"]
    return found


def states(person: Person, *sweeps: str) -> dict[str, int]:
    return dict(Counter(each["state"] for each in statuses(person, *sweeps)))


def submissions(person: Person) -> list[Submission]:
    return sorted(all_submissions(person.store.root), key=lambda each: each.time)


def write_grid(person: Person, name: str, seeds: list[int]) -> str:
    """A grid file of experiments that no other one has."""
    path = person.write_grid(len(seeds), name)
    text = (person.project / path).read_text()
    person.write_file(path, text.replace(f"seed: {list(range(len(seeds)))}", f"seed: {seeds}"))
    return path


def hide_queue(person: Person) -> Path:
    """Have squeue list nothing while the returned file is there."""
    path = person.write_file("hiding/squeue", HIDDEN, 0o755)
    person.environment["PATH"] = f"{path.parent}:{person.environment['PATH']}"
    hidden = person.home / "hidden"
    hidden.touch()
    return hidden


def test_what_slurm_has_forgotten_stays_what_it_was(person: Person) -> None:
    write_grid(person, "impossible", [1, 2])
    text = (person.project / "impossible.yaml").read_text()
    # Slurm takes it, and finds out when it looks for a place.
    person.write_file("impossible.yaml", text.replace('"tasks_per_node": 1', TYPED))
    person.launch("impossible.yaml")
    wait_for(lambda: states(person, "impossible") == {"failed": 2})
    assert "no node has what it asks for (BadConstraints)" in person.pcm("status").stdout

    person.write_file("site.yaml", HELD)
    person.launch(write_grid(person, "taken", [3, 4, 5]), "--site", "site.yaml")
    array = submissions(person)[-1]
    person.run("scancel", f"{array.job_id}_1")
    assert states(person, "taken") == {"pending": 2, "cancelled": 1}
    person.run("scancel", str(array.job_id))
    wait_for(lambda: states(person, "taken") == {"cancelled": 3})

    slow = person.launch(write_grid(person, "slow", [6]), **LONG, STAND_IN_CHECKPOINT="60")[-1]
    files = slow.run_dir.attempt(1)
    wait_for(files.progress.exists)
    person.run("scancel", str(submissions(person)[-1].job_id))
    wait_for(lambda: states(person, "slow") == {"cancelled": 1})

    wait_for(lambda: not person.queue("all"), 150)
    assert not files.stopped.exists()
    assert states(person, "impossible", "taken", "slow") == {"failed": 2, "cancelled": 4}
    # A later launch leaves out what somebody cancelled, and takes the new request of the rest.
    person.write_file("impossible.yaml", text)
    person.launch("impossible.yaml")
    person.launch("taken.yaml")
    wait_for(lambda: states(person, "impossible", "taken") == {"done": 2, "cancelled": 3})


def test_an_empty_list_ends_nothing(person: Person) -> None:
    hidden = hide_queue(person)
    grid = person.write_grid(1)
    launcher = person.start_pcm("launch", grid, "--yes", "--wait", STAND_IN_STEPS="300")
    wait_for(lambda: submissions(person) and submissions(person)[0].job_id)
    assert set(states(person)) <= {"pending", "running"}
    output, errors = launcher.communicate(timeout=120)
    assert launcher.returncode == 0, errors
    assert hidden.exists()
    assert "cancelled" not in output


def test_what_waits_and_is_not_listed_is_cancelled_all_the_same(person: Person) -> None:
    person.write_file("site.yaml", HELD)
    person.launch(person.write_grid(2), "--site", "site.yaml")
    hidden = hide_queue(person)
    assert [each["state"] for each in statuses(person)] == ["pending"] * 2
    person.pcm("cancel", "sweep", "--yes")
    hidden.unlink()
    assert person.queue("pending") == []


def test_a_site_is_kept_with_its_launch_and_another_may_be_named(person: Person) -> None:
    person.write_file("site.yaml", "setup: ['touch \"$HOME\"/set-up']\ndefaults: {mem: 150}\n")
    [experiment] = person.launch(
        person.write_grid(1, mem=None), "--site", "site.yaml", STAND_IN_FAIL="0"
    )
    wait_for(lambda: states(person) == {"failed": 1})
    (person.project / "site.yaml").unlink()
    (person.home / "set-up").unlink()
    person.pcm("resume", experiment.id, STAND_IN_FAIL="0")
    assert "--mem=150M" in submissions(person)[-1].files.script.read_text()
    wait_for((person.home / "set-up").exists)
    wait_for(lambda: states(person) == {"failed": 1})
    person.write_file("other.yaml", "defaults: {mem: 160}\n")
    person.pcm("resume", experiment.id, "--site", "other.yaml")
    assert (
        "--mem=160M"
        in max(submissions(person), key=lambda each: each.time).files.script.read_text()
    )
    wait_for(lambda: states(person) == {"done": 1})


def test_what_is_held_or_suspended_is_told_so(person: Person) -> None:
    running = Running.launch(person, **LONG)
    running.wait_for_steps()
    person.cluster.run("scontrol", "suspend", running.task)
    [status] = statuses(person)
    assert (status["state"], "suspended" in status["detail"]) == ("running", True)
    assert "suspended" in person.pcm("why", running.experiment.id).stdout
    person.cluster.run("scontrol", "resume", running.task)
    wait_for(lambda: statuses(person)[0]["detail"] == "")


def test_a_job_that_ended_before_training_shows_the_end_of_its_log(person: Person) -> None:
    person.write_file("site.yaml", "setup: ['echo no such licence >&2; exit 3']\n")
    [experiment] = person.launch(person.write_grid(1), "--site", "site.yaml")
    wait_for(lambda: states(person) == {"failed": 1})
    assert "no such licence" in person.pcm("why", experiment.id).stdout


def test_notes_of_sbatch_are_passed_on(person: Person) -> None:
    path = person.write_file("noting/sbatch", NOTING, 0o755)
    person.environment["PATH"] = f"{path.parent}:{person.environment['PATH']}"
    done = person.pcm("launch", person.write_grid(1), "--yes")
    assert "note: sbatch: your budget is nearly used up" in done.stderr


def test_the_end_of_a_requeued_attempt_is_told_as_such(person: Person) -> None:
    running = Running.launch(person, **LONG)
    running.wait_for_steps()
    with running.preempted():
        running.wait_for_verdict()
    running.wait_for_steps(2)
    told = person.pcm("show", running.experiment.id).stdout
    assert "requeued: preempted" in told
    assert "without a word" not in told
