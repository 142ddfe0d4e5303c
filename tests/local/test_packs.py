"""Allocations that run several experiments, with a Slurm that is played by a script."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from launch.pack.drawing import Draw, Drawing
from launch.pack.returning import come_back
from launch.site import Pack
from launch.slurm.queue import NOT_ASKED, Queue, Task
from launch.status.state import State
from launch.status.statuses import read_statuses
from launch.store import Experiment, RunsRoot
from launch.store.claims import Claims, Hold, note_allocation
from launch.store.host_records import AllocationRecord
from launch.store.markers import cancel
from launch.store.records import read_record
from launch.store.submissions import SubmissionDir, read_submission, submissions_of
from launch.supervisor.job import Job
from launch.supervisor.requeue import FRUITLESS_MOST, OWN_CLOCK
from pcm.run_dir import write_json
from tests.local.conftest import first_attempt, trains
from tests.local.conftest import wait_for as wait_for_seconds
from tests.local.launches import make_launch

SCONTROL = """#!/bin/bash
if [ "$1" = requeue ]; then
    [ -e {folder}/sbatch ] && echo "Job has been disabled" >&2 && exit 1
    echo "$2" >> {folder}/requeued; exit 0
fi
[ "$2" = config ] && exit 0
tasks=${{4#*_}}
[ "$4" = 7 ] && tasks="0 1"
for task in $tasks; do
    state=$(cat {folder}/state-7_"$task" 2> /dev/null || echo "{running}")
    echo "JobId=7 ArrayJobId=7 ArrayTaskId=$task Restarts=0 Requeue=1 $state"
done
"""

SBATCH = """#!/bin/bash
{answer}
"""
"""Of a site that forbids requeues."""

RUNNING = "JobState=RUNNING Reason=None"


@dataclass
class Slurm:
    """One array of packs, and what a controller says of it."""

    submission: SubmissionDir
    experiments: list[Experiment]
    folder: Path

    @property
    def claims(self) -> Claims:
        """Who has what."""
        submission = read_submission(self.submission)
        assert submission is not None
        return Claims(submission)

    def say(self, task: int, said: str) -> None:
        """What it says of a task from now on."""
        (self.folder / f"state-7_{task}").write_text(said)

    @property
    def requeued(self) -> list[str]:
        """The tasks that were sent back."""
        path = self.folder / "requeued"
        return path.read_text().split() if path.exists() else []

    def held(self, index: int) -> Hold:
        """How an experiment stands among the claims."""
        experiment_id = self.experiments[index].id
        return self.claims.standings(self.claims.task_of(experiment_id))[experiment_id].hold

    def attempts(self) -> list[int]:
        """How many each experiment has."""
        return [len(each.run_dir.attempts()) for each in self.experiments]

    def states(self, *tasks: Task) -> list[State]:
        """Of the experiments, with these tasks in the queue."""
        queue = Queue({task.id: task for task in tasks}) if tasks else NOT_ASKED
        return [each.state for each in read_statuses(self.experiments, queue).values()]


Start = Callable[..., "subprocess.Popen[str]"]

PATIENCE_S = 180.0
"""Each experiment begins with fresh processes here, which takes its time on a busy machine."""


def wait_for(condition: Callable[[], Any]) -> Any:
    """The condition's first true value."""
    return wait_for_seconds(condition, PATIENCE_S)


@pytest.fixture
def slurm(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Slurm:
    """Five experiments in packs of three, two at once, and nothing of them begun."""
    experiments = make_launch(root, [f"point {number}" for number in range(5)])
    files = SubmissionDir(experiments[0].launch.submissions / "token")
    files.path.mkdir(parents=True)
    pack = asdict(Pack(per_job=3, per_gpu=2))
    ids = [each.id for each in experiments]
    write_json(files.intent, {"array": ids, "time": time.time() - 600, "pack": pack})
    write_json(files.outcome, {"job_id": "7", "reason": "", "time": time.time() - 600})
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "scontrol").write_text(SCONTROL.format(folder=programs, running=RUNNING))
    (programs / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return Slurm(files, experiments, programs)


@pytest.fixture
def start(slurm: Slurm) -> Iterator[Start]:
    """Starts a task of the array, as its script would."""
    started: list[subprocess.Popen[str]] = []

    def begin(task: int, restarts: int = 0, **variables: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "launch.pack", str(slurm.submission.path)],
            env={
                **os.environ,
                **variables,
                "SLURM_ARRAY_JOB_ID": "7",
                "SLURM_ARRAY_TASK_ID": str(task),
                "SLURM_JOB_ID": str(70 + task),
                "SLURM_RESTART_COUNT": str(restarts),
                "SLURM_PROCID": "0",
                "SLURM_LOCALID": "0",
                "SLURM_NODEID": "0",
                "SLURM_NTASKS": "1",
                "SLURM_NNODES": "1",
                "SLURM_CPUS_PER_TASK": "2",
                "PCM_SLURM_START": str(time.time_ns()),
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def finish(process: "subprocess.Popen[str]") -> str:
    """What it said, once it has ended as it should."""
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    return errors


def test_two_allocations_do_each_experiment_once(slurm: Slurm, start: Start) -> None:
    cancel(RunsRoot(slurm.experiments[0].launch.root), slurm.experiments[3].id)
    first, second = start(0, STAND_IN_STEPS="80"), start(1)
    wait_for(lambda: trains(slurm.experiments[0]))
    # A crash of one touches no other.
    record = wait_for(lambda: read_record(first_attempt(slurm.experiments[0]).supervisor(0)))
    os.kill(record["child_pid"], signal.SIGKILL)
    finish(first)
    finish(second)
    assert slurm.attempts() == [1, 1, 1, 0, 1]
    ends = (State.FAILED, State.DONE, State.DONE, State.CANCELLED, State.DONE)
    assert tuple(slurm.states()) == ends
    assert slurm.requeued == []
    assert {slurm.held(number) for number in range(5)} == {Hold.OVER}
    attempt = read_record(first_attempt(slurm.experiments[1]).attempt)
    assert attempt["job_id"] in ("7_0", "7_1")
    assert (attempt["executor"], attempt["is_packed"]) == ("slurm", True)
    # Nothing is drawn again, whoever looks.
    assert "nothing is left" in finish(start(0, restarts=1))
    assert sum(slurm.attempts()) == 4


def test_what_is_preempted_saves_and_comes_back(slurm: Slurm, start: Start) -> None:
    process = start(0, STAND_IN_STEPS="4000")
    running = slurm.experiments[:2]
    wait_for(lambda: all(trains(each) for each in running))
    tasks = (Task("7_0", "RUNNING", token="token"), Task("7_1", "PENDING", token="token"))
    assert slurm.states(*tasks) == [State.RUNNING] * 2 + [State.PENDING] * 3
    slurm.say(0, f"{RUNNING} PreemptTime={int(time.time())}")
    process.send_signal(signal.SIGTERM)
    assert "preempted: job 7_0 is sent back" in finish(process)
    assert slurm.requeued == ["7_0"]
    for each in running:
        assert first_attempt(each).stopped.exists()
        verdict = read_record(first_attempt(each).verdict)
        assert (verdict["reason"], verdict["is_sent_back"]) == ("preempted", True)
    back = (Task("7_0", "PENDING", restarts=1, token="token"), tasks[1])
    assert slurm.states(*back) == [State.REQUEUED] * 2 + [State.PENDING] * 3
    slurm.say(0, RUNNING)
    finish(start(0, restarts=1))
    assert slurm.attempts() == [2, 2, 1, 0, 0]
    assert slurm.states()[:3] == [State.DONE] * 3
    for each in running:
        step = read_record(first_attempt(each).stopped)["step"]
        assert f"goes on from step {step}\n" in each.run_dir.attempt(2).log(0).read_text()


def test_an_allocation_that_never_begins_anything_is_not_sent_back_for_ever(
    slurm: Slurm, start: Start
) -> None:
    allocation = slurm.claims.allocation("7_0")
    note_allocation(allocation, AllocationRecord("", "", 0, "", fruitless=FRUITLESS_MOST - 2))
    # Its end is asked for before it could begin anything.
    slurm.say(0, f"{RUNNING} PreemptTime={int(time.time())}")
    assert "preempted: job 7_0 is sent back" in finish(start(0, restarts=1))
    said = finish(start(0, restarts=2))
    assert f"job 7_0 does not come back {FRUITLESS_MOST} attempts in a row" in said
    assert slurm.requeued == ["7_0"]
    assert slurm.attempts() == [0] * 5
    # What it has left is drawn by another one, or launched again.
    slurm.say(0, RUNNING)
    finish(start(0, restarts=3))
    assert read_record(allocation)["fruitless"] == 0


def test_one_that_is_cancelled_at_the_end_of_its_time_is_not_sent_back(slurm: Slurm) -> None:
    drawing = drawing_of(slurm, 0)
    slurm.say(0, "JobState=COMPLETING Reason=None")
    launch = slurm.experiments[0].launch
    said = come_back(drawing, launch, job_of(0), OWN_CLOCK, 0)
    assert "cancel: job 7_0 does not come back" in said
    assert slurm.requeued == []


def test_a_dead_allocation_is_taken_over_and_what_it_left(slurm: Slurm, start: Start) -> None:
    process = start(0, STAND_IN_STEPS="4000")
    wait_for(lambda: all(trains(each) for each in slurm.experiments[:2]))
    process.kill()
    process.wait()
    # Its supervisors see that it is gone, and let go.
    wait_for(lambda: all(first_attempt(each).verdict.exists() for each in slurm.experiments[:2]))
    slurm.say(0, "JobState=CANCELLED Reason=None")
    finish(start(1))
    assert slurm.states() == [State.DONE] * 5
    assert slurm.attempts() == [2, 2, 1, 1, 1]


def test_one_of_two_that_want_an_experiment_gets_it(slurm: Slurm) -> None:
    claims, wanted = slurm.claims, slurm.experiments[0].id
    seen = claims.standings(0)[wanted]
    assert claims.take(wanted, seen, "7_0", "one") == 1
    assert claims.take(wanted, seen, "7_1", "two") is None
    claims.give_back(wanted, 1)
    again = claims.standings(0)[wanted]
    assert claims.take(wanted, again, "7_1", "two") == 2
    # The one that gave it back can't undo that.
    claims.close(wanted, 1)
    assert claims.standings(0)[wanted].hold is Hold.HELD


def test_what_a_full_disk_keeps_from_being_given_back_is_not_left_behind(slurm: Slurm) -> None:
    drawing = drawing_of(slurm, 0)
    back, done = drawing.next(), drawing.next()
    assert back is not None
    assert done is not None
    with without_claims(slurm):
        for owed in (lambda: drawing.give_back(back), lambda: drawing.close(done), drawing.next):
            with pytest.raises(OSError, match="claims/0"):
                owed()
        # This start can't say so; another one, which finds its claim, does what it had.
        assert drawing.is_left()
    assert drawing.next() == Draw(back.id, 2)
    assert slurm.held(1) is Hold.OVER


def job_of(task: int) -> Job:
    """The first start of a task."""
    own = Job.in_this_process(None)
    return replace(own, id=f"7_{task}", key=f"7_{task}-0", token="token")


def drawing_of(slurm: Slurm, task: int) -> Drawing:
    """What it draws by."""
    return Drawing(slurm.claims, job_of(task), 0)


@pytest.mark.parametrize(
    ("answer", "said", "hold"),
    [
        ("echo 8", "job 8 goes on in its place", Hold.OVER),
        ("echo no such partition >&2; exit 1", "nor another job in its place", Hold.FREE),
    ],
)
def test_what_was_drawn_for_others_goes_on_too_where_nothing_is_sent_back(
    slurm: Slurm, answer: str, said: str, hold: Hold
) -> None:
    (slurm.folder / "sbatch").write_text(SBATCH.format(answer=answer))
    (slurm.folder / "sbatch").chmod(0o755)
    launch = slurm.experiments[0].launch
    cancel(RunsRoot(launch.root), slurm.experiments[0].id)
    ours, others = drawing_of(slurm, 0), drawing_of(slurm, 1)
    drawn = [ours.next() for _ in range(3)]
    assert [each and each.id for each in drawn] == [each.id for each in slurm.experiments[1:4]]
    last = others.next()
    for drawing, draw in ((others, last), *((ours, each) for each in drawn[:2])):
        assert draw is not None
        drawing.close(draw)
    # The other one has ended by now: it saw that this one has all that is left.
    assert others.next() is None
    assert drawn[2] is not None
    ours.give_back(drawn[2])
    assert ours.is_left()
    assert said in come_back(ours, launch, job_of(0), OWN_CLOCK, 0)
    assert slurm.held(3) is hold
    handed_over = [each for each in submissions_of(launch) if each.job_id == "8"]
    wanted = [(slurm.experiments[3].id,)] if hold is Hold.OVER else []
    assert [each.array for each in handed_over] == wanted


def test_what_nobody_else_would_draw_brings_an_allocation_back(slurm: Slurm) -> None:
    ours, others = drawing_of(slurm, 0), drawing_of(slurm, 1)
    for _ in range(3):
        draw = ours.next()
        assert draw is not None
        ours.close(draw)
    assert others.next() is not None
    assert not ours.is_left()
    slurm.say(1, "JobState=CANCELLED Reason=None")
    assert ours.is_left()


def test_what_an_ended_allocation_left_fills_all_places_of_another_one(slurm: Slurm) -> None:
    ours, others = drawing_of(slurm, 0), drawing_of(slurm, 1)
    others.next(), others.next()
    drawn = [ours.next() for _ in range(3)]
    assert None not in drawn
    # Nobody asks Slurm again and again while there is something to be done.
    assert ours.next() is ours.last(at_once=False) is None
    slurm.say(1, "JobState=CANCELLED Reason=None")
    assert ours.last(at_once=False) is None
    left = [ours.last(at_once=True), ours.last(at_once=False)]
    assert [each and each.id for each in left] == [each.id for each in slurm.experiments[3:]]


def test_a_run_directory_that_is_deleted_meanwhile_is_told_of(
    slurm: Slurm, start: Start, tmp_path: Path
) -> None:
    for each in slurm.experiments[1:]:
        cancel(RunsRoot(each.launch.root), each.id)
    process = start(0, STAND_IN_STEPS="4000")
    wait_for(lambda: trains(slurm.experiments[0]))
    # What is removed file by file may get new ones meanwhile.
    slurm.experiments[0].run_dir.path.rename(tmp_path / "deleted")
    assert "its run directory is gone: was it deleted?" in finish(process)
    assert slurm.attempts() == [0, 0, 0, 0, 0]
    assert slurm.states() == [State.FAILED, *[State.CANCELLED] * 4]


def test_time_is_kept_for_a_useful_part(slurm: Slurm, start: Start) -> None:
    # Seconds are left when the first two have ended: too few for another one.
    slurm.say(0, f"{RUNNING} EndTime={int(time.time()) + 12}")
    said = finish(start(0, STAND_IN_STEPS="60"))
    assert "job 7_0 is sent back" in said
    assert slurm.attempts()[2:] == [0, 0, 0]


@contextmanager
def without_claims(slurm: Slurm) -> Iterator[None]:
    """None of the first task can be read or written until the block ends."""
    claims = slurm.submission.path / "claims" / "0"
    claims.rename(claims.with_name("away"))
    claims.touch()
    yield
    claims.unlink()
    claims.with_name("away").rename(claims)


def test_those_that_run_go_on_where_nothing_new_can_begin(slurm: Slurm, start: Start) -> None:
    process = start(0, STAND_IN_STEPS="100")
    wait_for(lambda: all(trains(each) for each in slurm.experiments[:2]))
    with without_claims(slurm):
        record = wait_for(lambda: read_record(first_attempt(slurm.experiments[0]).supervisor(0)))
        os.kill(record["child_pid"], signal.SIGKILL)
        assert process.stderr is not None
        said = next(line for line in process.stderr if "no experiment can be drawn" in line)
        assert "claims/0" in said
    finish(process)
    assert slurm.held(0) is Hold.OVER
    assert slurm.states()[:3] == [State.FAILED, State.DONE, State.DONE]
    assert slurm.attempts()[:3] == [1, 1, 1]


def test_what_runs_in_a_job_that_slurm_cancels_is_cancelled(slurm: Slurm, start: Start) -> None:
    process = start(0, STAND_IN_STEPS="4000")
    wait_for(lambda: all(trains(each) for each in slurm.experiments[:2]))
    slurm.say(0, "JobState=COMPLETING Reason=None")
    process.send_signal(signal.SIGTERM)
    finish(process)
    assert slurm.requeued == []
    finish(start(1))
    assert slurm.states() == [State.CANCELLED] * 2 + [State.DONE] * 3
    assert slurm.attempts() == [1, 1, 1, 1, 1]
