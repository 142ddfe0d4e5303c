from typing import Any

import numpy as np
import pytest
import torch

from pcm.data.conditions import Conditions, Drawn, known_first
from pcm.data.draws import Stream

from .samples import CPU, SIDE, categorical, continuous, data_cfg

FADE = categorical(2, "fade", [0.0, 0.3, 0.7])
ROTATE = categorical(3, "rotate", [0, 90])
SAMPLES = np.arange(2000)
LABELS = (SAMPLES % 10).astype(np.float64)


def draw(cfg: dict[str, Any], *, epoch: int = 0, seed: int = 0) -> Drawn:
    return Conditions(cfg, SIDE, CPU).draw(Stream(seed, train=True, epoch=epoch), SAMPLES, LABELS)


def test_shapes_and_types() -> None:
    drawn = draw(data_cfg(FADE, ROTATE))
    assert (drawn.values.shape, drawn.values.dtype) == ((2000, 2), torch.float32)
    assert (drawn.token_ids.shape, drawn.token_ids.dtype) == ((2000, 3), torch.int64)
    assert (drawn.known_values.shape, drawn.known_values.dtype) == ((2000, 3), torch.float32)


def test_known_conditions_come_in_file_order_with_the_label_in_front() -> None:
    drawn = draw(data_cfg(ROTATE, FADE))
    assert np.unique(drawn.token_ids, axis=0).tolist() == [[1, 3, 2]]
    assert torch.equal(drawn.known_values[:, 0], torch.from_numpy(LABELS).float())
    assert torch.equal(drawn.known_values[:, 1:], drawn.values)


@pytest.mark.parametrize(
    ("known", "token_ids", "values"),
    [
        ([1, 1, 1], [7, 8, 9], [4, 5, 6]),
        ([0, 1, 1], [8, 9, 0], [5, 6, 0]),
        ([1, 0, 1], [7, 9, 0], [4, 6, 0]),
        ([0, 0, 1], [9, 0, 0], [6, 0, 0]),
        ([1, 0, 0], [7, 0, 0], [4, 0, 0]),
        ([0, 0, 0], [0, 0, 0], [0, 0, 0]),
    ],
)
def test_padding_comes_last(known: list[int], token_ids: list[int], values: list[float]) -> None:
    result = known_first(
        np.array([7, 8, 9]), np.array([[4.0, 5.0, 6.0]]), np.array([known], dtype=bool)
    )
    assert [part.tolist() for part in result] == [[token_ids], [values]]


@pytest.mark.parametrize("label_prob", [0, 1])
@pytest.mark.parametrize("fade_prob", [0, 1])
def test_probabilities_of_0_and_1_are_certain(label_prob: int, fade_prob: int) -> None:
    drawn = draw(data_cfg(FADE | {"known_prob": fade_prob}, label_known_prob=label_prob))
    expected = [1] * label_prob + [2] * fade_prob
    assert np.unique(drawn.token_ids, axis=0).tolist() == [expected + [0] * (2 - len(expected))]


def test_known_shares_are_those_asked_for_and_independent() -> None:
    drawn = draw(data_cfg(FADE | {"known_prob": 0.7}, label_known_prob=0.4))
    label_known = (drawn.token_ids == 1).any(dim=1)
    fade_known = (drawn.token_ids == 2).any(dim=1)
    error = 4 * 0.5 / len(SAMPLES) ** 0.5
    assert label_known.float().mean().item() == pytest.approx(0.4, abs=error)
    assert fade_known.float().mean().item() == pytest.approx(0.7, abs=error)
    both = (label_known & fade_known).float().mean().item()
    assert both == pytest.approx(0.4 * 0.7, abs=error)


def test_an_unknown_condition_is_applied_all_the_same() -> None:
    told, untold = (
        draw(data_cfg(FADE | {"known_prob": prob}, label_known_prob=prob)) for prob in (1.0, 0.0)
    )
    assert torch.equal(told.values, untold.values)
    assert untold.token_ids.sum() == 0


@pytest.mark.parametrize("distribution", ["bernoulli", "binomial"])
def test_discrete_distributions_give_indices_of_categories(distribution: str) -> None:
    count = {"bernoulli": 2, "binomial": 4}[distribution]
    kwargs = {"probs": 0.5} | ({"total_count": 3} if distribution == "binomial" else {})
    cfg = categorical(
        2,
        "fade",
        [index / 10 for index in range(count)],
        distribution={"name": distribution, "kwargs": kwargs},
    )
    assert np.unique(draw(data_cfg(cfg)).values).tolist() == list(range(count))


def test_a_continuous_value_is_the_transformed_draw_and_the_argument() -> None:
    cfg = data_cfg(continuous(2, "fade", 0.0, 1.0, value_transform="log1p"))
    drawn = draw(cfg)
    assert drawn.values.max() < np.log(2)
    assert drawn.values.max() > np.log(1.99)
    assert torch.equal(drawn.known_values[:, 1:], drawn.values)
    images = torch.ones(2000, SIDE, SIDE) * 0.8
    faded = Conditions(cfg, SIDE, CPU).apply(images, drawn.values)
    expected = (0.8 - drawn.values).clamp(0, 1) / (1 - drawn.values)
    assert torch.allclose(faded[:, 5, 5], expected[:, 0], atol=1e-6)


def test_conditions_are_applied_in_file_order() -> None:
    shift = categorical(2, "translate", [[5, 0]])
    turn = categorical(3, "rotate", [90])
    image = torch.zeros(1, SIDE, SIDE)
    image[0, 14, 14] = 1
    values = torch.zeros(1, 2)
    shift_first = Conditions(data_cfg(shift, turn), SIDE, CPU).apply(image, values)
    turn_first = Conditions(data_cfg(turn, shift), SIDE, CPU).apply(image, values)
    # Counter-clockwise about the centre, (row, column) goes to (27 - column, row).
    assert shift_first[0].nonzero().tolist() == [[27 - 19, 14]]
    assert turn_first[0].nonzero().tolist() == [[27 - 14, 14 + 5]]


def test_without_conditions_the_digit_stays_as_it_is() -> None:
    cfg = data_cfg()
    drawn = draw(cfg)
    assert drawn.token_ids.tolist() == [[1]] * 2000
    images = torch.rand(2000, SIDE, SIDE)
    assert torch.equal(Conditions(cfg, SIDE, CPU).apply(images, drawn.values), images)


def test_draws_depend_on_the_sample_and_not_on_the_others() -> None:
    conditions = Conditions(data_cfg(FADE, continuous(3, "rotate", -30, 30)), SIDE, CPU)
    stream = Stream(seed=1, train=True, epoch=2)
    whole = conditions.draw(stream, SAMPLES, LABELS)
    some = np.array([1999, 4, 4, 77])
    part = conditions.draw(stream, some, LABELS[some])
    assert torch.equal(part.values, whole.values[some])
    assert torch.equal(part.token_ids, whole.token_ids[some])
    assert torch.equal(part.known_values, whole.known_values[some])


def test_epoch_and_seed_change_the_draws() -> None:
    cfg = data_cfg(continuous(2, "rotate", -30, 30))
    first = draw(cfg).values
    assert torch.equal(draw(cfg).values, first)
    assert not (draw(cfg, epoch=1).values == first).any()
    assert not (draw(cfg, seed=1).values == first).any()


def test_a_condition_more_leaves_the_others_as_they_were() -> None:
    fewer, more = draw(data_cfg(FADE)), draw(data_cfg(FADE, ROTATE))
    assert torch.equal(fewer.values[:, 0], more.values[:, 0])
