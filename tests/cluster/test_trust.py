"""On a real Slurm: what others could have changed does not run as the one who submitted it."""

import os
import pwd
import stat
import subprocess
import sys

import pytest

from launch.store import Experiment
from launch.store.submissions import Submission, all_submissions
from tests.cluster.faulty import Sbatch
from tests.cluster.person import HELD, PCM, Person, wait_for

pytestmark = pytest.mark.own_cluster

STRANGER = 65534

OLD_ARRAY = """
script=${@: -1}; folder=$(dirname "$script")
sed -i 's/-m launch.supervisor/-m submitit.core._submit/' "$script"
PYTHON -c '
import sys
from pathlib import Path
from submitit.core.utils import DelayedSubmission
from launch.slurm.task import run_task
run_task.__module__ = "launch.slurm.task"
folder = Path(sys.argv[1])
DelayedSubmission(run_task, sys.argv[1]).dump(folder / "payload.pkl")
' "$folder"
grep -q "launch.slurm.task" "$folder/payload.pkl" || exit 1
export FOLDER="$folder"
exec $sbatch "$@"
"""
"""An sbatch that gets arrays as version 0.1.0 wrote them: submitit unpickles what they run."""

OLD_SETUP = """
sbatch: {hold: ''}
setup:
  - task="$FOLDER/${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
  - ln -sf payload.pkl "$task"_submitted.pkl
"""


def launch_held(person: Person) -> tuple[Experiment, Submission]:
    """One experiment whose job waits, launched with the umask of those who share files."""
    person.write_file("site.yaml", HELD)
    words = (PCM, "launch", person.write_grid(1), "--site", "site.yaml", "--yes")
    done = person.run("sh", "-c", 'umask 002; exec "$@"', "sh", *words)
    assert done.returncode == 0, done.stderr
    [submission] = all_submissions(person.store.root)
    return person.experiments()[0], submission


def release(person: Person, submission: Submission) -> None:
    person.cluster.run("scontrol", "release", submission.job_id or "")


def as_colleague(person: Person, *command: str) -> int:
    """Exit code of what another user of the same group does."""
    group = pwd.getpwnam(person.name).pw_gid
    done = subprocess.run(
        command, user=STRANGER, group=group, extra_groups=[], capture_output=True, check=False
    )
    return done.returncode


def test_a_colleague_can_change_nothing_that_runs(person: Person) -> None:
    experiment, submission = launch_held(person)
    launch = submission.files.launch
    frozen = [launch.path, *launch.path.rglob("*")]
    assert {"script.sh", "intent.json", "points.jsonl"} <= {path.name for path in frozen}
    assert not [path for path in frozen if path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)]
    for path in (submission.files.intent, launch.points):
        assert as_colleague(person, "sh", "-c", 'echo >> "$1"', "sh", str(path)) != 0
    # Others may launch here as well, but not put theirs in the place of this one.
    assert as_colleague(person, "mv", str(launch.path), f"{launch.path}-away") != 0
    mine = launch.path.parent / "a colleague's"
    assert as_colleague(person, "mkdir", str(mine)) == 0
    release(person, submission)
    person.wait_for_empty_queue()
    [attempt] = experiment.run_dir.attempts()
    assert attempt.finished.exists(), attempt.log(0).read_text()
    assert not experiment.run_dir.config.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)


@pytest.mark.parametrize("what", ["another's file", "another's folder", "open to all"])
def test_what_was_replaced_while_a_job_waited_is_not_run(person: Person, what: str) -> None:
    experiment, submission = launch_held(person)
    launch = submission.files.launch
    if what == "another's file":
        os.chown(launch.points, STRANGER, STRANGER)
    elif what == "another's folder":
        os.chown(launch.path, STRANGER, STRANGER)
    else:
        submission.files.intent.chmod(0o666)
    release(person, submission)
    person.wait_for_empty_queue()
    assert experiment.run_dir.attempts() == []
    told = person.pcm("status").stdout
    wrong = "could have been changed by others" if what == "open to all" else "belongs to"
    assert wrong in told
    assert "PCM_TRUST_OTHERS=1" in told
    again = person.try_pcm("launch", "sweep.yaml", "--yes")
    assert wrong not in again.stderr, "a launch of their own is not another's"
    person.wait_for_empty_queue()


def test_resuming_what_another_launched_is_refused(person: Person) -> None:
    experiment, submission = launch_held(person)
    person.pcm("cancel", experiment.id, "--yes")
    person.wait_for_empty_queue()
    os.chown(submission.files.launch.points, STRANGER, STRANGER)
    refused = person.try_pcm("resume", experiment.id)
    assert refused.returncode == 4
    assert "belongs to" in refused.stderr
    person.pcm("resume", experiment.id, PCM_TRUST_OTHERS="1")
    release(person, max(all_submissions(person.store.root), key=lambda each: each.time))
    person.wait_for_empty_queue()
    wait_for(lambda: any(each.finished.exists() for each in experiment.run_dir.attempts()), 5)


def test_an_array_of_the_version_before_still_runs(person: Person) -> None:
    sbatch = Sbatch(person)
    sbatch.behave(OLD_ARRAY.replace("PYTHON", sys.executable))
    person.write_file("site.yaml", OLD_SETUP)
    [experiment] = person.launch(person.write_grid(1), "--site", "site.yaml")
    [submission] = all_submissions(person.store.root)
    assert "submitit.core._submit" in submission.files.script.read_text()
    release(person, submission)
    person.wait_for_empty_queue()
    [attempt] = experiment.run_dir.attempts()
    assert attempt.finished.exists(), attempt.log(0).read_text()
