"""What was asked of a machine and what was used of it, as a table, and what to ask next time."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from launch.report.table import Column, Table, table
from launch.results.advice import Advice, Taken
from launch.site.units import UNLIMITED, format_memory
from launch.text import counted, duration, number


def efficiency_table(taken: Sequence[Taken]) -> Table:
    """A row an experiment: used, and of how much; without GPUs where none tells of itself."""
    has_gpus = any(each.asked.gpus or each.used.gpu_percent is not None for each in taken)
    titles = ["cores", "memory", "longest attempt", *(["GPUs", "GPU memory"] if has_gpus else [])]
    has_waits = any(each.used.data_percent is not None for each in taken)
    titles += ["waited for data"] if has_waits else []
    head = [Column("id"), Column("state")]
    head += [Column(title, number=True, fold=True) for title in titles]
    return table(head, [_row(each, has_gpus=has_gpus, has_waits=has_waits) for each in taken])


def _row(taken: Taken, *, has_gpus: bool, has_waits: bool) -> list[str]:
    asked, used = taken.asked, taken.used
    limit = None if asked.time in (None, UNLIMITED) else duration(60 * asked.time)
    cells = [
        taken.id,
        str(taken.state),
        _of(_cores(used.cores), number(taken.cores_asked)),
        _of(memory_text(used.memory_mb), _asked_memory(asked.mem_per_node)),
        _of(duration(used.longest_s), limit or ""),
    ]
    if has_gpus:
        percent = "?" if used.gpu_percent is None else f"{used.gpu_percent:.0f} %"
        cells += [_of(percent, number(asked.gpus or None)), memory_text(used.gpu_memory_mb)]
    if has_waits:
        cells.append(percent_text(used.data_percent))
    return cells


def percent_text(percent: float | None) -> str:
    """For people; "" for None."""
    return "" if percent is None else f"{percent:.0f} %"


def _of(used: str, asked: str) -> str:
    """`1.2 of 4`; what isn't known is `?`, what wasn't asked for is left out."""
    return f"{used or '?'} of {asked}" if asked else used or "?"


def _cores(cores: float | None) -> str:
    return "" if cores is None else f"{cores:.1f}"


def memory_text(megabytes: float | None) -> str:
    """Short, for people; "" for None."""
    if megabytes is None:
        return ""
    return f"{megabytes:.0f}M" if megabytes < 1000 else f"{megabytes / 1024:.1f}G"


def _asked_memory(megabytes: int | None) -> str:
    if megabytes is None:
        return ""
    return "all" if megabytes == 0 else format_memory(megabytes)


def advice_text(taken: Sequence[Taken], advices: Sequence[Advice]) -> str:
    """What to ask for next time, as lines of a grid file, and what isn't known."""
    lines = []
    for advice in advices:
        place = f" on {counted(advice.nodes, 'node')} x {counted(advice.ranks_per_node, 'rank')}"
        where = place if len(advices) > 1 else ""
        done = counted(advice.experiments, "experiment")
        lines += ["", f"next time, from {done} that ended well{where}:", "", f"  {advice.line}", ""]
        lines += [f"note: {remark}" for remark in advice.remarks]
    if not advices:
        lines += ["", "what to ask for next time isn't known until one with figures is done"]
    if unknown := sum(each.used.samples == 0 and each.used.longest_s is not None for each in taken):
        why = "too short, or trained by a version that did not look"
        lines.append(f"note: of {counted(unknown, 'experiment')} nothing is known: {why}")
    return "\n".join(lines).rstrip()


def efficiency_record(taken: Sequence[Taken], advices: Sequence[Advice]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "experiments": [
            {
                "id": each.id,
                "name": each.name,
                "state": str(each.state),
                "asked": {
                    "cores": each.cores_asked,
                    "memory_mb": each.asked.mem_per_node,
                    "minutes": each.asked.time,
                    "gpus": each.asked.gpus,
                },
                "used": asdict(each.used),
            }
            for each in taken
        ],
        "advice": [asdict(advice) | {"line": advice.line} for advice in advices],
    }
