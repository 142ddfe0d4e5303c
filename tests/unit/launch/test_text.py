import math

import pytest

from launch.text import counted, duration, first_of, number, tally


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (3, "3"),
        (3.0, "3"),
        (-0.0, "0"),
        (0.123456, "0.1235"),
        (123.456, "123.5"),
        (1e-5, "1e-05"),
        (1234567.0, "1.235e+06"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
    ],
)
def test_a_number_has_four_digits(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (math.nan, ""),
        (math.inf, ""),
        (-3, "0s"),
        (0.4, "0s"),
        (59.6, "1m 00s"),
        (61, "1m 01s"),
        (3599, "59m 59s"),
        (3600, "1h 00m"),
        (86_399, "23h 59m"),
        (86_400, "1d 0h"),
        (100 * 86_400 + 5 * 3600, "100d 5h"),
    ],
)
def test_a_duration_has_two_units(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_nouns_follow_their_number() -> None:
    assert counted(1, "node") == "1 node"
    assert counted(0, "node") == "0 nodes"
    assert counted(12_345, "experiment") == "12,345 experiments"


def test_states_are_counted_the_most_frequent_first() -> None:
    assert tally(["done", "running", "running"]) == "2 running, 1 done"
    assert tally([]) == ""


def test_of_very_many_names_a_few_are_shown() -> None:
    assert first_of(["a", "b"], 2) == "a, b"
    assert first_of([f"m{index}" for index in range(1002)], 2) == "m0, m1 and 1,000 more"
