import math
from typing import Any

import pytest

from launch.grid.draws import draw_axis

PATH = "model.optimizers.0.kwargs.lr"
LOG_UNIFORM = [0.000215524, 0.000540891, 0.0014437]
UNIFORM = [-0.111004, 0.155406, 0.439651]
INT_UNIFORM = [45, 58, 72]
NORMAL = [-0.139574, 0.196021, 0.582324]
CHOICE = ["b", "b", "c"]


def test_draws_are_these_on_every_machine() -> None:
    # If these change, every random grid that was ever launched gets other points.
    assert draw_axis(PATH, {"log_uniform": [1e-5, 1e-2]}, 7, 3) == LOG_UNIFORM
    assert draw_axis(PATH, {"uniform": [-1, 1]}, 7, 3) == UNIFORM
    assert draw_axis(PATH, {"int_uniform": [1, 100]}, 7, 3) == INT_UNIFORM
    assert draw_axis(PATH, {"normal": [0, 1]}, 7, 3) == NORMAL
    assert draw_axis(PATH, {"choice": ["a", "b", "c"]}, 7, 3) == CHOICE


def test_more_draws_keep_the_first_ones() -> None:
    spec = {"uniform": [0, 1]}
    assert draw_axis(PATH, spec, 0, 100)[:10] == draw_axis(PATH, spec, 0, 10)


def test_axes_and_seeds_have_streams_of_their_own() -> None:
    spec = {"uniform": [0, 1]}
    streams = [draw_axis(path, spec, seed, 20) for path in (PATH, PATH + "x") for seed in (0, 1)]
    assert len({tuple(stream) for stream in streams}) == 4


@pytest.mark.parametrize("name", ["uniform", "log_uniform"])
def test_real_draws_stay_within_their_ends(name: str) -> None:
    low, high = 0.123456789, 0.123457891
    draws = draw_axis(PATH, {name: [low, high]}, 0, 500)
    assert all(low <= draw <= high for draw in draws)


def test_log_uniform_is_even_over_the_orders_of_magnitude() -> None:
    draws = draw_axis(PATH, {"log_uniform": [1e-4, 1]}, 0, 4000)
    shares = [sum(10**-k <= draw < 10 ** (1 - k) for draw in draws) / 4000 for k in range(1, 5)]
    assert shares == pytest.approx([0.25] * 4, abs=0.03)


@pytest.mark.parametrize("name", ["int_uniform", "randint"])
def test_whole_numbers_include_both_ends(name: str) -> None:
    draws = draw_axis(PATH, {name: [2, 4]}, 0, 300)
    assert set(draws) == {2, 3, 4}
    assert all(type(draw) is int for draw in draws)


def test_whole_numbers_by_order_of_magnitude() -> None:
    draws = draw_axis(PATH, {"int_log_uniform": [1, 1000]}, 0, 3000)
    assert min(draws) == 1
    assert 900 < max(draws) <= 1000
    assert sum(draw < 32 for draw in draws) / 3000 == pytest.approx(0.5, abs=0.04)


def test_normal_has_its_mean_and_deviation() -> None:
    draws = draw_axis(PATH, {"normal": [5, 2]}, 0, 4000)
    mean = sum(draws) / 4000
    deviation = math.sqrt(sum((draw - mean) ** 2 for draw in draws) / 4000)
    assert mean == pytest.approx(5, abs=0.1)
    assert deviation == pytest.approx(2, abs=0.1)


def test_choice_takes_any_values() -> None:
    values: list[Any] = [[1, 2], {"a": 1}, None]
    draws = draw_axis(PATH, {"choice": values}, 0, 100)
    assert all(draw in values for draw in draws)
    assert {str(draw) for draw in draws} == {str(value) for value in values}


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"uniform": [0, 1], "normal": [0, 1]},
        "uniform",
        {"gaussian": [0, 1]},
        {"uniform": [1, 0]},
        {"uniform": [1, 1]},
        {"uniform": [0, 1, 2]},
        {"uniform": {"low": 0, "high": 1}},
        {"uniform": [0, math.inf]},
        {"uniform": [math.nan, 1]},
        {"uniform": [False, True]},
        {"uniform": ["0", "1"]},
        {"uniform": [0, 10**400]},
        {"uniform": [-1.7e308, 1.7e308]},
        {"int_uniform": [0, 2**53 + 2]},
        {"normal": [10**400, 1]},
        {"log_uniform": [0, 1]},
        {"int_uniform": [0.5, 2]},
        {"int_log_uniform": [0, 5]},
        {"normal": [0, 0]},
        {"choice": []},
        {"choice": "abc"},
    ],
)
def test_what_makes_no_sense_is_refused(spec: Any) -> None:
    with pytest.raises(ValueError, match=r"expected|needs|must be|too far|no such distribution"):
        draw_axis(PATH, spec, 0, 1)
