"""Grids handed to a real Slurm: each experiment once, whatever goes wrong at sbatch."""

import json
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from launch.store import Experiment
from launch.store.submissions import Submission, all_submissions, read_unsubmitted
from tests.cluster.faulty import TIMED_OUT, Sbatch
from tests.cluster.person import HELD, Person, wait_for
from tests.cluster.running import LONG
from tests.cluster.slurm import SlurmCluster
from tests.webhook import SECRET, Listener, command_lines


@pytest.fixture
def sbatch(person: Person) -> Sbatch:
    """An sbatch that does as it is told by the test."""
    return Sbatch(person)


def submissions(person: Person) -> list[Submission]:
    return list(all_submissions(person.store.root))


def tasks(person: Person) -> int:
    """Array tasks that Slurm knows of."""
    return len(person.queue())


def refusal(person: Person, *words: str) -> str:
    """What a launch that is refused tells."""
    done = person.try_pcm("launch", *words, "--yes")
    assert done.returncode == 4, f"{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stderr


def assert_each_ran_once(person: Person, experiments: list[Experiment]) -> None:
    person.wait_for_empty_queue()
    for experiment in experiments:
        [attempt] = experiment.run_dir.attempts()
        assert attempt.finished.exists(), attempt.log(0).read_text()


def test_a_grid_becomes_one_array_that_runs(person: Person) -> None:
    experiments = person.launch(person.write_grid(3))
    [submission] = submissions(person)
    assert submission.array == tuple(experiment.id for experiment in experiments)
    assert {line.partition("_")[0] for line in person.queue()} == {submission.job_id}
    assert_each_ran_once(person, experiments)
    left = {path.name for path in submission.files.path.iterdir()}
    assert not [name for name in left if name.endswith(("_submitted.pkl", "_result.pkl"))]


def test_launching_again_does_nothing(person: Person) -> None:
    grid = person.write_grid(2)
    person.write_file("site.yaml", HELD)
    person.launch(grid, "--site", "site.yaml")
    person.launch(grid, "--site", "site.yaml")
    assert tasks(person) == 2
    person.cluster.run("scontrol", "release", submissions(person)[0].job_id or "")
    assert_each_ran_once(person, person.experiments())
    person.launch(grid)
    assert len(submissions(person)) == 1


def test_the_same_grid_launched_twice_at_once_is_submitted_once(
    person: Person, sbatch: Sbatch
) -> None:
    sbatch.behave('sleep 2\nexec $sbatch "$@"')
    words = ("launch", person.write_grid(3), "--partition", person.cluster.partition, "--yes")
    launchers = [person.start_pcm(*words) for _ in range(2)]
    assert [launcher.wait(timeout=60) for launcher in launchers] == [0, 0]
    assert (sbatch.calls, tasks(person)) == (1, 3)
    assert_each_ran_once(person, person.experiments())


def test_a_thousand_points_are_one_call(person: Person, sbatch: Sbatch) -> None:
    person.write_file("site.yaml", HELD)
    person.launch(person.write_grid(1000), "--site", "site.yaml")
    [submission] = submissions(person)
    assert (sbatch.calls, tasks(person), len(submission.array)) == (1, 1000, 1000)
    assert len(list(submission.files.path.iterdir())) == 3


def test_points_that_ask_for_different_things_are_different_arrays(person: Person) -> None:
    grid = person.write_grid(1)
    axes = "zip: [{seed: [0, 1, 2, 3], resources.cpus_per_task: [1, 2, 1, 2]}]\n"
    text = (person.project / grid).read_text().replace("grid: {seed: [0]}\n", axes)
    person.write_file(grid, text)
    person.write_file("site.yaml", HELD)
    person.launch(grid, "--site", "site.yaml", "--max-parallel", "2")
    assert sorted(len(each.array) for each in submissions(person)) == [2, 2]
    asked = person.cluster.run("squeue", "-h", "-u", person.name, "-r", "-o", "%C").split()
    assert Counter(asked) == {"1": 2, "2": 2}


def test_max_parallel_holds(person: Person) -> None:
    experiments = person.launch(person.write_grid(4), "--max-parallel", "2")
    most = 0

    def is_empty() -> bool:
        nonlocal most
        most = max(most, len(person.queue("running")))
        return not person.queue("running,pending")

    wait_for(is_empty)
    assert most == 2
    assert_each_ran_once(person, experiments)


def test_max_parallel_holds_for_what_is_resumed(person: Person) -> None:
    experiments = person.launch(person.write_grid(3), "--max-parallel", "2", **LONG)
    wait_for(lambda: len(person.queue("running")) == 2)
    person.pcm("cancel", experiments[2].id, "--yes")
    person.pcm("resume", experiments[2].id)
    wait_for(lambda: "waits for another job" in person.pcm("status", experiments[2].id).stdout)
    assert len(person.queue("running")) == 2
    person.pcm("cancel", experiments[0].id, experiments[1].id, "--yes")
    wait_for(experiments[2].run_dir.attempt(1).progress.exists)


@pytest.mark.parametrize(
    "ending", [f"echo '{TIMED_OUT}' >&2; exit 1", "kill -9 $$", "echo nonsense", "exit 1"]
)
def test_a_job_that_got_in_without_sbatch_saying_so_is_found(
    person: Person, sbatch: Sbatch, ending: str
) -> None:
    sbatch.behave(f'$sbatch "$@" > /dev/null\n{ending}')
    experiments = person.launch(person.write_grid(2))
    assert (sbatch.calls, tasks(person)) == (1, 2)
    assert submissions(person)[0].job_id is not None
    assert_each_ran_once(person, experiments)


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        (TIMED_OUT, "launch again"),
        ("sbatch: error: Batch job submission failed: Invalid account", "sacctmgr"),
        ("", "--dry-run"),
    ],
)
def test_what_sbatch_refuses_can_be_launched_again(
    person: Person, sbatch: Sbatch, message: str, hint: str
) -> None:
    grid = person.write_grid(2)
    sbatch.refuse(message)
    told = refusal(person, grid)
    assert hint in told
    assert message.rpartition(": ")[2] in told
    [submission] = submissions(person)
    assert (submission.is_settled, submission.job_id, tasks(person)) == (True, None, 0)
    sbatch.behave('exec $sbatch "$@"')
    assert_each_ran_once(person, person.launch(grid))


def test_what_sbatch_of_slurm_refuses_is_told(person: Person) -> None:
    told = refusal(person, person.write_grid(1), "--partition", "nowhere")
    assert "invalid partition" in told
    assert "sinfo" in told


@pytest.mark.parametrize("got_in", [True, False])
def test_a_launcher_that_dies_at_sbatch_loses_and_doubles_nothing(
    person: Person, sbatch: Sbatch, *, got_in: bool
) -> None:
    grid = person.write_grid(2)
    accepting = '$sbatch "$@" > /dev/null\n' if got_in else ""
    sbatch.behave(f"{accepting}kill -9 $PPID")
    assert person.try_pcm("launch", grid, "--yes").returncode == -signal.SIGKILL
    assert not submissions(person)[0].is_settled
    sbatch.behave('exec $sbatch "$@"')
    experiments = person.launch(grid)
    assert [each.job_id is not None for each in submissions(person)].count(True) == 1
    assert sbatch.calls == (1 if got_in else 2)
    assert_each_ran_once(person, experiments)


def test_an_array_that_gets_in_after_it_was_given_up_does_nothing(
    person: Person, sbatch: Sbatch
) -> None:
    grid = person.write_grid(2)
    sbatch.behave('kill -9 $PPID\nwhile [ ! -e go ]; do sleep 0.1; done\nexec $sbatch "$@"')
    launcher = person.start_pcm("launch", grid, "--yes")
    assert launcher.wait(timeout=60) == -signal.SIGKILL
    given_up = submissions(person)[0]
    sbatch.behave('exec $sbatch "$@"')
    experiments = person.launch(grid)
    person.write_file("go", "")
    wait_for(lambda: tasks(person) == 4)
    assert_each_ran_once(person, experiments)
    logs = [path.read_text() for path in given_up.files.path.glob("*_log.out")]
    assert len(logs) == 2
    assert all("came too late" in log for log in logs)


def test_a_launcher_waits_for_a_slow_sbatch(person: Person, sbatch: Sbatch) -> None:
    sbatch.behave('echo "still busy" >&2\nsleep 8\nexec $sbatch "$@"')
    words = ("launch", person.write_grid(1), "--partition", person.cluster.partition, "--yes")
    assert "waiting for sbatch ... still busy" in person.pcm(*words).stdout
    assert sbatch.calls == 1
    assert_each_ran_once(person, person.experiments())


@pytest.mark.own_cluster
def test_a_controller_that_is_down_leaves_no_trace(person: Person) -> None:
    grid = person.write_grid(2)
    person.cluster.kill("slurmctld")
    try:
        told = refusal(person, grid)
    finally:
        person.cluster.start_controller()
    assert "does not answer" in told
    assert person.experiments() == []
    assert_each_ran_once(person, person.launch(grid))


@pytest.mark.own_cluster
@pytest.mark.parametrize("got_in", [True, False])
def test_a_controller_that_goes_down_at_sbatch_leaves_nothing_lost(
    person: Person, sbatch: Sbatch, *, got_in: bool
) -> None:
    # A job that Slurm is just starting when its controller goes is another story.
    person.write_file("site.yaml", HELD)
    words = (person.write_grid(2), "--site", "site.yaml")
    waiting = "touch at-sbatch\nwhile [ ! -e down ]; do sleep 0.1; done\n"
    accepting = f'$sbatch "$@" > /dev/null\n{waiting}echo "{TIMED_OUT}" >&2; exit 1'
    sbatch.behave(accepting if got_in else f'{waiting}exec $sbatch "$@"')
    partition = person.cluster.partition
    launcher = person.start_pcm("launch", *words, "--partition", partition, "--yes")
    wait_for((person.project / "at-sbatch").exists)
    # Killed, it would forget what it has just taken.
    person.cluster.kill("slurmctld", signal.SIGTERM)
    try:
        person.write_file("down", "")
        _, errors = launcher.communicate(timeout=120)
    finally:
        person.cluster.start_controller()
    assert launcher.returncode == 4, errors
    assert "nobody knows yet" in errors
    sbatch.behave('exec $sbatch "$@"')
    experiments = person.launch(*words)
    [job] = {each.job_id for each in submissions(person)} - {None}
    person.cluster.run("scontrol", "release", str(job))
    assert_each_ran_once(person, experiments)
    assert sbatch.calls == (1 if got_in else 2)


def test_a_token_reaches_the_job_and_no_file_script_or_command_line(person: Person) -> None:
    secret = "tok-5b1c0e77"
    seen: list[str] = []

    def look() -> None:
        jobs = {task.partition("_")[0] for task in person.queue("running")}
        scripts = [
            person.cluster.run("scontrol", "write", "batch_script", job, "-") for job in jobs
        ]
        seen.extend([command_lines(), *scripts])

    webhook = Listener(look)
    setup = 'printenv A_TOKEN | md5sum > "$HOME"/seen; cat /proc/[0-9]*/cmdline > "$HOME"/lines'
    person.write_file("site.yaml", json.dumps({"setup": [f"{setup} || true"]}))
    grid = person.write_grid(1)
    person.write_file(grid, f"{(person.project / grid).read_text()}notify: webhook\n")
    experiments = person.launch(
        grid,
        "--site",
        "site.yaml",
        A_TOKEN=secret,
        NEPTUNE_API_TOKEN=secret,
        PCM_NOTIFY_WEBHOOK=webhook.address,
    )
    assert_each_ran_once(person, experiments)
    webhook.close()
    assert len(webhook.bodies) == 1
    lines, script = seen
    assert "launch.supervisor" in lines
    assert "#SBATCH" in script
    assert not [each for each in seen if secret in each or SECRET in each]
    expected = person.run("sh", "-c", f"echo {secret} | md5sum").stdout
    assert (person.home / "seen").read_text() == expected
    files = [path for path in person.home.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert [path for path in files if secret.encode() in path.read_bytes()] == []
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []


def test_modules_are_loaded_before_anything_runs(person: Person) -> None:
    module = 'module() { echo "$@" >> "$HOME"/modules; [ "$2" != missing ]; }\n'
    person.write_file("modules/init/bash", module)
    person.write_file(
        "site.yaml", "modules: [python/3.12, it's]\nsetup: ['echo set up >> \"$HOME\"/modules']\n"
    )
    place = {"MODULESHOME": str(person.project / "modules")}
    experiments = person.launch(person.write_grid(1), "--site", "site.yaml", **place)
    assert_each_ran_once(person, experiments)
    assert (person.home / "modules").read_text() == "load python/3.12\nload it's\nset up\n"

    person.write_file("site.yaml", "modules: [missing]\n")
    person.launch(person.write_grid(2), "--site", "site.yaml", **place)
    person.wait_for_empty_queue()
    assert not person.experiments()[1].run_dir.path.exists()


def test_a_dry_run_prints_what_sbatch_takes(person: Person) -> None:
    grid = person.write_grid(3, gpus_per_node=1)
    shown = person.pcm(
        "launch", grid, "--partition", person.cluster.partition, "--max-parallel", "2", "--dry-run"
    )
    script = "#!/bin/bash\n" + shown.stdout.partition("#!/bin/bash\n")[2]
    assert "#SBATCH --array=0-2%2\n" in script
    assert "#SBATCH --gres=gpu:1\n" in script
    assert person.experiments() == []
    path = person.write_file("shown.sh", script)
    tested = person.run("sbatch", "--test-only", str(path))
    assert tested.returncode == 0, tested.stderr


def test_waiting_shows_results_and_leaves_with_their_exit_code(person: Person) -> None:
    grid = person.write_grid(2)
    done = person.pcm("launch", grid, "--yes", "--wait", "--json")
    assert {each["state"] for each in json.loads(done.stdout)} == {"done"}
    words = ("launch", person.write_grid(3), "--yes", "--wait")
    failed = person.try_pcm(*words, STAND_IN_FAIL="0")
    assert failed.returncode == 1
    assert "no such digit: 11" in failed.stderr


@pytest.fixture
def small_arrays(user: str, home: Path) -> Iterator[Person]:
    """Somebody on a cluster whose arrays have at most four tasks."""
    with SlurmCluster(settings=["MaxArraySize=4"]) as cluster:
        person = Person(user, home, cluster)
        yield person
        person.leave()


@pytest.mark.own_cluster
def test_large_grids_are_split_and_max_parallel_holds_for_all(small_arrays: Person) -> None:
    experiments = small_arrays.launch(small_arrays.write_grid(10), "--max-parallel", "2")
    assert [len(each.array) for each in submissions(small_arrays)].count(3) == 2
    most = 0

    def is_empty() -> bool:
        nonlocal most
        most = max(most, len(small_arrays.queue("running")))
        return not small_arrays.queue("running,pending")

    wait_for(is_empty, 120)
    assert most == 2
    assert_each_ran_once(small_arrays, experiments)


@pytest.mark.own_cluster
def test_a_refusal_half_way_says_what_is_in(small_arrays: Person) -> None:
    sbatch = Sbatch(small_arrays)
    limit = "sbatch: error: Batch job submission failed: Invalid qos specification"
    sbatch.behave(
        f'if [ "$(wc -l < calls)" = 2 ]; then echo "{limit}" >&2; exit 1; fi\nexec $sbatch "$@"'
    )
    small_arrays.write_file("site.yaml", HELD)
    grid = small_arrays.write_grid(10)
    told = refusal(small_arrays, grid, "--site", "site.yaml")
    assert "3 of 10 experiments are submitted" in told
    assert "sacctmgr" in told
    assert tasks(small_arrays) == 3
    assert "7 new: not submitted: Slurm did not take" in small_arrays.pcm("status").stdout
    small_arrays.launch(grid, "--site", "site.yaml")
    assert tasks(small_arrays) == 10
    arrays = [each.array for each in submissions(small_arrays) if each.job_id is not None]
    assert len({identifier for array in arrays for identifier in array}) == 10
    assert read_unsubmitted(small_arrays.store.root) == {}


@pytest.mark.own_cluster
def test_a_full_job_table_is_waited_for_and_told(user: str, home: Path) -> None:
    with SlurmCluster(settings=["MaxJobCount=3", "MinJobAge=2"]) as cluster:
        person = Person(user, home, cluster)
        person.write_file("site.yaml", HELD)
        person.launch(person.write_grid(2, "first"), "--site", "site.yaml")
        [held] = submissions(person)
        launcher = person.start_pcm("launch", person.write_grid(4, "second"), "--yes")
        assert launcher.stdout is not None
        told = next(line for line in launcher.stdout if "waiting" in line)
        assert "temporarily unable to accept job" in told
        cluster.run("scancel", held.job_id or "")
        assert launcher.wait(timeout=120) == 0
        assert [(len(each.array), each.job_id is None) for each in submissions(person)] == [
            (2, False),
            (2, False),
        ]
        assert len(person.queue("pending,running")) == 2
        person.leave()


def test_a_launch_that_waited_leaves_alone_what_has_ended_meanwhile(
    person: Person, sbatch: Sbatch
) -> None:
    grid = person.write_grid(2)
    sbatch.behave('$sbatch "$@"; touch submitted\nwhile [ ! -e go ]; do sleep 0.1; done')
    words = ("launch", grid, "--partition", person.cluster.partition, "--yes")
    first = person.start_pcm(*words)
    wait_for((person.project / "bin" / "sbatch").exists)
    second = person.start_pcm(*words)
    wait_for((person.project / "submitted").exists)
    person.wait_for_empty_queue()
    person.write_file("go", "")
    assert [launcher.wait(timeout=60) for launcher in (first, second)] == [0, 0]
    assert sbatch.calls == 1
    assert_each_ran_once(person, person.experiments())
