"""Points and what exists already -> what a launch would do. Pure; printing is elsewhere."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from launch.site import Resources, allocation_of, pack_of
from launch.status.state import State


class Action(StrEnum):
    """What a launch does with one point."""

    START = "start"
    RESUME = "resume"
    SKIP = "skip"


class Plannable(Protocol):
    """What a plan needs to know of a point."""

    @property
    def id(self) -> str:
        """By which its state is known, whoever launched it."""

    @property
    def name(self) -> str:
        """For people; not unique."""

    @property
    def resources(self) -> Resources:
        """What it asks for."""


@dataclass(frozen=True, slots=True)
class PlanItem:
    """What happens to one point, and why."""

    id: str
    name: str
    state: State
    action: Action
    reason: str
    resources: Resources

    @property
    def gpu_hours(self) -> float | None:
        """GPUs times the time limit; None if there is no limit. 0 for what is skipped."""
        return self._hours(self.resources.gpus)

    @property
    def cpu_hours(self) -> float | None:
        """Cores times the time limit, for ranks without GPU; None if there is no limit."""
        if self.resources.gpus:
            return 0.0
        return self._hours(self.resources.world_size * (self.resources.cpus_per_rank or 1))

    def _hours(self, units: int) -> float | None:
        if self.action is Action.SKIP or units == 0:
            return 0.0
        # 0 minutes are no limit.
        return units * self.resources.time / 60 if self.resources.time else None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a launch would do, in the grid's order."""

    items: tuple[PlanItem, ...]

    @property
    def work(self) -> tuple[PlanItem, ...]:
        """The items that are started or resumed."""
        return tuple(item for item in self.items if item.action is not Action.SKIP)

    @property
    def totals(self) -> dict[Action, int]:
        """How many points there are for each action."""
        count = Counter(item.action for item in self.items)
        return {action: count[action] for action in Action}

    @property
    def gpu_hours(self) -> float | None:
        """At most these, if every job runs to its limit once; None where one has no limit."""
        return _sum(job.gpu_hours for job in self._jobs())

    @property
    def cpu_hours(self) -> float | None:
        """As `gpu_hours`, for the cores of experiments without GPU."""
        return _sum(job.cpu_hours for job in self._jobs())

    @property
    def jobs(self) -> int:
        """Tasks of arrays that the work needs: one an experiment, fewer where it is packed."""
        return sum(1 for _ in self._jobs())

    def _jobs(self) -> Iterator[PlanItem]:
        """One item a job, with all that the job asks for."""
        packed: Counter[PlanItem] = Counter()
        for item in self.work:
            pack, asked = pack_of(item.resources), allocation_of(item.resources)
            if pack is None:
                yield item
                continue
            alike = PlanItem("", "", State.NEW, Action.START, "", asked)
            packed[alike] += 1
            if (packed[alike] - 1) % pack.per_job == 0:
                yield alike


def make_plan(points: Iterable[Plannable], states: Mapping[str, State]) -> Plan:
    """Decide what a launch does with each point.

    Args:
        points: of the grid, in its order.
        states: by experiment id; what is not in it is new.
    """
    return Plan(tuple(_item(point, states.get(point.id, State.NEW)) for point in points))


def _item(point: Plannable, state: State) -> PlanItem:
    action, reason = _DECISIONS[state]
    return PlanItem(point.id, point.name, state, action, reason, point.resources)


_DECISIONS: dict[State, tuple[Action, str]] = {
    State.NEW: (Action.START, "new"),
    State.PENDING: (Action.SKIP, "waits for its turn"),
    State.RUNNING: (Action.SKIP, "runs"),
    State.STOPPING: (Action.SKIP, "is stopping"),
    State.STOPPED: (Action.RESUME, "stopped, with a checkpoint"),
    State.REQUEUED: (Action.SKIP, "was interrupted and waits for its next attempt"),
    State.DONE: (Action.SKIP, "done"),
    State.FAILED: (Action.RESUME, "failed"),
    State.CANCELLED: (Action.SKIP, "was cancelled; `pcm resume` brings it back"),
    State.LOST: (Action.RESUME, "its processes are gone"),
}
assert set(_DECISIONS) == set(State)


def _sum(hours: Iterable[float | None]) -> float | None:
    known = list(hours)
    return None if None in known else sum(hour for hour in known if hour is not None)
