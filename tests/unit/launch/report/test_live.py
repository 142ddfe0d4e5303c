import io
from collections.abc import Sequence

from rich.console import Console

from launch.report.live import live_view, picture
from launch.report.status import Line
from launch.status import Progress, State, Status


def lines(*states: State) -> list[Line]:
    return [
        Line(f"{index:010x}", f"mnist-{index}", Status(state, progress=Progress(epoch=index)))
        for index, state in enumerate(states)
    ]


def piped(*pictures: Sequence[Line]) -> list[str]:
    stream = io.StringIO()
    with live_view(Console(file=stream, width=200)) as show:
        for each in pictures:
            show(each)
    return stream.getvalue().splitlines()


def drawn(experiments: Sequence[Line], height: int) -> str:
    stream = io.StringIO()
    Console(file=stream, width=80).print(picture(experiments, height))
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


def test_every_experiment_has_a_line_on_a_terminal_with_room() -> None:
    text = drawn(lines(State.RUNNING, State.DONE, State.PENDING), height=10)
    assert all(f"mnist-{index}" in text for index in range(3))
    assert "not shown" not in text


def test_a_low_terminal_shows_what_runs_and_counts_the_rest() -> None:
    many = lines(*[State.DONE] * 50, *[State.PENDING] * 40, State.RUNNING)
    text = drawn(many, height=5)
    assert "mnist-90" in text
    assert "50 done, 40 pending, 1 running; 86 not shown" in text
    assert len(text.splitlines()) <= 5 + 3


def test_a_terminal_keeps_the_last_picture() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=80, height=24)
    with live_view(console) as show:
        show(lines(State.RUNNING))
        show(lines(State.DONE))
    assert "done" in stream.getvalue().rsplit("mnist-0", 1)[-1]
