import json

import pytest

from launch.report.status import (
    by_interest,
    epoch,
    reached,
    remarks,
    status_records,
    status_row,
    status_table,
)
from launch.status.state import Line, State, Status
from pcm.run_dir.attempt_records import ProgressRecord

PROGRESS = ProgressRecord(
    phase="training", epoch=3, max_epochs=20, step=600, loss=0.25, rate=12.5, eta=272.0
)


def line(state: State, *, progress: ProgressRecord | None = None, detail: str = "") -> Line:
    return Line("0123456789", "mnist-0", Status(state, detail, 1, progress))


def test_a_running_experiment_shows_all_there_is() -> None:
    row = status_row(line(State.RUNNING, progress=PROGRESS))
    assert row == ["0123456789", "mnist-0", "running", "3/20", "0.25", "12.5", "4m 32s"]


@pytest.mark.parametrize("state", [State.DONE, State.FAILED, State.LOST, State.CANCELLED])
def test_what_has_ended_has_no_speed_and_no_time_left(state: State) -> None:
    assert status_row(line(state, progress=PROGRESS))[3:] == ["3/20", "0.25", "", ""]


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_a_row_before_the_first_progress(state: State) -> None:
    assert status_row(line(state)) == ["0123456789", "mnist-0", str(state), "", "", "", ""]


def test_epochs_without_a_limit_have_no_slash() -> None:
    assert epoch(ProgressRecord(epoch=0)) == "0"
    assert epoch(ProgressRecord(epoch=7, max_epochs=None)) == "7"


def test_a_script_is_at_its_step_and_at_no_epoch_that_it_never_named() -> None:
    assert reached(ProgressRecord(step=40)) == "step 40"
    assert reached(ProgressRecord(step=0, total_steps=200)) == "step 0/200"
    assert reached(ProgressRecord(step=40, epoch=2)) == "2"
    assert reached(ProgressRecord()) == ""
    silent = Line("0123456789", "x", Status(State.RUNNING, progress=ProgressRecord()))
    assert status_row(silent)[3] == ""


def test_what_runs_comes_first_and_what_is_done_last() -> None:
    states = [State.DONE, State.PENDING, State.FAILED, State.CANCELLED, State.RUNNING]
    found = [found.state for found in by_interest(line(state) for state in states)]
    assert found == [
        State.RUNNING,
        State.FAILED,
        State.PENDING,
        State.DONE,
        State.CANCELLED,
    ]


def test_before_the_first_epoch_a_row_says_what_is_going_on() -> None:
    assert status_row(line(State.RUNNING, detail="starting"))[3] == "starting"
    assert status_row(line(State.FAILED, detail="rank 0: it broke"))[3] == ""


def test_remarks_name_the_experiment() -> None:
    failed = line(State.FAILED, detail="rank 1: CUDA out of memory")
    starting = line(State.RUNNING, detail="starting")
    assert remarks([line(State.DONE), starting, failed], now=0.0) == [
        "0123456789 failed: rank 1: CUDA out of memory"
    ]


def test_records_are_plain_data() -> None:
    [record] = json.loads(json.dumps(status_records([line(State.RUNNING, progress=PROGRESS)])))
    assert record["id"] == "0123456789"
    assert record["state"] == "running"
    assert record["progress"]["epoch"] == 3


def test_those_that_wait_for_the_same_share_a_remark() -> None:
    def waits(state: State, detail: str, start: float | None = None) -> Line:
        status = Status(state, detail, job="7_1", expected_start=start)
        return Line("0123456789", "a", status)

    lines = [
        waits(State.PENDING, "others are before it (Priority)"),
        waits(State.PENDING, "others are before it (Priority)", 1300.0),
        waits(State.PENDING, "others are before it (Priority)", 1120.0),
        waits(State.REQUEUED, "was put back (BeginTime)", 1060.0),
        waits(State.PENDING, "held", 900.0),
    ]
    assert remarks(lines, now=1000.0) == [
        "3 pending: others are before it (Priority); the first is expected to start in 2m 00s",
        "1 requeued: was put back (BeginTime); expected to start in 1m 00s",
        "1 pending: held",
    ]


def test_an_odd_thing_about_a_running_one_is_said_though_its_cell_has_the_epoch() -> None:
    odd = line(State.RUNNING, detail="nothing was heard of it", progress=PROGRESS)
    assert remarks([odd], now=0.0) == ["0123456789 running: nothing was heard of it"]


def test_jobs_have_a_column_where_there_are_any() -> None:
    def headings(*lines: Line) -> list[str]:
        return [str(column.header) for column in status_table(lines).columns]

    on_slurm = Line("0123456789", "a", Status(State.PENDING, job="7_1"))
    assert "job" not in headings(line(State.RUNNING))
    assert headings(line(State.RUNNING), on_slurm)[2:4] == ["state", "job"]


def test_what_cannot_be_saved_is_remarked_while_it_runs() -> None:
    progress = ProgressRecord(unsaved_since=100.0, unsaved="No space left on device")
    lines = [line(state, progress=progress) for state in (State.RUNNING, State.FAILED)]
    assert remarks(lines, now=820.0) == [
        "0123456789 running: could not save for 12m 00s: No space left on device"
    ]
