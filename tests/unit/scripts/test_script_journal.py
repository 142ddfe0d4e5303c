"""What a script logs, in the journal of its experiment."""

import json
from pathlib import Path
from typing import Any

import pytest

from pcm.run_dir import RunDir, read_journal
from pcm.run_dir.summary import read_summary
from pcm.scripts.script_journal import ScriptJournal
from pcm.scripts.script_progress import ScriptProgress
from pcm.scripts.script_run import next_pause


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDir:
    return RunDir(tmp_path)


def log(run_dir: RunDir, attempt: int, *records: Any, torn: str = "") -> None:
    files = run_dir.attempt(attempt)
    files.path.mkdir(parents=True, exist_ok=True)
    with files.logged.open("a") as stream:
        stream.write("".join(json.dumps(record) + "\n" for record in records) + torn)


def taken(run_dir: RunDir, attempt: int) -> ScriptJournal:
    journal = ScriptJournal(run_dir, run_dir.attempt(attempt), ScriptProgress())
    journal.settle()
    journal.close()
    return journal


def steps(run_dir: RunDir) -> list[tuple[int, int]]:
    return [(row.attempt, row.step) for row in read_journal(run_dir.metrics)]


def test_lines_become_rows_whatever_else_stands_there(run_dir: RunDir) -> None:
    lines = [{"step": 1, "loss": 0.5, "note": "text"}, {"loss": 1, "epoch": 2}, [1], {"x": "y"}]
    log(run_dir, 1, *lines, {"pcm": "stopping"}, torn='{"step": 9, "lo')
    journal = taken(run_dir, 1)
    rows = read_journal(run_dir.metrics)
    assert [(row.step, row.epoch, row.values) for row in rows] == [
        (1, 0, {"loss": 0.5}),
        (1, 2, {"loss": 1.0}),
    ]
    assert journal.marks == {"stopping"}
    assert read_summary(run_dir) == journal.summary


ODD_LINES = [
    b"{'loss': 1}",
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b'{"step": 1, "half a character \\ud800": 1}',
    b'{"step": 1, "loss": ' + b"1" * 5000 + b"}",
]

ODD_NUMBERS = [
    b'{"step": 1, "loss": 1' + b"0" * 400 + b', "time": 1' + b"0" * 400 + b"}",
    b'{"step": -1, "loss": NaN, "epoch": 1' + b"0" * 400 + b"}",
    b'{"step": 1' + b"0" * 400 + b', "loss": -1e999}',
]


@pytest.mark.parametrize("line", ODD_LINES)
def test_what_is_no_object_is_told_and_nothing_else_is_lost(
    run_dir: RunDir, line: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    log(run_dir, 1, {"step": 1, "loss": 1})
    logged = run_dir.attempt(1).logged
    logged.write_bytes(logged.read_bytes() + line + b"\n" + line + b'\n{"step": 2, "loss": 1}\n')
    taken(run_dir, 1)
    assert steps(run_dir) == [(1, 1), (1, 2)]
    warning = capsys.readouterr().err
    assert warning.count("is left out, it is no JSON object with a number: ") == 1
    assert len(warning) < 500


def test_numbers_that_no_float_can_hold(run_dir: RunDir) -> None:
    log(run_dir, 1)
    run_dir.attempt(1).logged.write_bytes(b"\n".join([b"", *ODD_NUMBERS]))
    taken(run_dir, 1)
    rows = read_journal(run_dir.metrics)
    assert [(row.step, row.epoch) for row in rows] == [(1, 0), (1, 0), (1, 0)]
    assert [str(row.values["loss"]) for row in rows] == ["inf", "nan", "-inf"]
    assert all(row.time < 1e12 for row in rows)


def test_the_last_line_needs_no_end(run_dir: RunDir) -> None:
    log(run_dir, 1, {"step": 1, "loss": 1}, torn='{"step": 2, "loss": 0.5}')
    assert taken(run_dir, 1).summary.step == 2
    log(run_dir, 2, {"step": 3, "loss": 1})
    taken(run_dir, 2)
    assert steps(run_dir) == [(1, 1), (1, 2), (2, 3)]


@pytest.mark.parametrize(
    ("lines", "step", "epoch"),
    [
        ([], None, None),
        ([{"pcm": "stopping"}], None, None),
        ([{"loss": 1}], None, None),
        ([{"step": 7, "loss": 1}, {"loss": 2}], 7, None),
        ([{"step": 7, "epoch": 0, "loss": 1}, {"step": 8, "loss": 2}], 8, 0),
        ([{"step": "7", "epoch": 1.5, "loss": 1}], None, None),
    ],
)
def test_a_script_is_as_far_as_it_says_and_no_further(
    run_dir: RunDir, lines: list[Any], step: int | None, epoch: int | None
) -> None:
    log(run_dir, 1, *lines)
    progress = ScriptProgress()
    journal = ScriptJournal(run_dir, run_dir.attempt(1), progress)
    journal.look()
    journal.close()
    record = progress.record()
    assert (record["step"], record["epoch"]) == (step, epoch)


def test_a_look_says_whether_anything_was_new(run_dir: RunDir) -> None:
    log(run_dir, 1, {"step": 1, "loss": 1}, torn='{"step": 2, ')
    journal = ScriptJournal(run_dir, run_dir.attempt(1), ScriptProgress())
    looks = [journal.look(), journal.look()]
    log(run_dir, 1, torn='"loss": 1}\n')
    looks += [journal.look(), journal.look()]
    journal.close()
    assert looks == [True, False, True, False]


def test_the_longer_a_script_logs_nothing_the_seldomer_it_is_looked_at() -> None:
    pauses = [1.0]
    for is_new in (False, False, False, False, True):
        pauses.append(next_pause(pauses[-1], is_new=is_new))
    assert pauses == [1.0, 2.0, 4.0, 5.0, 5.0, 1.0]


def test_an_attempt_takes_back_what_it_computes_again(run_dir: RunDir) -> None:
    log(run_dir, 1, *({"step": step, "loss": 1} for step in range(1, 8)))
    taken(run_dir, 1)
    log(run_dir, 2, {"step": 6, "loss": 2}, {"step": 7, "loss": 2})
    taken(run_dir, 2)
    assert steps(run_dir) == [*((1, step) for step in range(1, 6)), (2, 6), (2, 7)]


def test_what_was_logged_in_the_moment_of_a_kill_is_not_lost(run_dir: RunDir) -> None:
    log(run_dir, 1, {"step": 1, "loss": 1}, {"step": 2, "loss": 1})
    taken(run_dir, 1)
    log(run_dir, 1, {"step": 3, "loss": 1})
    log(run_dir, 2, {"step": 4, "loss": 1})
    assert taken(run_dir, 2).summary.step == 4
    assert steps(run_dir) == [(1, 1), (1, 2), (1, 3), (2, 4)]
    taken(run_dir, 2)
    assert len(steps(run_dir)) == 4
