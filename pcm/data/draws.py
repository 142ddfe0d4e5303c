"""Random numbers as a function of (seed, split, epoch, purpose, sample), and of nothing else.

Philox is a counter-based generator (Salmon et al., "Parallel random numbers: as easy as
1, 2, 3", 2011): the key holds the seed, the upper words of the counter hold purpose, epoch
and split, and the sample's index in the whole data set is the place in the stream. So a
draw depends neither on batch size, order, rank and device, nor on which subset of the
samples is used, and a resumed run sees what an uninterrupted one would have seen.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

_KEYS = 1 << 128


class Purpose(IntEnum):
    """What the numbers decide; the conditions follow on, with two purposes each."""

    ORDER = 0
    SUBSAMPLE = 1
    LABEL_KNOWN = 2
    FIRST_CONDITION = 3


def value_purpose(condition: int) -> int:
    """The value of a condition, by its place in the file."""
    return Purpose.FIRST_CONDITION + 2 * condition


def known_purpose(condition: int) -> int:
    """Whether a condition is known, by its place in the file."""
    return value_purpose(condition) + 1


@dataclass(frozen=True, slots=True)
class Stream:
    """The random numbers of one epoch of one split."""

    seed: int
    train: bool
    epoch: int

    def bits(self, purpose: int, samples: NDArray[np.int64]) -> NDArray[np.uint64]:
        """64 random bits for each of `samples`, indices in the whole data set."""
        # The lowest word of the counter is Philox's own: it numbers the blocks.
        counter = np.array([0, purpose, self.epoch, int(self.train)], dtype=np.uint64)
        # The bit generator alone: its output is the same in every version of numpy.
        generator = np.random.Philox(key=self.seed % _KEYS, counter=counter)
        count = int(samples.max(initial=-1)) + 1
        return np.asarray(generator.random_raw(count), dtype=np.uint64)[samples]

    def uniforms(self, purpose: int, samples: NDArray[np.int64]) -> NDArray[np.float64]:
        """A number in [0, 1) for each of `samples`."""
        return (self.bits(purpose, samples) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def shuffled(
        self, samples: NDArray[np.int64], purpose: int = Purpose.ORDER
    ) -> NDArray[np.int64]:
        """`samples` in a random order; two of them keep theirs whatever others there are."""
        return samples[np.argsort(self.bits(purpose, samples), kind="stable")]
