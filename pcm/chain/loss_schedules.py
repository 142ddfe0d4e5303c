"""How the coefficient of a loss moves from epoch to epoch."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pcm.chain.choice import choose


@dataclass(frozen=True, slots=True)
class Schedule(ABC):
    """A way from one scale of a coefficient to another."""

    start_coef_scale: float
    end_coef_scale: float
    num_epochs: int

    @abstractmethod
    def scale(self, epochs: int) -> float:
        """The scale after `epochs` of its `num_epochs` epochs."""


class LinearSchedule(Schedule):
    """From start to end in equal differences."""

    def scale(self, epochs: int) -> float:
        """The scale after `epochs` of its `num_epochs` epochs."""
        way = epochs / self.num_epochs
        return self.start_coef_scale + (self.end_coef_scale - self.start_coef_scale) * way


class ExponentialSchedule(Schedule):
    """In equal ratios; both scales are of one sign and not zero."""

    def scale(self, epochs: int) -> float:
        """The scale after `epochs` of its `num_epochs` epochs."""
        ratio = self.end_coef_scale / self.start_coef_scale
        return float(self.start_coef_scale * ratio ** (epochs / self.num_epochs))


SCHEDULES: dict[str, type[Schedule]] = {
    "linear": LinearSchedule,
    "exp": ExponentialSchedule,
}


def build_schedules(cfg: Sequence[Mapping[str, Any]]) -> tuple[Schedule, ...]:
    """The schedules of one loss, to run one after the other."""
    return tuple(
        choose(SCHEDULES, spec["name"], "loss coefficient scheduler")(**spec["kwargs"])
        for spec in cfg
    )


def scale_after(schedules: Sequence[Schedule], epochs: int) -> float:
    """The scale after `epochs` steps through `schedules`; beyond the last one, its end."""
    *earlier, last = schedules
    for schedule in earlier:
        if epochs < schedule.num_epochs:
            return schedule.scale(epochs)
        epochs -= schedule.num_epochs
    return last.scale(min(epochs, last.num_epochs))
