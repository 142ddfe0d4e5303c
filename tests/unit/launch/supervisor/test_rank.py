"""One rank's loop, with a training process that only pretends."""

import shutil
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from launch.machine.processes import Process
from launch.machine.signals import Received, SignalFlag
from launch.store import LaunchDir
from launch.store.records import read_record
from launch.supervisor import heartbeat
from launch.supervisor import rank as module
from launch.supervisor.attempt import Attempt
from launch.supervisor.job import Job
from launch.supervisor.outcomes import fail, has_silent_rank, record_outcome, record_silence
from launch.supervisor.rank import Rank
from launch.supervisor.training import Outcome, TrainingProcess
from pcm.run_dir import AttemptDir, RunDir, write_json
from pcm.run_dir.records import KilledCompanionsRecord
from pcm.run_dir.typed_json import write

DEAD = Process.current().record() | {"process_started": "1"}


class PretendedTraining(TrainingProcess):
    """Ends as it is told, after a few looks at it, or when it is killed."""

    def __init__(self, outcome: Outcome, looks: int = 3) -> None:
        self.command = ["train"]
        self.process = Process.current()
        self._outcome = outcome
        self._looks = looks

    def poll(self) -> Outcome | None:
        self._looks -= 1
        return None if self._looks >= 0 else self._outcome

    def kill(self) -> None:
        self._looks = 0
        self._outcome = Outcome(None, "SIGKILL", killed=True)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_INTERVAL_S", 0.001)
    monkeypatch.setattr(module, "PEERS_INTERVAL_S", 0.0)
    monkeypatch.setattr(module, "GRACE_S", 0.02)
    monkeypatch.setattr(heartbeat, "INTERVAL_S", 0.001)


@pytest.fixture
def files(tmp_path: Path) -> AttemptDir:
    files = RunDir(tmp_path / "an experiment").attempt(1)
    files.path.mkdir(parents=True)
    return files


Run = Callable[..., Outcome]


@pytest.fixture
def run(files: AttemptDir, job: Job) -> Run:
    """Runs one rank of two to its end."""

    def run(
        outcome: Outcome = Outcome(0, None),  # noqa: B008 - it is frozen
        *,
        looks: int = 3,
        rank: int = 0,
        signals: tuple[str, ...] = (),
        launcher: Process | None = None,
        nodes: int = 1,
    ) -> Outcome:
        run_dir = RunDir(files.path.parents[1])
        attempt = Attempt(LaunchDir(Path("/no launch")), run_dir, files, [], [], 1)
        flag = SignalFlag(())
        flag.received = [Received(name, 0.0) for name in signals]
        place = replace(job, rank=rank, launcher=launcher, local_world_size=2 // nodes)
        return Rank(attempt, place, flag).run(PretendedTraining(outcome, looks))

    return run


@pytest.mark.parametrize(
    ("kills", "change", "is_oom"),
    [(1, {}, False), (2, {}, True), (1, {"host": "another"}, True), (1, {"group": "0::/b"}, True)],
)
def test_a_killed_companion_is_no_lack_of_memory_of_training(
    run: Run, files: AttemptDir, kills: int, change: dict[str, str], *, is_oom: bool
) -> None:
    group = change.get("group", Path("/proc/self/cgroup").read_text())
    host = change.get("host", socket.gethostname())
    write(files.killed_companions, KilledCompanionsRecord(host, group, ["the pictures"]))
    outcome = run(Outcome(1, None, out_of_memory=True, oom_kills=kills))
    assert outcome.out_of_memory is is_oom
    assert read_record(files.failed)["out_of_memory"] is is_oom


def test_processes_and_outcome_are_written_down(files: AttemptDir, run: Run) -> None:
    write_json(files.finished, {})
    run()
    me = Process.current()
    record = read_record(files.supervisor(0))
    assert Process.from_record(record) == Process.from_record(record, "child_") == me
    outcome = read_record(files.outcome(0))
    assert (outcome["exit_code"], outcome["signal"], outcome["killed"]) == (0, None, False)
    assert not files.failed.exists()
    assert not files.stop.exists()


def test_a_signal_becomes_a_request_to_stop(files: AttemptDir, run: Run) -> None:
    run(signals=("SIGUSR2", "SIGTERM"))
    assert read_record(files.stop)["by"] == "SIGUSR2"


def test_the_first_request_stays(files: AttemptDir, run: Run) -> None:
    write_json(files.stop, {"by": "pcm cancel", "reason": "cancel"})
    run(signals=("SIGTERM",))
    assert read_record(files.stop)["reason"] == "cancel"


def test_a_launcher_that_is_gone_becomes_a_request_to_stop(files: AttemptDir, run: Run) -> None:
    run(launcher=Process.current())
    assert not files.stop.exists()
    run(launcher=Process.from_record(DEAD))
    assert read_record(files.stop)["by"] == "the launcher's end"


def test_training_whose_run_directory_was_deleted_ends_all_the_same(
    files: AttemptDir, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PCM_STOP_MINUTES", "0.0001")
    shown = PretendedTraining.poll
    ends = []

    def poll(training: PretendedTraining) -> Outcome | None:
        shutil.rmtree(files.path, ignore_errors=True)
        outcome = shown(training)
        ends.extend([] if outcome is None else [outcome])
        return outcome

    monkeypatch.setattr(PretendedTraining, "poll", poll)
    with pytest.raises(FileNotFoundError):
        run(signals=("SIGTERM",), looks=5_000)
    assert [end.killed for end in ends] == [True]


def test_a_failure_elsewhere_ends_this_rank_after_a_grace(files: AttemptDir, run: Run) -> None:
    fail(files, 1, exit_code=1)
    assert run(looks=10_000).killed
    assert read_record(files.failed)["rank"] == 1
    assert read_record(files.outcome(0))["killed"] is True


def test_within_the_grace_a_rank_tells_its_own_end(files: AttemptDir, run: Run) -> None:
    fail(files, 1, exit_code=1)
    assert run(Outcome(1, None)) == Outcome(1, None)
    assert read_record(files.failed)["rank"] == 1


def test_a_killed_supervisor_is_noticed_by_its_peers(files: AttemptDir, run: Run) -> None:
    write_json(files.supervisor(1), DEAD)
    assert run(looks=10_000).killed
    failed = read_record(files.failed)
    assert (failed["rank"], failed["message"]) == (1, "its supervisor was killed")


def test_a_supervisor_that_ended_in_order_is_not_missed(files: AttemptDir, run: Run) -> None:
    write_json(files.supervisor(1), DEAD)
    write_json(files.outcome(1), {})
    write_json(files.finished, {})
    assert not run().killed
    assert not files.failed.exists()


def test_supervisors_of_other_machines_are_not_judged(files: AttemptDir, run: Run) -> None:
    write_json(files.supervisor(1), DEAD | {"host": "another-machine"})
    write_json(files.finished, {})
    assert not run().killed
    assert not files.failed.exists()


def test_a_node_that_falls_silent_ends_the_job(files: AttemptDir, run: Run) -> None:
    write_json(files.supervisor(1), DEAD | {"host": "another-machine"})
    assert run(looks=100_000, nodes=2).killed
    failed = read_record(files.failed)
    assert failed["rank"] == 1
    assert "nothing is heard of its supervisor on another-machine" in failed["message"]
    assert has_silent_rank(files)


def test_silence_after_the_end_is_no_failure(files: AttemptDir, run: Run) -> None:
    write_json(files.supervisor(1), DEAD | {"host": "another-machine"})
    write_json(files.finished, {})
    assert not run(looks=100, nodes=2).killed
    assert not files.failed.exists()
    assert not has_silent_rank(files)


def test_who_was_taken_for_dead_and_wakes_up_changes_nothing(files: AttemptDir, run: Run) -> None:
    write_json(files.supervisor(0), {"host": "this-one"})
    record_silence(files, 0)
    run(Outcome(1, None))
    assert has_silent_rank(files)
    assert "nothing is heard" in read_record(files.failed)["message"]


@pytest.mark.parametrize(
    ("rank", "outcome", "marker", "fails"),
    [
        (0, Outcome(0, None), "finished", False),
        (0, Outcome(75, None), "stopped", False),
        (0, Outcome(0, None), None, True),
        (0, Outcome(75, None), None, True),
        (1, Outcome(0, None), None, False),
        (1, Outcome(75, None), None, False),
        (1, Outcome(1, None), None, True),
        (1, Outcome(None, "SIGSEGV"), None, True),
        (1, Outcome(1, None), "finished", False),
        (0, Outcome(None, "SIGSEGV"), "finished", False),
        (1, Outcome(1, None), "stopped", True),
        (1, Outcome(None, "SIGKILL", killed=True), None, False),
    ],
)
def test_markers_decide_and_exit_codes_inform(
    files: AttemptDir, rank: int, outcome: Outcome, marker: str | None, *, fails: bool
) -> None:
    if marker is not None:
        write_json(getattr(files, marker), {})
    record_outcome(files, rank, outcome)
    assert files.failed.exists() is fails
    if fails:
        failed = read_record(files.failed)
        assert (failed["rank"], failed["exit_code"]) == (rank, outcome.exit_code)
        assert failed["signal"] == outcome.signal


def test_a_python_without_pcm_is_the_reason(files: AttemptDir) -> None:
    files.log(0).write_text("module: loaded\n/my envs/python: No module named pcm\n")
    record_outcome(files, 0, Outcome(1, None))
    assert read_record(files.failed)["message"].startswith("/my envs/python, which is to train")
