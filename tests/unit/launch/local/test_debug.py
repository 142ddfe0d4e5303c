"""Training in the calling process, with a module that only pretends."""

import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from launch.local.debug import run_debug
from launch.status.state import State
from launch.store import Experiment
from launch.store.records import read_record
from pcm.errors import RefusedError
from pcm.run_dir import AttemptDir, write_json
from tests.local.launches import make_launch


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    [only] = make_launch(tmp_path / "runs of 'é'")
    return only


@pytest.fixture
def pretend(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[AttemptDir], None]], None]:
    """Puts a function in the place of `python -m pcm`."""

    def put(train: Callable[[AttemptDir], None]) -> None:
        def run_module(name: str, *, run_name: str, alter_sys: bool) -> None:
            assert (name, run_name, alter_sys) == ("pcm", "__main__", True)
            assert sys.argv[1:3] == [str(experiment.run_dir.path), "--attempt"]
            train(experiment.run_dir.attempt(int(sys.argv[3])))

        monkeypatch.setattr(runpy, "run_module", run_module)

    return put


Pretend = Callable[[Callable[[AttemptDir], None]], None]


def test_it_ends_done_in_this_process(experiment: Experiment, pretend: Pretend) -> None:
    before = list(sys.argv)
    pretend(lambda files: write_json(files.finished, {"step": 1}))
    assert run_debug(experiment).state is State.DONE
    assert sys.argv == before
    record = read_record(experiment.run_dir.attempt(1).attempt)
    assert (record["executor"], record["world_size"]) == ("debug", 1)


@pytest.mark.parametrize("code", [1, 3, "a message"])
def test_an_exit_code_is_a_failure(
    experiment: Experiment, pretend: Pretend, code: int | str
) -> None:
    def leave(files: AttemptDir) -> None:
        raise SystemExit(code)

    pretend(leave)
    status = run_debug(experiment)
    assert status.state is State.FAILED
    assert status.detail == f"rank 0: exit code {code if isinstance(code, int) else 1}"


def test_a_stop_can_be_resumed_from_a_checkpoint_of_choice(
    experiment: Experiment, pretend: Pretend
) -> None:
    def stop(files: AttemptDir) -> None:
        write_json(files.stop, {"reason": "interrupt"})
        write_json(files.stopped, {})
        raise SystemExit(75)

    pretend(stop)
    assert run_debug(experiment).state is State.STOPPED

    def finish(files: AttemptDir) -> None:
        assert sys.argv[4:] == ["--checkpoint", "best"]
        write_json(files.finished, {})
        raise SystemExit

    pretend(finish)
    status = run_debug(experiment, checkpoint="best")
    assert (status.state, status.attempt) == (State.DONE, 2)


def test_a_second_ctrl_c_is_a_stop_without_checkpoint(
    experiment: Experiment, pretend: Pretend
) -> None:
    def interrupt(files: AttemptDir) -> None:
        raise KeyboardInterrupt

    pretend(interrupt)
    status = run_debug(experiment)
    assert status.state is State.STOPPED
    assert "before it wrote a checkpoint" in status.detail


def test_an_end_without_a_word_is_a_failure(experiment: Experiment, pretend: Pretend) -> None:
    pretend(lambda _: None)
    assert run_debug(experiment).state is State.FAILED


def test_several_ranks_are_refused(tmp_path: Path) -> None:
    [experiment] = make_launch(tmp_path, world_size=2)
    with pytest.raises(RefusedError, match="2 ranks, and debugging runs one"):
        run_debug(experiment)
    assert not experiment.run_dir.path.exists()
