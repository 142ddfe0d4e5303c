import json
from dataclasses import asdict, dataclass

import pytest

from launch.plan import Action, make_plan
from launch.site import Resources
from launch.status.state import State

NOTHING = Resources()


@dataclass(frozen=True)
class Wanted:
    id: str
    resources: Resources = NOTHING

    @property
    def name(self) -> str:
        return f"sweep-{self.id}"


@pytest.mark.parametrize(
    ("state", "action"),
    [
        (State.NEW, Action.START),
        (State.FAILED, Action.RESUME),
        (State.STOPPED, Action.RESUME),
        (State.LOST, Action.RESUME),
        (State.DONE, Action.SKIP),
        (State.RUNNING, Action.SKIP),
        (State.PENDING, Action.SKIP),
        (State.STOPPING, Action.SKIP),
        (State.REQUEUED, Action.SKIP),
        (State.CANCELLED, Action.SKIP),
    ],
)
def test_what_is_done_in_each_state(state: State, action: Action) -> None:
    (item,) = make_plan([Wanted("a")], {"a": state}).items
    assert (item.state, item.action) == (state, action)
    assert item.reason


def test_every_state_has_an_answer() -> None:
    points = [Wanted(state) for state in State]
    plan = make_plan(points, {state: state for state in State})
    assert [item.id for item in plan.items] == list(State)


def test_the_order_is_the_grids_and_unknown_points_are_new() -> None:
    points = [Wanted("c"), Wanted("a"), Wanted("b")]
    plan = make_plan(points, {"a": State.DONE, "z": State.FAILED})
    assert [item.id for item in plan.items] == ["c", "a", "b"]
    assert [item.id for item in plan.work] == ["c", "b"]
    assert plan.totals == {Action.START: 2, Action.RESUME: 0, Action.SKIP: 1}


def test_a_cancelled_point_says_how_it_comes_back() -> None:
    (item,) = make_plan([Wanted("a")], {"a": State.CANCELLED}).items
    assert "pcm resume" in item.reason


def test_gpu_hours_are_gpus_times_the_time_limit() -> None:
    resources = Resources(nodes=2, gpus_per_node=4, cpus_per_gpu=8, time=90)
    plan = make_plan([Wanted("a", resources), Wanted("b", resources)], {})
    assert plan.gpu_hours == 2 * 8 * 1.5
    assert plan.cpu_hours == 0


def test_without_gpus_cores_are_counted() -> None:
    resources = Resources(nodes=1, tasks_per_node=2, cpus_per_task=3, time=60)
    plan = make_plan([Wanted("a", resources)], {})
    assert plan.gpu_hours == 0
    assert plan.cpu_hours == 6


def test_what_is_skipped_costs_nothing() -> None:
    resources = Resources(gpus_per_node=4, time=60)
    assert make_plan([Wanted("a", resources)], {"a": State.DONE}).gpu_hours == 0


def test_without_a_limit_the_hours_are_unknown() -> None:
    points = [
        Wanted("a", Resources(gpus_per_node=1)),
        Wanted("b", Resources(gpus_per_node=1, time=60)),
    ]
    assert make_plan(points, {}).gpu_hours is None
    assert make_plan(points, {"a": State.DONE}).gpu_hours == 1


def test_no_points_are_no_work() -> None:
    plan = make_plan([], {})
    assert (plan.items, plan.work, plan.gpu_hours) == ((), (), 0)


def test_a_plan_is_plain_data() -> None:
    plan = make_plan([Wanted("a", Resources(time=60))], {})
    assert json.loads(json.dumps(asdict(plan)))["items"][0]["action"] == "start"
