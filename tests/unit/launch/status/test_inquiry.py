"""What Slurm is asked further, with clients of ours in its place, and what is kept of it."""

import os
import time
from pathlib import Path

import pytest

from launch.slurm.queue import Queue, Task
from launch.status.history import ends
from launch.status.looking import Looking
from launch.status.state import State
from launch.status.statuses import look
from launch.store import Experiment, RunsRoot
from launch.store.submissions import SubmissionDir
from launch.store.words import LastWord, keep_words, read_words
from launch.submit.cancelling import cancel_all
from launch.submit.sweep import open_arrays
from pcm.run_dir import write_json
from tests.unit.launch.status.test_queues import attempt, experiments, hand_over, queue
from tests.unit.launch.submit.conftest import Fake, fake

__all__ = ["experiments", "fake"]

INVALID = "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1"
DISABLED = "echo 'Slurm accounting storage is disabled' >&2; exit 1"


@pytest.fixture
def calls(fake: Fake, tmp_path: Path) -> Path:
    """No client of Slurm knows anything; each call is noted in this file."""
    path = tmp_path / "calls"
    path.touch()
    for name, script in {"squeue": "exit 0", "scontrol": INVALID, "sacct": DISABLED}.items():
        fake(name, f'echo "{name} $*" >> "{path}"; {script}')
    return path


def names(calls: Path) -> list[str]:
    found = [line.partition(" ")[0] for line in calls.read_text().splitlines()]
    calls.write_text("")
    return found


def seen(experiments: list[Experiment]) -> list[tuple[State, str]]:
    """What a command sees that looks once."""
    return [(line.state, line.status.detail) for line in Looking().lines(experiments)]


def states(experiments: list[Experiment]) -> list[State]:
    return [state for state, _ in seen(experiments)]


def test_what_nobody_knows_of_is_lost_and_asked_for_once(
    experiments: list[Experiment], calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launch.store.words.LAG_S", 0.0)
    hand_over(experiments, "7")
    assert states(experiments) == [State.LOST] * 3
    assert names(calls) == ["squeue", "scontrol", "sacct"], "once for all of them"
    assert states(experiments) == [State.LOST] * 3
    assert names(calls) == ["squeue"]


def test_accounting_that_lags_is_asked_once_more(
    experiments: list[Experiment], calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_over(experiments, "7")
    now = time.time()
    for after, asked in ((0.0, 1), (1.0, 2), (70.0, 3), (80.0, 3)):
        monkeypatch.setattr(time, "time", lambda after=after: now + after)
        assert states(experiments) == [State.LOST] * 3
        assert calls.read_text().count("sacct ") == asked


def test_what_was_handed_over_a_moment_ago_is_pending(
    experiments: list[Experiment], calls: Path
) -> None:
    hand_over(experiments, "7", when=time.time() - 100)
    assert seen(experiments) == [(State.PENDING, "Slurm does not list it")] * 3
    assert states(experiments) == [State.PENDING] * 3
    assert names(calls).count("scontrol") == 2, "it may know tomorrow"


def test_a_colleagues_hidden_jobs_are_pending(
    experiments: list[Experiment], calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_over(experiments, "7")
    us = os.getuid()
    monkeypatch.setattr("os.getuid", lambda: us + 1)
    assert seen(experiments) == [(State.PENDING, "Slurm does not list it")] * 3


def test_a_colleagues_half_known_array_is_left_open(
    experiments: list[Experiment], calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = RunsRoot(experiments[0].launch.root)
    hand_over(experiments, None, settled=False)
    assert len(open_arrays(root)) == 1
    us = os.getuid()
    monkeypatch.setattr("os.getuid", lambda: us + 1)
    assert open_arrays(root) == []
    assert states(experiments) == [State.PENDING] * 3


def test_the_controller_is_asked_where_the_list_is_empty(
    experiments: list[Experiment], calls: Path, fake: Fake
) -> None:
    token = hand_over(experiments, "7").token
    rest = f"Restarts=0 Reason=Priority StartTime=N/A JobName=x Comment={token}"
    lines = [
        f"JobId=8 ArrayJobId=7 ArrayTaskId=0 JobState=RUNNING {rest}",
        f"JobId=7 ArrayJobId=7 ArrayTaskId=1-2%1 JobState=PENDING {rest}",
    ]
    fake("scontrol", f"printf '%s\\n' '{lines[0]}' '{lines[1]}'")
    assert states(experiments) == [State.RUNNING, State.PENDING, State.PENDING]
    fake("scontrol", f"printf '%s\\n' '{lines[0]}' '{lines[1]}' | sed s/{token}/{'0' * 32}/")
    assert states(experiments) == [State.LOST] * 3, "another's job of the same number"


def test_accounting_is_asked_for_what_the_controller_has_forgotten(
    experiments: list[Experiment], calls: Path, fake: Fake
) -> None:
    hand_over(experiments, "7")
    rows = ["7_0|CANCELLED by 12|None|150|a sweep", "7_1|FAILED|BadConstraints|150|a sweep"]
    rows += ["7_2|CANCELLED|None|150|somebody else's"]
    fake("sacct", f"echo \"$*\" >> '{calls}'; cat <<'E'\n" + "\n".join(rows) + "\nE")
    assert states(experiments) == [State.CANCELLED, State.FAILED, State.LOST]
    assert "--jobs=7 " in calls.read_text()
    fake("sacct", "exit 1")
    assert states(experiments) == [State.CANCELLED, State.FAILED, State.LOST], "it is kept"


def test_a_site_without_accounting_is_not_asked(experiments: list[Experiment], calls: Path) -> None:
    launch = experiments[0].launch
    write_json(launch.sweep, launch.record | {"site_record": {"accounting": False}})
    del launch.__dict__["record"]
    hand_over(experiments, "7")
    assert states(experiments) == [State.LOST] * 3
    assert names(calls) == ["squeue", "scontrol"]


def test_another_cluster_is_asked_by_its_name(
    experiments: list[Experiment], calls: Path, fake: Fake
) -> None:
    files = hand_over(experiments, "7")
    write_json(files.outcome, {"job_id": "7", "cluster": "big", "reason": ""})
    row = f"7|0|PENDING|0|0||Priority|{files.token}|"
    fake("squeue", f'echo "squeue $*" >> "{calls}"; echo "CLUSTER: big"; echo "{row}"')
    fake("scancel", f'echo "scancel $*" >> "{calls}"')
    assert states(experiments[:1]) == [State.PENDING]
    assert all("--clusters=big" in line for line in calls.read_text().splitlines())
    calls.write_text("")
    assert cancel_all(RunsRoot(experiments[0].launch.root), [experiments[0].id]) is None
    assert "scancel --quiet --clusters=big 7_[0]" in calls.read_text()


def test_a_cluster_that_gives_no_answer_says_nothing_of_its_jobs(
    experiments: list[Experiment], calls: Path, fake: Fake
) -> None:
    files = hand_over(experiments[:1], "7")
    write_json(files.outcome, {"job_id": "7", "cluster": "big", "reason": ""})
    hand_over(experiments[1:], "8")
    fake("squeue", 'case "$*" in *clusters=big*) exit 1;; esac')
    assert seen(experiments)[0] == (State.PENDING, "Slurm does not answer")
    assert states(experiments)[1:] == [State.LOST] * 2


def test_the_last_word_is_kept_when_it_is_seen(
    experiments: list[Experiment], calls: Path, fake: Fake
) -> None:
    files = hand_over(experiments, "7")
    killed = attempt(experiments[1], "7_1-0")
    write_json(killed.stop, {"reason": "interrupt", "by": "SIGTERM"})
    rows = [
        f"7|0|FAILED|0|0||BadConstraints|{files.token}|",
        f"7|1|CANCELLED|0|0||None|{files.token}|",
    ]
    fake("squeue", "cat <<'E'\n" + "\n".join(rows) + "\nE")
    first = seen(experiments[:2])
    assert [state for state, _ in first] == [State.FAILED, State.CANCELLED]
    assert "no node has what it asks for (BadConstraints)" in first[0][1]
    fake("squeue", "exit 0")
    assert seen(experiments[:2]) == first
    assert read_words(files)[1] == LastWord("CANCELLED", "None")


def test_a_word_of_before_a_requeue_says_nothing_of_what_came_then(
    experiments: list[Experiment],
) -> None:
    files = hand_over(experiments, "7")
    keep_words(files, {0: LastWord("CANCELLED", restarts=1)})
    attempt(experiments[0], "7_0-1")
    assert look(experiments[:1], queue()).statuses[experiments[0].id].state is State.CANCELLED
    attempt(experiments[0], "7_0-2", number=2)
    assert look(experiments[:1], queue()).statuses[experiments[0].id].state is State.LOST


@pytest.mark.parametrize("text", ["", "[", '{"x": 1, "0": {"state": []}, "1": 5}'])
def test_damaged_words_are_none(tmp_path: Path, text: str) -> None:
    files = SubmissionDir(tmp_path)
    files.words.write_text(text)
    assert read_words(files) == {}
    keep_words(files, {2: LastWord("FAILED", "x")})
    assert read_words(files) == {2: LastWord("FAILED", "x")}


def test_a_waiting_task_that_is_taken_out_vanishes(experiments: list[Experiment]) -> None:
    token = hand_over(experiments, "7").token

    def found(*tasks: Task) -> list[State]:
        return [each.state for each in look(experiments, queue(*tasks)).statuses.values()]

    waits, runs = Task("7_0", "PENDING", token=token), Task("7_0", "RUNNING", token=token)
    assert found(waits) == [State.PENDING, State.CANCELLED, State.CANCELLED]
    # They may have run before it, and been forgotten.
    assert found(runs) == [State.RUNNING, State.LOST, State.LOST]
    record = Task("7", "CANCELLED", token=token)
    assert found(runs, record) == [State.RUNNING, State.CANCELLED, State.CANCELLED]
    assert found(Task("7", "CANCELLED", token="f" * 32)) == [State.LOST] * 3


def test_a_refused_scancel_is_told_as_such(
    experiments: list[Experiment], calls: Path, fake: Fake
) -> None:
    token = hand_over(experiments, "7").token
    fake("squeue", f"echo '7|0|PENDING|0|0||Priority|{token}|'")
    fake("scancel", "echo 'scancel: error: Access/permission denied' >&2; exit 1")
    root = RunsRoot(experiments[0].launch.root)
    refused = cancel_all(root, [experiments[0].id])
    assert refused is not None
    assert refused.startswith("Slurm refuses to cancel them (")
    fake("scancel", "echo 'Unable to contact slurm controller' >&2; exit 1")
    assert str(cancel_all(root, [experiments[0].id])).startswith("Slurm does not answer (")


def test_each_attempts_end_is_told(experiments: list[Experiment], calls: Path) -> None:
    experiment = experiments[0]
    hand_over(experiments, "7")
    preempted = attempt(experiment, "7_0-0")
    write_json(preempted.stopped, {"step": 3})
    write_json(preempted.verdict, {"reason": "preempted", "comes_back": True})
    attempt(experiment, "7_0-1", number=2)
    attempt(experiment, "7_0-2", number=3)
    listed = Queue({"7_0": Task("7_0", "CANCELLED", 2)})
    status = look([experiment], listed).statuses[experiment.id]
    assert [end for _, end in ends(experiment, status)] == [
        "requeued: preempted",
        "requeued: by Slurm, with no word of its own",
        "cancelled: job 7_0 was cancelled",
    ]
