"""Waiting for what Slurm was given, with clients of ours in its place."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from launch.status.state import Line, State
from launch.store import Experiment, RunsRoot, Store
from launch.store.markers import cancel
from launch.submit import following, returns
from launch.submit.following import follow
from launch.submit.launches import Launched, submit_owed
from pcm.run_dir import AttemptDir, write_json
from tests.unit.launch.status.test_queues import attempt, experiments, hand_over
from tests.unit.launch.submit.conftest import Fake

__all__ = ["experiments"]

VERDICT = {"reason": "time_limit", "comes_back": True, "is_sent_back": False, "detail": "no"}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "INTERVAL_S", 0.01)
    monkeypatch.setattr(following, "QUEUE_INTERVAL_S", 0.01)
    monkeypatch.setattr(returns, "PAUSE_S", 0.01)


@pytest.fixture
def owed(experiments: list[Experiment]) -> AttemptDir:
    """The last attempt of an experiment whose job was to come back, and didn't."""
    hand_over(experiments[:1], "7")
    files = attempt(experiments[0], "7_0-0")
    write_json(experiments[0].run_dir.experiment, {"identity": experiments[0].identity})
    write_json(files.stopped, {"step": 3})
    write_json(files.verdict, VERDICT)
    return files


def wait(experiment: Experiment, told: list[str]) -> State:
    """Its state when nobody waits any more."""
    store = Store(experiment.launch.root)
    shown: list[State] = []

    def show(lines: Sequence[Line]) -> None:
        shown.append(lines[0].state)

    completion = follow(Launched([experiment]), store, None, show, told.append)
    assert not completion.is_interrupted
    return completion.statuses[experiment.id].state


def test_what_could_not_be_sent_back_is_submitted_again(
    experiments: list[Experiment], owed: AttemptDir, fake: Fake
) -> None:
    # The new job is at its end before sbatch is.
    fake("sbatch", f'echo "{{}}" > "{owed.finished}"; echo 8')
    told: list[str] = []
    assert wait(experiments[0], told) is State.DONE
    assert told == [
        "1 experiment could not be sent back, submitted again",
        "job 8: 1 experiment",
    ]


def test_where_slurm_refuses_it_again_and_again_waiting_ends(
    experiments: list[Experiment], owed: AttemptDir, fake: Fake, tmp_path: Path
) -> None:
    calls = tmp_path / "calls"
    refused = "sbatch: error: Invalid account or account/partition combination specified"
    fake("sbatch", f'echo x >> "{calls}"; echo "{refused}" >&2; exit 1')
    told: list[str] = []
    assert wait(experiments[0], told) is State.STOPPED
    assert len(calls.read_text().split()) == returns.MOST
    assert any(text.startswith("warning: not submitted again: ") for text in told)


def test_what_was_cancelled_meanwhile_stays_so(
    experiments: list[Experiment], owed: AttemptDir, fake: Fake
) -> None:
    fake("sbatch", "echo 8")
    store = Store(experiments[0].launch.root)
    cancel(RunsRoot(store.root.path), experiments[0].id)
    told: list[str] = []
    assert submit_owed(experiments[:1], store, None, told.append) is None
    assert not told
    assert wait(experiments[0], told) is State.CANCELLED
    assert not told
