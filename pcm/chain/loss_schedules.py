"""How the coefficient of a loss moves from epoch to epoch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pcm.chain.choice import choose


class Schedule(Protocol):
    """A way from one scale of a coefficient to another."""

    num_epochs: int

    def scale(self, epochs: int) -> float:
        """The scale after `epochs` of its `num_epochs` epochs."""
        ...


@dataclass(frozen=True, slots=True)
class LinearSchedule:
    """In equal differences."""

    start_coef_scale: float
    end_coef_scale: float
    num_epochs: int

    def scale(self, epochs: int) -> float:
        """The scale after `epochs` of its `num_epochs` epochs."""
        way = epochs / self.num_epochs
        return self.start_coef_scale + (self.end_coef_scale - self.start_coef_scale) * way


@dataclass(frozen=True, slots=True)
class ExponentialSchedule:
    """In equal ratios; both scales are of one sign and not zero."""

    start_coef_scale: float
    end_coef_scale: float
    num_epochs: int

    def scale(self, epochs: int) -> float:
        """The scale after `epochs` of its `num_epochs` epochs."""
        ratio = self.end_coef_scale / self.start_coef_scale
        return float(self.start_coef_scale * ratio ** (epochs / self.num_epochs))


SCHEDULES: dict[str, type[LinearSchedule] | type[ExponentialSchedule]] = {
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
