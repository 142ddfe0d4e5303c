"""What one experiment asks of a machine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from launch.site.retries import RETRY_FORMS, parse_retry
from launch.site.units import MEMORY_FORMS, TIME_FORMS, parse_memory, parse_time
from pcm.config.names import did_you_mean
from pcm.config.wording import shown
from pcm.errors import Fault


@dataclass(frozen=True, slots=True)
class Resources:
    """What one experiment asks for; None leaves it to the next in line.

    Attributes:
        partition, account, qos, constraint: Slurm's words.
        nodes: machines.
        gpus_per_node: GPUs on each of them, one rank a GPU; 0 asks for none.
        gpu_type: the site's name of a GPU model, e.g. `a100`.
        tasks_per_node: ranks on each node where no GPU is asked for.
        cpus_per_gpu, cpus_per_task: cores of a rank, with and without GPU.
        mem_per_gpu: megabytes for each GPU.
        mem: megabytes for each node.
        time: limit of one attempt in minutes.
        max_parallel: experiments of the sweep that may run at once.
        retries: how often an experiment comes back by itself after an error of its own.
        retry: what comes back after other ends, see `launch.site.retries`.
    """

    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    nodes: int | None = None
    gpus_per_node: int | None = None
    gpu_type: str | None = None
    tasks_per_node: int | None = None
    cpus_per_gpu: int | None = None
    cpus_per_task: int | None = None
    mem_per_gpu: int | None = None
    mem: int | None = None
    time: int | None = None
    max_parallel: int | None = None
    retries: int | None = None
    retry: Mapping[str, Any] | None = field(default=None, hash=False)

    @property
    def ranks_per_node(self) -> int:
        """Processes on each node: one a GPU, else `tasks_per_node`."""
        return self.gpus_per_node or self.tasks_per_node or 1

    @property
    def world_size(self) -> int:
        """Ranks on all nodes together: one a GPU, or `tasks_per_node` on each."""
        return (self.nodes or 1) * self.ranks_per_node

    @property
    def gpus(self) -> int:
        """GPUs on all nodes together; 0 without."""
        return (self.nodes or 1) * (self.gpus_per_node or 0)

    @property
    def cpus_per_rank(self) -> int | None:
        """Cores of one rank."""
        return (self.cpus_per_gpu if self.gpus_per_node else None) or self.cpus_per_task

    @property
    def mem_per_node(self) -> int | None:
        """Megabytes on each node; what is asked for each GPU counts before the node's own."""
        if self.mem_per_gpu is not None and self.gpus_per_node:
            return self.mem_per_gpu * self.gpus_per_node
        return self.mem

    def over(self, weaker: "Resources") -> "Resources":
        """These resources, with what they leave open taken from `weaker`."""
        return replace(weaker, **self.given())

    def given(self) -> dict[str, Any]:
        """The fields that are set, as plain data."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in values if value is not None}

    def with_ranks_of(self, trainer: Mapping[str, Any]) -> "Resources":
        """These resources, with nodes and ranks from a trainer config where they are open.

        `devices: 2` means two GPUs if the trainer's accelerator is one, else two ranks.
        """
        nodes = self.nodes or _count_of(trainer.get("num_nodes"))
        if self.gpus_per_node or self.tasks_per_node:
            return replace(self, nodes=nodes)
        ranks = _count_of(trainer.get("devices"))
        on_gpus = trainer.get("accelerator") in ("gpu", "cuda") and self.gpus_per_node is None
        if on_gpus:
            return replace(self, nodes=nodes, gpus_per_node=ranks)
        return replace(self, nodes=nodes, tasks_per_node=ranks)


def parse_resources(entries: Mapping[str, Any]) -> tuple[Resources, list[Fault]]:
    """Resources from what a file or the command line says, and what is wrong with it.

    Each fault's `key` is the entry's own name.
    """
    given: dict[str, Any] = {}
    faults = []
    for name, value in entries.items():
        if name not in _PARSERS:
            faults.append(_unknown(name))
        elif value is not None:
            try:
                given[name] = _PARSERS[name](value)
            except ValueError:
                faults.append(_malformed(name, value))
    return Resources(**given), faults


def _count_of(value: Any) -> int:
    """Ranks in the trainer's `devices` or `num_nodes`: 2, "2", [0, 1]; "auto" and -1 are one."""
    if isinstance(value, list):
        return max(1, len(value))
    if isinstance(value, str):
        value = int(value) if value.isdecimal() else 1
    return max(1, value) if isinstance(value, int) else 1


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError(value)
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(value)
    return value


def _count_or_none_at_all(value: Any) -> int:
    return 0 if value == 0 and value is not False else _count(value)


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "partition": _text,
    "account": _text,
    "qos": _text,
    "constraint": _text,
    "nodes": _count,
    "gpus_per_node": _count_or_none_at_all,
    "gpu_type": _text,
    "tasks_per_node": _count,
    "cpus_per_gpu": _count,
    "cpus_per_task": _count,
    "mem_per_gpu": parse_memory,
    "mem": parse_memory,
    "time": parse_time,
    "max_parallel": _count,
    "retries": _count_or_none_at_all,
    "retry": parse_retry,
}
assert set(_PARSERS) == {field.name for field in fields(Resources)}

_EXPECTED: dict[Callable[[Any], Any], str] = {
    _text: "a name",
    _count: "a whole number from 1",
    _count_or_none_at_all: "a whole number from 0",
    parse_memory: MEMORY_FORMS,
    parse_time: TIME_FORMS,
    parse_retry: RETRY_FORMS,
}


def _malformed(name: str, value: Any) -> Fault:
    return Fault("not understood", key=name, found=shown(value), expected=_EXPECTED[_PARSERS[name]])


def _unknown(name: str) -> Fault:
    expected = f"one of {', '.join(_PARSERS)}"
    hint = did_you_mean(name, _PARSERS)
    return Fault(f"unknown resource '{name}'", key=name, expected=expected, hint=hint)
