"""Finished batches on the training device, from a data set that is held as one tensor."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pcm.data.conditions import Conditions
from pcm.data.digits import Digits
from pcm.data.draws import Stream

Samples = NDArray[np.int64]


def train_batches(order: Samples, batch_size: int, rank: int, world_size: int) -> list[Samples]:
    """The batches of one rank: its share of each global batch of batch_size x world_size.

    The last global batch may be smaller; it is filled up from the start of `order` until
    it divides by the number of ranks. So all ranks have equally many batches, of equal sizes.
    """
    padded = np.resize(order, -(-len(order) // world_size) * world_size)
    share = padded[rank::world_size]
    return np.split(share, range(batch_size, len(share), batch_size))


def eval_batches(order: Samples, batch_size: int, rank: int, world_size: int) -> list[Samples]:
    """The batches of one rank, without duplicates: shares differ by a sample at most.

    Where one rank needs a batch more than another for its last sample, the other's last
    batch gives one up, so that ranks that communicate in a batch don't wait for ever.
    Only with batches of one sample, or with fewer samples than ranks, is that impossible.
    """
    share = order[rank::world_size]
    longest = -(-len(order) // world_size)
    n_batches = min(-(-longest // batch_size), len(share))
    ends = [min(k * batch_size, len(share) - (n_batches - k)) for k in range(1, n_batches)]
    return np.split(share, ends) if n_batches else []


class BatchLoader:
    """Iterates over one rank's batches of an epoch.

    A batch is {"img": (batch, 1, side, side) float32 in [0, 1], "condition_token_ids":
    (batch, C + 1) int64, "condition_values": (batch, C + 1) float32}, on `device`.

    With `shuffle`, each iteration is the next epoch, with an order and conditions of its
    own. Without, the order is fixed and every iteration is epoch 0, so that validations
    of different epochs can be compared.
    """

    def __init__(
        self,
        digits: Digits,
        conditions: Conditions,
        samples: Samples,
        *,
        seed: int,
        batch_size: int,
        shuffle: bool,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        """`samples` are the digits to use, as indices."""
        self._digits = digits
        self._conditions = conditions
        self._samples = samples
        self._seed = seed
        self._batch_size = batch_size
        self._shuffle = shuffle
        self._rank = rank
        self._world_size = world_size
        self._n_batches = len(self._batches(samples))
        self._epoch = 0
        self._batch = 0

    def __len__(self) -> int:
        """Batches of a whole epoch, wherever the next iteration starts."""
        return self._n_batches

    def set_position(self, epoch: int, batch: int) -> None:
        """Make the next iteration start at `batch` of `epoch`, both from 0.

        It counts until the iteration's first batch is asked for.
        """
        self._epoch, self._batch = epoch, batch

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        epoch, first = self._epoch, self._batch
        self.set_position(epoch + 1 if self._shuffle else epoch, 0)
        stream = Stream(self._seed, self._digits.train, epoch)
        order = stream.shuffled(self._samples) if self._shuffle else self._samples
        batches = self._batches(order)[first:]
        if batches:
            yield from self._finish(stream, batches)

    def _batches(self, order: Samples) -> list[Samples]:
        split = train_batches if self._shuffle else eval_batches
        return split(order, self._batch_size, self._rank, self._world_size)

    def _finish(self, stream: Stream, batches: list[Samples]) -> Iterator[dict[str, Tensor]]:
        samples = np.concatenate(batches)
        rows = torch.from_numpy(samples).to(self._digits.images.device)
        drawn = self._conditions.draw(stream, samples, self._digits.labels[samples])
        start = 0
        for batch in batches:
            part = slice(start, start + len(batch))
            start = part.stop
            # index_select, here and below, is several times as fast as indexing.
            images = self._digits.images.index_select(0, rows[part]).float().div_(255)
            yield {
                "img": self._conditions.apply(images, drawn.values[part]).unsqueeze(1),
                "condition_token_ids": drawn.token_ids[part],
                "condition_values": drawn.known_values[part],
            }
