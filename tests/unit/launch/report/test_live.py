import io
from collections.abc import Sequence
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from launch.report.live import live_view, picture
from launch.status.state import Line, State, Status
from pcm.run_dir.attempt_records import ProgressRecord


def lines(*states: State) -> list[Line]:
    return [
        Line(f"{index:010x}", f"mnist-{index}", Status(state, progress=ProgressRecord(epoch=index)))
        for index, state in enumerate(states)
    ]


def piped(*pictures: Sequence[Line]) -> list[str]:
    stream = io.StringIO()
    with live_view(Console(file=stream, width=200)) as show:
        for each in pictures:
            show(each)
    return stream.getvalue().splitlines()


def drawn(experiments: Sequence[Line], height: int, width: int = 80) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, height=height, force_terminal=True, no_color=True)
    console.print(picture(experiments, console))
    return stream.getvalue()


def test_a_pipe_gets_a_line_for_each_change_alone() -> None:
    before = lines(State.PENDING, State.RUNNING)
    after = lines(State.PENDING, State.DONE)
    assert piped(before, before, after, after) == [
        "0000000000 mnist-0: pending, epoch 0",
        "0000000001 mnist-1: running, epoch 1",
        "0000000001 mnist-1: done, epoch 1",
    ]


def test_a_pipe_gets_no_control_characters() -> None:
    assert "\x1b" not in "".join(piped(lines(*State)))


def test_a_failure_says_why() -> None:
    failed = Line("0123456789", "x", Status(State.FAILED, "rank 0: ValueError: no"))
    assert piped([failed]) == ["0123456789 x: failed, rank 0: ValueError: no"]


def test_a_script_is_at_a_step_and_at_no_epoch() -> None:
    at_step = Line("0123456789", "x", Status(State.DONE, progress=ProgressRecord(step=9)))
    assert piped([at_step]) == ["0123456789 x: done, step 9"]
    silent = Line("0123456789", "x", Status(State.DONE, progress=ProgressRecord()))
    assert piped([silent]) == ["0123456789 x: done"]


def test_every_experiment_has_a_line_on_a_terminal_with_room() -> None:
    text = drawn(lines(State.RUNNING, State.DONE, State.PENDING), height=24)
    assert all(f"mnist-{index}" in text for index in range(3))
    assert "not shown" not in text


def test_a_low_terminal_shows_what_runs_and_counts_the_rest() -> None:
    many = lines(*[State.DONE] * 50, *[State.PENDING] * 40, State.RUNNING)
    text = drawn(many, height=9)
    assert "mnist-90" in text
    assert "50 done, 40 pending, 1 running; 86 not shown" in text
    assert len(text.splitlines()) < 9


def test_names_of_several_lines_leave_room_for_the_tally() -> None:
    many = [replace(line, name="x" * 60) for line in lines(*[State.RUNNING] * 30)]
    text = drawn(many, height=24)
    assert len(text.splitlines()) < 24
    assert "30 running; " in text


def test_a_tiny_terminal_shows_something() -> None:
    assert "mnist-0" in drawn(lines(State.RUNNING, State.RUNNING), height=2, width=60)


@pytest.mark.parametrize("width", [34, 40, 60])
def test_a_narrow_terminal_has_whole_ids_and_numbers_or_none(width: int) -> None:
    progress = ProgressRecord(phase="training", epoch=3, loss=0.03125, rate=12.25, eta=272.0)
    many = [
        replace(line, status=replace(line.status, progress=progress))
        for line in lines(State.RUNNING, State.CANCELLED)
    ]
    text = Text.from_ansi(drawn(many, height=20, width=width)).plain
    assert all(cell_len(row) <= width for row in text.splitlines())
    assert all(line.id in text and line.state in text for line in many)
    assert "mnist-0" in text or "..st-0" in text
    for title, number in (("loss", "0.03125"), ("steps/s", "12.25"), ("left", "4m 32s")):
        assert (title in text) == (number in text)
    assert ("0.03125" in text) == (width >= 40)


def test_a_terminal_keeps_the_last_picture() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=80, height=24)
    with live_view(console) as show:
        show(lines(State.RUNNING))
        show(lines(State.DONE))
    assert "done" in stream.getvalue().rsplit("mnist-0", 1)[-1]


def test_a_terminal_that_has_another_size_gets_another_picture() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, no_color=True, width=80, height=24)
    line = Line("0123456789", "a-sweep-with-a-long-name-seed=12345", Status(State.RUNNING))
    with live_view(console) as show:
        show([line])
        console.width = 40
    last = stream.getvalue().rsplit("experiment", 1)[-1]
    assert "seed=12345" in last
    assert "a-sweep" not in last, "cut as for so narrow a terminal"
