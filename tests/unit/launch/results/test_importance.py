"""Importances against values computed by hand, and tables of the F distribution."""

import math
from itertools import product
from random import Random
from typing import Any

import pytest

from launch.results.chance import f_tail
from launch.results.importance import Method, importance, is_full_grid


@pytest.mark.parametrize(
    ("statistic", "between", "within", "tail"),
    [
        (4.26, 2, 9, 0.05),  # tables of critical values
        (8.02, 2, 9, 0.01),
        (4.96, 1, 10, 0.05),
        (3.07, 3, 120, 0.0306),
        (0.0, 3, 7, 1.0),
        (math.inf, 3, 7, 0.0),
    ],
)
def test_the_tail_of_the_f_distribution(
    statistic: float, between: int, within: int, tail: float
) -> None:
    assert f_tail(statistic, between, within) == pytest.approx(tail, abs=4e-4)


def test_the_main_effects_of_a_full_grid_by_hand() -> None:
    # Means: a 2, 6; b 3, 5; all 4. Squares: a 4*4 = 16, b 4*1 = 4, all 9+1+1+9 = 20.
    found = importance(["a", "b"], [[0, 0], [0, 1], [1, 0], [1, 1]], [1.0, 3.0, 5.0, 7.0])
    assert found is not None
    assert (found.method, found.n) == (Method.ANOVA, 4)
    assert [effect.share for effect in found.effects] == [0.8, 0.2]
    assert [effect.p for effect in found.effects] == [0.0, 0.0]


def test_what_is_left_of_a_full_grid_tells_an_effect_from_noise() -> None:
    # a: means 1.5 and 3.5, squares 4. b: means 2 and 3, squares 1. The rest is 5.5 - 5 = 0.5 with
    # one degree of freedom: F is 8 for a and 2 for b, whose tails are 0.216 and 0.392.
    values = [1.0 - 0.3535, 2.0 + 0.3535, 3.0 + 0.3535, 4.0 - 0.3535]
    found = importance(["a", "b"], [[0, 0], [0, 1], [1, 0], [1, 1]], values)
    assert found is not None
    a, b = found.effects
    assert a.share == pytest.approx(4 / 5.5, abs=1e-3)
    assert b.share == pytest.approx(1 / 5.5, abs=1e-3)
    assert a.p == pytest.approx(0.2163, abs=1e-3)
    assert b.p == pytest.approx(0.3918, abs=1e-3)
    assert a.is_noise
    assert b.is_noise


def test_a_grid_that_leaves_nothing_to_tell_by_may_be_noise() -> None:
    found = importance(["a"], [[0], [1], [2], [3]], [1.0, 2.0, 3.0, 4.0])
    assert found is not None
    assert [(effect.share, effect.p) for effect in found.effects] == [(1.0, None)]
    assert found.effects[0].is_noise


@pytest.mark.parametrize("scale", [1e300, 1e-300, 1.7e308])
def test_shares_are_the_same_on_any_scale(scale: float) -> None:
    points = [[row, column] for row, column in product(range(2), range(2))]
    values = [0.25, 0.5, 0.75, -1.0]
    plain = importance(["a", "b"], points, values)
    scaled = importance(["a", "b"], points, [value * scale for value in values])
    assert plain is not None
    assert scaled is not None
    assert [each.share for each in scaled.effects] == pytest.approx(
        [each.share for each in plain.effects]
    )


def test_a_hole_or_a_point_more_is_no_full_grid() -> None:
    full = [list(point) for point in product([1, 2], "xy")]
    assert is_full_grid(full)
    assert is_full_grid(full + full)
    assert not is_full_grid(full[:3])
    assert not is_full_grid([*full, full[0]])


def test_draws_find_what_matters_and_call_the_rest_noise() -> None:
    draw = Random(3)
    points: list[list[Any]] = [
        [10 ** draw.uniform(-5, -1), draw.choice(["relu", "tanh"]), draw.random()]
        for _ in range(200)
    ]
    values = [(math.log10(lr) + 3) ** 2 + draw.gauss(0, 0.05) for lr, *_ in points]
    found = importance(["lr", "activation", "unused"], points, values)
    assert found is not None
    assert found.method is Method.PED_ANOVA
    lr, activation, unused = found.effects
    assert lr.share > 0.8
    assert not lr.is_noise
    assert activation.is_noise
    assert unused.is_noise
    assert math.isclose(sum(effect.share for effect in found.effects), 1.0)


def test_the_best_of_draws_may_be_the_greatest() -> None:
    points = [[index % 2, index] for index in range(41)]
    values = [float(index) for index in range(41)]
    least, greatest = (importance(["a", "b"], points, values, greatest=g) for g in (False, True))
    assert least != greatest


@pytest.mark.parametrize(
    ("points", "values"),
    [
        ([[1], [2], [3]], [1.0, 2.0, 3.0]),
        ([[1], [1], [1], [1]], [1.0, 2.0, 3.0, 4.0]),
        ([[1], [2], [1], [2]], [1.0, 1.0, 1.0, 1.0]),
        ([[1], [2], [1], [2]], [math.nan, math.inf, math.nan, 1.0]),
        ([], []),
    ],
)
def test_of_too_little_nothing_is_said(points: list[list[int]], values: list[float]) -> None:
    assert importance(["a"], points, values) is None
