"""What people and daemons do while experiments wait and run."""

import os
import shutil

from launch.supervisor.attempt import OTHER_CODE
from tests.cluster.faulty import Sbatch
from tests.cluster.person import TESTS, Person
from tests.cluster.running import LONG, PATIENCE_S, Running

HELD = "sbatch: {hold: ''}\n"
"""A site where jobs wait until somebody lets them go."""


def test_of_two_resumes_at_once_one_is_left_out(person: Person) -> None:
    running = Running.launch(person, STAND_IN_FAIL="0")
    running.wait_for_verdict()
    running.wait_until_over()
    sbatch = Sbatch(person)
    sbatch.behave('sleep 2\nexec $sbatch "$@"')
    words = ("resume", running.experiment.id)
    resumes = [person.start_pcm(*words, **LONG) for _ in range(2)]
    told = ["\n".join(each.communicate(timeout=PATIENCE_S)) for each in resumes]
    assert [each.returncode for each in resumes] == [0, 0], told
    # One that looks when the other is done finds it pending already.
    refused = [any(part in text for part in ("left out", "left as it is")) for text in told]
    assert sorted(refused) == [False, True], told
    assert sbatch.calls == 1
    running.wait_for_steps(attempt=2)
    assert len(running.experiment.run_dir.attempts()) == 2


def test_one_that_runs_in_slurm_cannot_be_resumed_elsewhere(person: Person) -> None:
    running = Running.launch(person, **LONG)
    running.wait_for_steps()
    told = person.pcm("resume", running.experiment.id, "--executor", "local").stdout
    assert "running, left as it is" in told
    assert len(running.experiment.run_dir.attempts()) == 1


def test_code_that_is_edited_while_the_job_waits_is_told(person: Person) -> None:
    code = person.project / "code"
    for package in ("launch", "pcm"):
        shutil.copytree(TESTS.parent / package, code / package)
    person.environment["PYTHONPATH"] = os.fspath(code)
    person.write_file("site.yaml", HELD)
    [experiment] = person.launch(person.write_grid(1), "--site", "site.yaml")
    text = (code / "pcm" / "__init__.py").read_text()
    person.write_file("code/pcm/__init__.py", f"{text}\n# An afterthought.\n")
    held = person.queue("pending")[0].partition("_")[0]
    person.cluster.run("scontrol", "release", held)
    person.wait_for_empty_queue(PATIENCE_S)
    [attempt] = experiment.run_dir.attempts()
    assert OTHER_CODE in attempt.log(0).read_text()
    assert "edited after the launch" in person.pcm("why", experiment.id).stdout
