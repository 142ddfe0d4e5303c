import numpy as np
import pytest

from pcm.data.draws import Purpose, Stream, known_purpose, value_purpose

EVERYTHING = np.arange(1000)


def test_a_draw_belongs_to_its_sample() -> None:
    stream = Stream(seed=3, train=True, epoch=5)
    chosen = np.array([999, 0, 17, 17, 500])
    alone = [stream.uniforms(4, np.array([sample]))[0] for sample in chosen]
    assert np.array_equal(stream.uniforms(4, chosen), alone)
    assert np.array_equal(stream.uniforms(4, chosen), stream.uniforms(4, EVERYTHING)[chosen])


@pytest.mark.parametrize(
    "other",
    [
        Stream(seed=4, train=True, epoch=5),
        Stream(seed=3, train=False, epoch=5),
        Stream(seed=3, train=True, epoch=6),
        Stream(seed=-3, train=True, epoch=5),
        Stream(seed=3 + (1 << 64), train=True, epoch=5),
    ],
)
def test_seed_split_and_epoch_change_every_draw(other: Stream) -> None:
    drawn = Stream(seed=3, train=True, epoch=5).bits(4, EVERYTHING)
    assert not (drawn == other.bits(4, EVERYTHING)).any()


def test_purposes_share_no_draw() -> None:
    stream = Stream(seed=0, train=True, epoch=0)
    purposes = [*Purpose, *(f(i) for i in range(1, 5) for f in (value_purpose, known_purpose))]
    drawn = np.concatenate([stream.bits(purpose, EVERYTHING) for purpose in set(purposes)])
    assert len(np.unique(drawn)) == len(drawn)


def test_conditions_have_purposes_of_their_own() -> None:
    purposes = [*Purpose, known_purpose(0)]
    purposes += [f(i) for i in range(1, 20) for f in (value_purpose, known_purpose)]
    assert len(set(purposes)) == len(purposes)
    assert value_purpose(0) == Purpose.FIRST_CONDITION


def test_draws_are_those_of_all_versions() -> None:
    """Runs that were made with them must stay reproducible: never change these numbers."""
    stream = Stream(seed=7, train=True, epoch=3)
    assert stream.bits(Purpose.ORDER, np.arange(3)).tolist() == [
        19806509901572256,
        17191098978238543484,
        16161184057118516752,
    ]


def test_uniforms_fill_the_unit_interval_evenly() -> None:
    drawn = Stream(seed=0, train=True, epoch=0).uniforms(3, np.arange(100_000))
    assert drawn.min() >= 0
    assert drawn.max() < 1
    counts = np.histogram(drawn, bins=20, range=(0, 1))[0]
    # Chi-square with 19 degrees of freedom exceeds 43.8 once in a thousand.
    assert ((counts - 5000) ** 2 / 5000).sum() < 43.8


def test_neighbouring_epochs_and_seeds_are_uncorrelated() -> None:
    samples = np.arange(20_000)
    streams = [Stream(seed, train=True, epoch=epoch) for seed in (0, 1) for epoch in (0, 1)]
    drawn = np.stack([stream.uniforms(3, samples) for stream in streams])
    between = np.asarray(np.corrcoef(drawn))[~np.eye(4, dtype=bool)]
    assert np.abs(between).max() < 4 / np.sqrt(20_000)


def test_shuffled_is_a_permutation() -> None:
    shuffled = Stream(seed=1, train=True, epoch=0).shuffled(EVERYTHING)
    assert sorted(shuffled) == list(EVERYTHING)
    assert not np.array_equal(shuffled, EVERYTHING)


def test_shuffled_keeps_the_order_of_two_samples_in_any_subset() -> None:
    stream = Stream(seed=1, train=True, epoch=0)
    subset = np.array([3, 999, 250, 8])
    whole = [sample for sample in stream.shuffled(EVERYTHING) if sample in subset]
    assert stream.shuffled(subset).tolist() == whole


def test_no_samples_are_no_trouble() -> None:
    nothing = np.arange(0)
    stream = Stream(seed=1, train=True, epoch=0)
    assert stream.uniforms(3, nothing).shape == (0,)
    assert stream.shuffled(nothing).shape == (0,)
