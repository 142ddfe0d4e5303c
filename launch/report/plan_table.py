"""A plan, as people read it before they agree to it."""

from collections.abc import Iterator, Sequence
from typing import Any

from launch.plan import Action, Plan, PlanItem
from launch.report.table import Column, Table, print_table, table
from launch.report.terminal import note, say
from launch.site import Resources, allocation_of, format_memory, format_time, pack_of
from launch.site.sbatch_options import PLAIN
from launch.text import counted, number

SHOWN = 20
"""Rows of a plan; the rest is counted."""

COLUMNS = (
    Column("id"),
    Column("experiment", fold=True),
    Column("action"),
    Column("because", fold=True),
)


def print_plan(
    plan: Plan, warnings: Sequence[str], *, everything: bool = False, err: bool = False
) -> None:
    """The plan for a person.

    Args:
        warnings: what the grid's author should know.
        err: print it on standard error.
    """
    for warning in warnings:
        note(f"note: {warning}")
    items = shown_items(plan, everything=everything)
    print_table(plan_table(items), err=err)
    say_to = note if err else say
    if len(items) < len(plan.items):
        say_to(f"{len(plan.items) - len(items):,} more; pcm plan --all shows them")
    say_to(plan_summary(plan))


def shown_items(plan: Plan, *, everything: bool = False) -> list[PlanItem]:
    """The items that a person sees, what is to be done first."""
    items = sorted(plan.items, key=lambda item: item.action is Action.SKIP)
    return items if everything else items[:SHOWN]


def plan_table(items: Sequence[PlanItem]) -> Table:
    """A row a point."""
    return table(COLUMNS, [(item.id, item.name, item.action, item.reason) for item in items])


def plan_summary(plan: Plan) -> str:
    """What would be done, and what it may cost at most."""
    totals = plan.totals
    parts = [
        f"{totals[action]:,} to {action}"
        for action in (Action.START, Action.RESUME)
        if totals[action]
    ]
    if totals[Action.SKIP]:
        parts.append(f"{totals[Action.SKIP]:,} to leave as they are")
    head = f"{counted(len(plan.items), 'experiment')}: {', '.join(parts) or 'nothing'}"
    return "\n".join([head, *requests(plan.work), *costs(plan)])


def requests(work: Sequence[PlanItem]) -> list[str]:
    """What each experiment asks for, one line a distinct request."""
    groups: dict[Resources, int] = {}
    for item in work:
        groups[item.resources] = groups.get(item.resources, 0) + 1
    if len(groups) == 1:
        return [f"{_packed(each, count)}each on {request(each)}" for each, count in groups.items()]
    return [f"{count:,} {_packed(each, count)}on {request(each)}" for each, count in groups.items()]


def _packed(resources: Resources, experiments: int) -> str:
    """How experiments share jobs; "" where each has its own."""
    pack = pack_of(resources)
    if pack is None:
        return ""
    jobs = counted(pack.tasks(experiments), "job")
    return f"in {jobs} of up to {pack.per_job}, {pack.at_once} at a time, "


def request(resources: Resources) -> str:
    """`1 node x 4 a100 GPUs, 8 cores a rank, 128G a node, partition gpu, up to 12:00:00`.

    Of a pack it is what one of its jobs has.
    """
    resources = allocation_of(resources)
    nodes = counted(resources.nodes or 1, "node")
    if resources.gpus_per_node:
        kind = f"{resources.gpu_type} GPU" if resources.gpu_type else "GPU"
        each = counted(resources.gpus_per_node, kind)
    else:
        each = counted(resources.ranks_per_node, "rank")
    return ", ".join([f"{nodes} x {each}", *_amounts(resources), *_words(resources)])


def _amounts(resources: Resources) -> Iterator[str]:
    if resources.cpus_per_rank is not None:
        yield f"{counted(resources.cpus_per_rank, 'core')} a rank"
    memory = resources.mem_per_node
    if memory is not None:
        yield f"{format_memory(memory)} a node" if memory else "all memory of a node"


_OTHERWISE = ("exclude", "mail_type", "mail_user")
"""Of what sbatch gets as it is: said in other words, or not at all."""


def _words(resources: Resources) -> Iterator[str]:
    for name in PLAIN:
        value = getattr(resources, name)
        if value is not None and name not in _OTHERWISE:
            yield f"{name} {value}"
    if resources.exclude is not None:
        yield f"without {resources.exclude}"
    if resources.exclusive:
        yield "exclusive"
    for name, value in (resources.sbatch or {}).items():
        yield f"--{name}" if value is True else f"--{name}={value}"
    if resources.time is not None:
        limit = f"up to {format_time(resources.time)} an attempt"
        yield limit if resources.time else "no time limit"


def costs(plan: Plan) -> list[str]:
    """The hours that the work asks for at most; nothing where no limit is set."""
    hours = [(plan.gpu_hours, "GPU-hours"), (plan.cpu_hours, "core-hours")]
    return [f"at most {number(amount)} {unit}" for amount, unit in hours if amount]


def plan_record(plan: Plan) -> dict[str, Any]:
    """The plan for programs."""
    return {
        "totals": {str(action): count for action, count in plan.totals.items()},
        "gpu_hours": plan.gpu_hours,
        "cpu_hours": plan.cpu_hours,
        "jobs": plan.jobs,
        "experiments": [
            {
                "id": item.id,
                "name": item.name,
                "state": item.state,
                "action": item.action,
                "reason": item.reason,
                "world_size": item.resources.world_size,
                "resources": item.resources.given(),
            }
            for item in plan.items
        ],
    }
