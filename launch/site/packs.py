"""Packs: allocations that each run many experiments, a few at a time. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from launch.site.values import count

PACK_FORMS = "{per_job: 20, per_gpu: 2, sets: 1}, of which per_job is needed"
"""For error messages."""

_DEFAULTS: Mapping[str, Any] = {"per_job": None, "per_gpu": 1, "sets": 1}


@dataclass(frozen=True, slots=True)
class Pack:
    """How experiments share allocations.

    Attributes:
        per_job: experiments that one allocation draws, if no other one leaves it more.
        per_gpu: experiments that share a set of GPUs, or of cores, at a time.
        sets: how often an allocation has what one experiment asks for.
        most: experiments that may run at once whatever there is room for; None for any number.
    """

    per_job: int
    per_gpu: int = 1
    sets: int = 1
    most: int | None = None

    @property
    def at_once(self) -> int:
        """Experiments that run at a time in one allocation."""
        limits = (self.sets * self.per_gpu, self.per_job, self.most)
        return min(limit for limit in limits if limit is not None)

    def tasks(self, experiments: int) -> int:
        """Allocations that so many experiments need."""
        return -(-experiments // self.per_job)


def parse_pack(value: Any) -> dict[str, int]:
    """The entry `pack` of resources, with nothing left open.

    Raises:
        ValueError: it isn't one, see `PACK_FORMS`.
    """
    if not isinstance(value, dict) or not value.keys() <= _DEFAULTS.keys():
        raise ValueError(value)
    given = {name: each for name, each in value.items() if each is not None}
    return {name: count(each) for name, each in {**_DEFAULTS, **given}.items()}
