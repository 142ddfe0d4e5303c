"""What people and daemons do while experiments wait and run."""

import os
import re
import shutil
import socket

from launch.supervisor.attempt import OTHER_CODE
from tests.cluster.faulty import Sbatch
from tests.cluster.person import HELD, TESTS, Person, wait_for
from tests.cluster.running import LONG, PATIENCE_S, Running


def test_of_two_resumes_at_once_one_is_refused(person: Person) -> None:
    running = Running.launch(person, STAND_IN_FAIL="0")
    running.wait_for_verdict()
    running.wait_until_over()
    sbatch = Sbatch(person)
    sbatch.behave('sleep 2\nexec $sbatch "$@"')
    words = ("resume", running.experiment.id)
    resumes = [person.start_pcm(*words, **LONG) for _ in range(2)]
    told = {each: each.communicate(timeout=PATIENCE_S)[1] for each in resumes}
    done, refused = sorted(resumes, key=lambda each: each.returncode)
    assert (done.returncode, refused.returncode) == (0, 4), told
    # One that looks when the other is done may find it running already.
    held = rf"{running.experiment.id} .* is not resumed: it (waits|runs) as job \d+_0 of Slurm\n"
    assert re.search(held, told[refused]), told
    assert "not resumed" not in told[done]
    assert sbatch.calls == 1
    running.wait_for_steps(attempt=2)
    assert len(running.experiment.run_dir.attempts()) == 2


def test_of_two_resumes_at_once_on_this_machine_one_is_refused(person: Person) -> None:
    words = ("launch", person.write_grid(1), "--executor", "local", "--yes")
    assert person.try_pcm(*words, STAND_IN_FAIL="0").returncode == 1
    [experiment] = person.experiments()
    resumes = [person.start_pcm("resume", experiment.id, **LONG) for _ in range(2)]
    refused = wait_for(lambda: next((each for each in resumes if each.poll() == 4), None))
    host = socket.gethostname()
    assert f": attempt 2 on {host}, process " in refused.communicate()[1]
    [other] = [each for each in resumes if each is not refused]
    assert other.poll() is None
    person.pcm("cancel", experiment.id, "--yes")
    other.communicate(timeout=PATIENCE_S)
    assert other.returncode == 130
    assert len(experiment.run_dir.attempts()) == 2


def test_one_that_runs_in_slurm_cannot_be_resumed_elsewhere(person: Person) -> None:
    running = Running.launch(person, **LONG)
    running.wait_for_steps()
    refused = person.try_pcm("resume", running.experiment.id, "--executor", "local")
    assert refused.returncode == 4
    assert f"it runs as job {running.task} of Slurm\n" in refused.stderr
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
