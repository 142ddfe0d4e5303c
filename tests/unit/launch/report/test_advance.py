"""How far a sweep is, when it may end, what fails, and sparklines of who runs."""

import io
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from launch.report.advance import bar, failures, pace, seconds_left, share
from launch.report.live import CALM_S, live_view, picture
from launch.report.sparkline import Losses, sparkline
from launch.status.state import Line, State, Status
from pcm.run_dir.attempt_records import ProgressRecord

NAME = "mnist-lr=0.001-components_std=1.0-seed="


def line(index: int, state: State, detail: str = "", **progress: Any) -> Line:
    record = ProgressRecord(**progress) if progress else None
    return Line(f"{index:010x}", f"{NAME}{index}", Status(state, detail, progress=record))


def running(index: int, step: int, *, loss: float = 0.5, eta: float = 60.0) -> Line:
    facts: dict[str, Any] = {
        "step": step,
        "total_steps": 100,
        "epoch": 1,
        "rate": 2.0,
        "loss": loss,
        "eta": eta,
    }
    return line(index, State.RUNNING, **facts)


def drawn(lines: Sequence[Line], losses: Losses | None = None, *, width: int = 80) -> list[str]:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    console = Console(file=stream, width=width, height=24)
    console.print(picture(lines, console, losses))
    stream.seek(0)
    return stream.read().splitlines()


def test_the_share_that_is_done_is_of_steps_else_of_epochs() -> None:
    assert share(running(0, 25)) == 0.25
    assert share(line(0, State.STOPPED, epoch=1, max_epochs=4)) == 0.25
    assert share(line(0, State.DONE)) == 1.0
    assert share(line(0, State.PENDING)) == 0.0


def test_a_bar_is_full_only_when_all_is_done() -> None:
    done = [line(index, State.DONE) for index in range(999)]
    assert bar([*done, running(999, 99)], 10, plain=True) == "#########-  99 %"
    assert bar(done, 10, plain=True) == "########## 100 %"
    assert bar([running(0, 50)], 4, plain=False) == "━━──  50 %"
    assert bar([], 4, plain=True) == "----   0 %"


def test_the_end_is_that_of_the_last_or_of_all_that_wait_behind() -> None:
    both = [running(0, 80, eta=10), running(1, 40, eta=30)]
    assert seconds_left(both) == 30
    # Each takes 50 s: (10 + 30 + 4 * 50) s of work for two at once.
    assert seconds_left([*both, *(line(index, State.PENDING) for index in range(4))]) == 120
    assert seconds_left([line(0, State.PENDING)]) is None


def test_speed_and_end_are_one_line() -> None:
    said = pace([running(0, 50), running(1, 50)], now=0.0)
    assert said.startswith("4 steps/s in all, ends in about 1m 00s (")
    assert pace([line(0, State.DONE)]) == ""


def test_failures_of_one_cause_are_one_line_and_rare_causes_are_counted() -> None:
    many = [line(index, State.FAILED, f"rank 0: no room for {index} GB") for index in range(5)]
    others = [line(index, State.FAILED, f"cause {'abcd'[index]}") for index in range(4)]
    assert failures([*others, *many, line(9, State.DONE)]) == [
        "5 failed (0000000000 ...): rank 0: no room for 0 GB",
        "1 failed (0000000000): cause a",
        "1 failed (0000000001): cause b",
        "2 more causes",
    ]


def test_a_sparkline_is_as_high_as_its_values() -> None:
    assert sparkline([0, 7], 8) == "▁█"
    assert sparkline(range(8), 8) == "▁▂▃▄▅▆▇█"
    assert sparkline(range(64), 4) == "▁▃▆█"
    assert sparkline([1.0, 1.0], 8) == "▁▁"
    assert sparkline([1.0, float("nan")], 8) == ""


def test_losses_begin_with_those_of_the_files_and_grow_with_the_steps() -> None:
    asked = []

    def recent(experiment_id: str) -> list[float]:
        asked.append(experiment_id)
        return [8.0, 4.0]

    losses = Losses(recent)
    losses.look([running(0, 10, loss=2.0), line(1, State.PENDING)])
    losses.look([running(0, 10, loss=2.0)])
    losses.look([running(0, 20, loss=1.0)])
    assert asked == ["0000000000"]
    assert losses.sparkline("0000000000", 8) == "█▄▂▁"


def test_80_columns_have_room_for_a_row_with_its_sparkline_and_the_end_of_its_name() -> None:
    losses, lines = Losses(lambda _: [3.0, 2.0, 1.0]), [running(7, 10), line(8, State.RUNNING)]
    losses.look(lines)
    text = drawn(lines, losses)
    assert max(map(len, text)) <= 80
    assert "seed=7" in text[2]
    assert "█▅▂▁" in text[2]
    assert "starting" in text[3]
    assert text[4].lstrip("━─").startswith("   5 %  2 running")


def test_what_resumes_says_starting_not_where_it_was() -> None:
    again = line(0, State.RUNNING, epoch=3, max_epochs=4, phase="starting")
    assert "starting" in drawn([again])[2]
    assert "3/4" not in drawn([again])[2]


def test_a_thousand_experiments_are_drawn_once_a_second_and_fit() -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=80, height=24, force_terminal=True)
    many = [running(index, 1) for index in range(1000)]
    with live_view(console) as show:
        for step in range(50):
            show([running(0, step), *many[1:]])
    text = stream.getvalue()
    # The first picture and the last: the 50 looks took less than a second.
    assert CALM_S == 1.0
    assert text.count("1,000 running") <= 3
    assert len(text) < 30_000


def test_a_terminal_without_such_signs_gets_plain_ones() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    console = Console(file=stream, width=80, height=24, force_terminal=True, no_color=True)
    losses = Losses(lambda _: [3.0, 2.0])
    losses.look([running(0, 50)])
    console.print(picture([running(0, 50)], console, losses))
    stream.seek(0)
    assert "######------  50 %" in stream.read()
