"""When an allocation starts another experiment, and when no more."""

import pytest

from launch.pack.useful import PART_S, is_worth_starting


@pytest.mark.parametrize(
    ("left_s", "whole_s", "took", "is_worth"),
    [
        (None, None, [], True),
        (PART_S, 36_000.0, [], True),
        (PART_S - 1, 36_000.0, [], False),
        # A short limit: a quarter of it.
        (50.0, 200.0, [], True),
        (49.0, 200.0, [], False),
        # Short ones are done whole, or not begun; of long ones a part will do.
        (60.0, 36_000.0, [20.0, 50.0, 900.0], True),
        (40.0, 36_000.0, [20.0, 50.0, 900.0], False),
        (PART_S, 36_000.0, [9000.0], True),
        (-1.0, 200.0, [], False),
    ],
)
def test_there_must_be_time_for_a_useful_part(
    left_s: float | None, whole_s: float | None, took: list[float], is_worth: bool
) -> None:
    assert is_worth_starting(left_s, whole_s, took) is is_worth
