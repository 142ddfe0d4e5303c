"""What no job could tell is told by who looks, once."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from launch.notify.noticing import Noticing
from launch.notify.occasions import notice_end
from launch.status.looking import Looking
from launch.store import Experiment
from pcm.run_dir.attempt_records import AttemptRecord, VerdictRecord
from pcm.run_dir.records import FailureRecord, FinishedRecord
from pcm.run_dir.typed_json import write
from tests.unit.launch.notify.test_occasions import end, sweep, told


def look(experiments: Sequence[Experiment], noticing: Noticing | None = None) -> list[str]:
    """What the person who looks is told besides the table."""
    warnings: list[str] = []
    looking = Looking(warnings.append)
    noticing = noticing or Noticing(looking, warnings.append)
    noticing.look(experiments, looking.lines(experiments))
    return warnings


def die(experiment: Experiment) -> None:
    """Its node goes down: a beginning, and no end."""
    files = experiment.run_dir.attempt(1)
    files.path.mkdir(parents=True)
    record = AttemptRecord(1, host="n1", pid=1, process_started="1", executor="local")
    write(files.attempt, record)
    for file in (files.attempt, files.path):
        os.utime(file, (0, 0))


def test_a_node_that_died_last_is_told_by_who_looks(tmp_path: Path, program: Path) -> None:
    experiments = sweep(tmp_path / "runs", [str(program)], ("a", "b"))
    end(experiments[0], FinishedRecord(10, 1))
    notice_end(experiments[0].launch, experiments[0].id, print)
    die(experiments[1])
    # One experiment is enough to look at.
    assert look(experiments[1:]) == []
    failure, ended = told(program)
    assert failure.startswith("pcm: an experiment of a sweep has failed\n")
    assert "its processes are gone and left no word" in failure
    assert ended.startswith("pcm: a sweep has ended: 1 done, 1 lost\n")
    look(experiments)
    look(experiments[:1])
    assert len(told(program)) == 2


def test_what_goes_on_is_not_told(tmp_path: Path, program: Path) -> None:
    experiments = sweep(tmp_path / "runs", [str(program)], ("a", "b", "c"))
    look(experiments)
    end(experiments[0], FinishedRecord(10, 1))
    look(experiments)
    # Its supervisor lives, and may bring it back.
    end(experiments[1], FailureRecord(0, message="a node died"), executor="slurm")
    look(experiments)
    assert told(program) == []


def test_what_comes_back_in_a_moment_is_not_told_before_it_failed_to(
    tmp_path: Path, program: Path
) -> None:
    (only,) = sweep(tmp_path / "runs", [str(program)], ("only",))
    end(only, FailureRecord(0, message="its node died"))
    verdict = only.run_dir.attempt(1).verdict
    write(verdict, VerdictRecord("node_fail", comes_back=True))
    look([only])
    assert told(program) == []
    os.utime(verdict, (0, 0))
    look([only])
    assert len(told(program)) == 2


def test_a_watch_tries_again_only_when_more_has_ended(tmp_path: Path) -> None:
    experiments = sweep(tmp_path / "runs", ["/no/such/program"], ("a", "b"))
    warnings: list[str] = []
    noticing = Noticing(Looking(), warnings.append)
    die(experiments[0])
    look(experiments, noticing)
    look(experiments, noticing)
    assert len(warnings) == 1
    assert "/no/such/program" in warnings[0]
    end(experiments[1], FinishedRecord(10, 1))
    look(experiments, noticing)
    assert len(warnings) == 3


def test_nobody_tells_in_the_name_of_another(
    tmp_path: Path, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (only,) = sweep(tmp_path / "runs", [str(program)], ("only",))
    end(only, FinishedRecord(10, 1))
    with monkeypatch.context() as patch:
        patch.setattr(os, "getuid", lambda: 12345)
        look([only])
    assert told(program) == []
    look([only])
    assert len(told(program)) == 1


def test_a_damaged_sweep_is_nobody_elses_news(tmp_path: Path, program: Path) -> None:
    (only,) = sweep(tmp_path / "runs", [str(program)], ("only",))
    die(only)
    only.launch.sweep.write_text("{")
    assert look([only]) == []
    assert told(program) == []


def test_a_command_that_looks_tells(
    tmp_path: Path, program: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from launch.cli.commands.status import status

    (only,) = sweep(tmp_path / "runs", [str(program)], ("only",))
    die(only)
    status(["a sweep"], runs_dir=tmp_path / "runs")
    assert "lost" in capsys.readouterr().out
    assert len(told(program)) == 2
