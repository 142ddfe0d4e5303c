from typing import Any

import numpy as np
import pytest
import torch
from torch import distributions as torch_distributions

from pcm.config.structures import data as structures
from pcm.data.distributions import CONTINUOUS, DISCRETE, VALUE_TRANSFORMS, discrete_sampler

UNIFORM = np.random.default_rng(0).random(100_000)


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("bernoulli", {"probs": 0.3}),
        ("bernoulli", {"probs": 0}),
        ("bernoulli", {"probs": 1}),
        ("bernoulli", {"logits": -1.5}),
        ("categorical", {"probs": [0.2, 0.5, 0.3]}),
        ("categorical", {"probs": [2, 0, 6]}),
        ("categorical", {"logits": [0.0, -1.0, 800.0, 799.0]}),
        ("binomial", {"total_count": 4, "probs": 0.3}),
        ("binomial", {"total_count": 3, "probs": 0}),
        ("binomial", {"total_count": 5, "logits": 0.7}),
        ("binomial", {"probs": 0.25}),
    ],
)
def test_probabilities_and_frequencies_are_those_of_torch(
    name: str, kwargs: dict[str, Any]
) -> None:
    probabilities = DISCRETE[name](**kwargs)
    theirs = getattr(torch_distributions, name.capitalize())(
        **{key: torch.tensor(value, dtype=torch.float64) for key, value in kwargs.items()}
    )
    outcomes = torch.arange(len(probabilities), dtype=torch.float64)
    expected = theirs.log_prob(outcomes).exp().numpy()
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)

    drawn = discrete_sampler(probabilities)(UNIFORM)
    frequencies = np.bincount(drawn.astype(int), minlength=len(probabilities)) / len(UNIFORM)
    error = np.sqrt(probabilities * (1 - probabilities) / len(UNIFORM))
    assert (np.abs(frequencies - probabilities) <= 4 * error + 1e-12).all()


def test_many_trials_do_not_overflow() -> None:
    probabilities = DISCRETE["binomial"](total_count=3000, probs=0.5)
    assert len(probabilities) == 3001
    assert probabilities.sum() == pytest.approx(1)
    assert probabilities.argmax() == 1500


def test_an_impossible_category_is_never_drawn() -> None:
    extremes = np.array([0.0, np.nextafter(1, 0), 0.5])
    for weights in ([0, 1, 0], [0, 0.1, 0.2, 0.7, 0, 0], [0] + [0.1] * 10 + [0]):
        drawn = discrete_sampler(DISCRETE["categorical"](probs=weights))(extremes)
        assert all(weights[int(category)] > 0 for category in drawn)


def test_each_category_is_an_interval_of_the_unit_interval() -> None:
    sample = discrete_sampler(np.array([0.25, 0.5, 0.25]))
    assert sample(np.array([0, 0.2499, 0.25, 0.7499, 0.75, 0.9999])).tolist() == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-45.0, 45.0), (0.1, 0.3), (5, 5.000001)])
def test_uniform_lies_in_its_half_open_range_even_in_float32(low: float, high: float) -> None:
    sample = CONTINUOUS["uniform"](low=low, high=high)
    extremes = sample(np.array([0.0, np.nextafter(1, 0)])).astype(np.float32)
    assert extremes[0] == np.float32(low)
    assert np.float32(low) <= extremes[1] < np.float32(high)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-45.0, 45.0), (0.1, 0.3)])
def test_uniform_is_uniform(low: float, high: float) -> None:
    drawn = CONTINUOUS["uniform"](low=low, high=high)(UNIFORM)
    assert drawn.mean() == pytest.approx((low + high) / 2, abs=(high - low) * 0.005)
    assert drawn.std() == pytest.approx((high - low) / 12**0.5, rel=0.01)


def test_value_transforms() -> None:
    values = np.array([0.0, 0.5, 3.0])
    assert np.array_equal(VALUE_TRANSFORMS["identity"](values), values)
    np.testing.assert_allclose(VALUE_TRANSFORMS["log1p"](values), np.log([1.0, 1.5, 4.0]))


def test_the_config_knows_the_same_names() -> None:
    assert structures.DISCRETE_DISTRIBUTIONS.keys() == DISCRETE.keys()
    assert structures.CONTINUOUS_DISTRIBUTIONS.keys() == CONTINUOUS.keys()
    assert structures.VALUE_TRANSFORMS.keys() == VALUE_TRANSFORMS.keys()
