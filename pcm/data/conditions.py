"""The conditions of a data file: drawn for a whole epoch at once, applied to whole batches."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pcm.data.distributions import (
    CONTINUOUS,
    DISCRETE,
    VALUE_TRANSFORMS,
    Floats,
    Sampler,
    discrete_sampler,
)
from pcm.data.draws import Purpose, Stream, known_purpose, value_purpose
from pcm.data.transforms import IMAGE_TRANSFORMS


@dataclass(frozen=True, slots=True)
class Condition:
    """An image transform whose argument is drawn anew for each sample and epoch.

    Attributes:
        token_id: names the condition to the model.
        known_prob: the chance that the model is told the value.
        sample: numbers in [0, 1) -> values: a category's index, or what the value
            transform makes of a continuous draw.
        prepare: (batch,) values -> coefficients of the transform.
        transform: images (batch, side, side) and coefficients -> images.
    """

    token_id: int
    known_prob: float
    sample: Sampler
    prepare: Callable[[Tensor], Tensor]
    transform: Callable[[Tensor, Tensor], Tensor]


def build_condition(entry: Mapping[str, Any], side: int, device: torch.device) -> Condition:
    """The condition of one valid entry of `cond_trans_mgr`.

    Args:
        side: of the images, in pixels.
        device: where the images are.
    """
    cfg = entry["cfg"]
    build = _continuous if entry["is_continous"] else _categorical
    sample, prepare = build(cfg, side, device)
    transform = IMAGE_TRANSFORMS[cfg["image_transform"]["name"]].apply
    return Condition(cfg["token_id"], entry["known_prob"], sample, prepare, transform)


_Parts = tuple[Sampler, Callable[[Tensor], Tensor]]


def _categorical(cfg: Mapping[str, Any], side: int, device: torch.device) -> _Parts:
    distribution = cfg["distribution"]
    probabilities = DISCRETE[distribution["name"]](**distribution["kwargs"])
    arguments = torch.tensor(cfg["categories_map"], dtype=torch.float64)
    # Prepared on the CPU whatever the device, so that rounding is the same everywhere.
    prepare = IMAGE_TRANSFORMS[cfg["image_transform"]["name"]].prepare
    coefficients = prepare(arguments, side).to(device)
    return discrete_sampler(probabilities), lambda values: coefficients.index_select(
        0, values.int()
    )


def _continuous(cfg: Mapping[str, Any], side: int, device: torch.device) -> _Parts:
    distribution = cfg["distribution"]
    draw = CONTINUOUS[distribution["name"]](**distribution["kwargs"])
    value_transform = VALUE_TRANSFORMS[cfg["value_transform"]["name"]]
    prepare = IMAGE_TRANSFORMS[cfg["image_transform"]["name"]].prepare
    return (
        lambda uniform: value_transform(draw(uniform)),
        lambda values: prepare(values.to(device, torch.float64), side),
    )


@dataclass(frozen=True, slots=True)
class Drawn:
    """The conditions of n samples, in the order of the samples.

    Attributes:
        values: (n, C) float32, of every condition but the label, known or not.
        token_ids: (n, C + 1) int64; known conditions in file order, then zeros.
        known_values: (n, C + 1) float32; their values, then zeros.
    """

    values: Tensor
    token_ids: Tensor
    known_values: Tensor


class Conditions:
    """The label and the conditions of one data file, for images on one device."""

    def __init__(self, cfg: Mapping[str, Any], side: int, device: torch.device) -> None:
        entries = cfg["cond_trans_mgr"]
        label = cfg["label_condition"]
        self._conditions = [build_condition(entry, side, device) for entry in entries]
        self._device = device
        token_ids = [label["token_id"], *(one.token_id for one in self._conditions)]
        self._token_ids = np.array(token_ids, dtype=np.int64)
        known_probs = [label["known_prob"], *(one.known_prob for one in self._conditions)]
        self._known_probs = np.array(known_probs, dtype=np.float64)

    def draw(self, stream: Stream, samples: NDArray[np.int64], labels: Floats) -> Drawn:
        """Draw the conditions of `samples`, which may be any of the data set's.

        Args:
            labels: (n,) digit classes.
        """
        count = range(len(self._conditions))
        drawn = [
            self._conditions[i].sample(stream.uniforms(value_purpose(i), samples)) for i in count
        ]
        purposes = [Purpose.LABEL_KNOWN, *map(known_purpose, count)]
        chances = np.stack([stream.uniforms(purpose, samples) for purpose in purposes], axis=1)
        values = np.stack([labels, *drawn], axis=1)
        token_ids, known_values = known_first(self._token_ids, values, chances < self._known_probs)
        return Drawn(
            values=self._tensor(values[:, 1:].astype(np.float32)),
            token_ids=self._tensor(token_ids),
            known_values=self._tensor(known_values.astype(np.float32)),
        )

    def apply(self, images: Tensor, values: Tensor) -> Tensor:
        """Transform images (batch, side, side) by each condition in file order.

        Args:
            values: (batch, C), rows of `Drawn.values`.
        """
        for condition, column in zip(self._conditions, values.unbind(1), strict=True):
            images = condition.transform(images, condition.prepare(column))
        return images

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(array).to(self._device)


def known_first(
    token_ids: NDArray[np.int64], values: Floats, known: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], Floats]:
    """Move what is known to the front, in its order, and fill up with zeros.

    Args:
        token_ids: (C + 1,).
        values, known: (n, C + 1).

    Returns:
        Token ids and values, (n, C + 1) each.
    """
    front = np.arange(known.shape[1]) < known.sum(axis=1, keepdims=True)
    first_ids = np.zeros(known.shape, dtype=np.int64)
    first_values = np.zeros(known.shape)
    # Both masks have equally many places in each row, and masks go row by row.
    first_ids[front] = np.broadcast_to(token_ids, known.shape)[known]
    first_values[front] = values[known]
    return first_ids, first_values
