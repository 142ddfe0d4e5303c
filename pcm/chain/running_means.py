"""Means over many batches, without waiting for the device at any of them."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from pcm.errors import PcmError


def accumulator_dtype(device: torch.device) -> torch.dtype:
    """What sums over a data set are held in: float64 where the device has it."""
    return torch.float32 if device.type == "mps" else torch.float64


class RunningMeans:
    """Weighted means of named scalars since the last reset; sums stay on the device."""

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._sums: Tensor | None = None
        self._weight = 0

    def __bool__(self) -> bool:
        return self._weight > 0

    def add(self, values: Mapping[str, Tensor], weight: int) -> None:
        """Add scalars of one batch of `weight` items; no host synchronisation.

        Raises:
            PcmError: the names are not those of the batch before.
        """
        stacked = torch.stack(tuple(values.values()))
        if self._sums is None:
            self._names = tuple(values)
            dtype = accumulator_dtype(stacked.device)
            self._sums = torch.zeros(len(values), dtype=dtype, device=stacked.device)
        elif self._names != tuple(values):
            raise PcmError(
                f"the losses changed from ({', '.join(self._names)}) to ({', '.join(values)})",
                hint="let every link give the same losses for every batch",
            )
        self._sums.add_(stacked, alpha=weight)
        self._weight += weight

    def absorb(self, other: "RunningMeans") -> None:
        """Add what `other` has seen."""
        if other._sums is None:
            return
        self._names = other._names
        self._sums = other._sums.clone() if self._sums is None else self._sums + other._sums
        self._weight += other._weight

    def means(self, reduce_sum: Callable[[Tensor], Tensor]) -> dict[str, float]:
        """The means by name, over all ranks; waits for the device.

        Args:
            reduce_sum: sums a tensor over the ranks.
        """
        assert self._sums is not None, "there is nothing to average yet"
        weight = torch.full_like(self._sums[:1], self._weight)
        *sums, total = reduce_sum(torch.cat((self._sums, weight))).tolist()
        return {name: value / total for name, value in zip(self._names, sums, strict=True)}

    def state_dict(self) -> dict[str, Any]:
        """Everything, on the host."""
        sums = None if self._sums is None else self._sums.tolist()
        return {"names": list(self._names), "sums": sums, "weight": self._weight}

    def load_state_dict(self, state: Mapping[str, Any], device: torch.device) -> None:
        """Take up where `state` was, exactly."""
        self._names = tuple(state["names"])
        self._weight = state["weight"]
        dtype = accumulator_dtype(device)
        sums = state["sums"]
        self._sums = None if sums is None else torch.tensor(sums, dtype=dtype, device=device)
