import json

from launch.plan import Action, Plan, PlanItem
from launch.report.plan_table import SHOWN, costs, plan_record, plan_summary, request, shown_items
from launch.site import Resources
from launch.status.state import State

FOUR_GPUS = Resources(partition="gpu", nodes=2, gpus_per_node=4, time=720)
ONE_RANK = Resources(nodes=1, tasks_per_node=1)


def item(index: int, action: Action = Action.START, resources: Resources = ONE_RANK) -> PlanItem:
    state = State.DONE if action is Action.SKIP else State.NEW
    return PlanItem(f"{index:010x}", f"point-{index}", state, action, "because", resources)


def test_a_request_in_words() -> None:
    assert request(FOUR_GPUS) == "2 nodes x 4 GPUs, partition gpu, up to 12:00:00 an attempt"
    assert request(ONE_RANK) == "1 node x 1 rank"


def test_all_of_a_request_is_told() -> None:
    asked = Resources(
        gpus_per_node=1,
        gpu_type="a100",
        cpus_per_gpu=8,
        mem_per_gpu=32768,
        account="me",
        exclude="n1",
        exclusive=True,
        time=0,
        sbatch={"licenses": "a", "hold": True},
    )
    assert request(asked) == (
        "1 node x 1 a100 GPU, 8 cores a rank, 32G a node, account me, without n1, exclusive, "
        "--licenses=a, --hold, no time limit"
    )
    assert "all memory of a node" in request(Resources(mem=0))
    assert costs(Plan((item(0, resources=Resources(gpus_per_node=1, time=0)),))) == []


def test_a_summary_of_one_request() -> None:
    plan = Plan((item(0, resources=FOUR_GPUS), item(1, Action.SKIP)))
    assert plan_summary(plan).splitlines() == [
        "2 experiments: 1 to start, 1 to leave as they are",
        "each on 2 nodes x 4 GPUs, partition gpu, up to 12:00:00 an attempt",
        "at most 96 GPU-hours",
    ]


def test_a_summary_of_several_requests_counts_them() -> None:
    plan = Plan((item(0), item(1, Action.RESUME, FOUR_GPUS), item(2)))
    lines = plan_summary(plan).splitlines()
    assert lines[0] == "3 experiments: 2 to start, 1 to resume"
    assert lines[1] == "2 on 1 node x 1 rank"
    assert lines[2].startswith("1 on 2 nodes x 4 GPUs")


def test_hours_are_not_made_up_where_there_is_no_limit() -> None:
    assert costs(Plan((item(0),))) == []


def test_an_empty_plan() -> None:
    assert plan_summary(Plan(())) == "0 experiments: nothing"


def test_what_is_to_be_done_is_seen_first() -> None:
    plan = Plan((*(item(index, Action.SKIP) for index in range(50)), item(50)))
    assert shown_items(plan)[0].name == "point-50"
    assert len(shown_items(plan)) == SHOWN
    assert len(shown_items(plan, everything=True)) == 51


def test_the_record_is_plain_data() -> None:
    plan = Plan((item(0, resources=FOUR_GPUS), item(1, Action.SKIP)))
    record = json.loads(json.dumps(plan_record(plan)))
    assert record["totals"] == {"start": 1, "resume": 0, "skip": 1}
    assert record["gpu_hours"] == 96
    assert record["experiments"][0]["world_size"] == 8
    assert record["experiments"][0]["resources"]["partition"] == "gpu"


def test_packs_are_reckoned_by_their_jobs() -> None:
    pack = {"per_job": 20, "per_gpu": 2, "sets": 2}
    packed = Resources(gpus_per_node=1, time=60, pack=pack)
    plan = Plan(tuple(item(number, resources=packed) for number in range(41)))
    assert plan_summary(plan).splitlines() == [
        "41 experiments: 41 to start",
        "in 3 jobs of up to 20, 4 at a time, each on 1 node x 2 GPUs, up to 01:00:00 an attempt",
        "at most 6 GPU-hours",
    ]
    assert plan_record(plan)["jobs"] == 3
