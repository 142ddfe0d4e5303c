"""What one experiment asks of a machine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from launch.site.packs import PACK_FORMS, parse_pack
from launch.site.retries import RETRY_FORMS, parse_retry
from launch.site.sbatch_options import RESOURCE_OF, Options, long_name, merged, parse_options
from launch.site.units import (
    MEMORY_FORMS,
    NODE_MEMORY_FORMS,
    TIME_FORMS,
    parse_memory,
    parse_node_memory,
    parse_time,
)
from launch.site.values import (
    EXCLUSIVE_FORMS,
    GPU_TYPE_FORMS,
    MAIL_FORMS,
    NAMES_FORMS,
    count,
    count_or_none_at_all,
    exclusive,
    gpu_type,
    mail_types,
    names,
    text,
)
from pcm.config.keys import index_in
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
        mem: megabytes for each node; 0 for all of them.
        time: limit of one attempt in minutes; 0 for none.
        nodelist, exclude: nodes that it must have, and that it must not.
        reservation, begin, exclusive, mail_type, mail_user: as sbatch has them.
        sbatch: further options of sbatch, by long name.
        max_parallel: experiments of the sweep that may run at once.
        max_gpus: GPUs that all of them together may have at once.
        pack: how experiments share allocations, see `launch.site.packs`; None for not at all.
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
    nodelist: str | None = None
    exclude: str | None = None
    reservation: str | None = None
    exclusive: bool | str | None = None
    begin: str | None = None
    mail_type: str | None = None
    mail_user: str | None = None
    sbatch: Options | None = field(default=None, hash=False)
    max_parallel: int | None = None
    max_gpus: int | None = None
    pack: Mapping[str, Any] | None = field(default=None, hash=False)
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
        return Resources(**combined(self.given(), weaker.given()))

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


def combined(stronger: Mapping[str, Any], weaker: Mapping[str, Any]) -> dict[str, Any]:
    """Entries of resources over others, one by one.

    What is said for every rank or node wins over what is left for each GPU: else `--mem 64G`
    would do nothing to a grid with `mem_per_gpu`.
    """
    left = dict(weaker)
    for whole, for_each_gpu in (("mem", "mem_per_gpu"), ("cpus_per_task", "cpus_per_gpu")):
        if stronger.get(whole) is not None and stronger.get(for_each_gpu) is None:
            left.pop(for_each_gpu, None)
    both = {**left, **stronger}
    if isinstance(stronger.get("sbatch"), dict) and isinstance(weaker.get("sbatch"), dict):
        both["sbatch"] = merged(stronger["sbatch"], weaker["sbatch"])
    return both


def parse_resources(entries: Mapping[str, Any]) -> tuple[Resources, list[Fault]]:
    """Resources from what a file or the command line says, and what is wrong with it.

    Each fault's `key` is the entry's own name.
    """
    given: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, value in entries.items():
        if name not in _PARSERS:
            faults.append(_unknown(name))
        elif name == "sbatch" and isinstance(value, dict):
            given[name], problems = parse_options(value)
            problems += _resource_words(given[name])
            faults += [replace(fault, key=f"{name}.{fault.key}") for fault in problems]
        elif value is not None:
            try:
                given[name] = _PARSERS[name](value)
            except ValueError:
                faults.append(_malformed(name, value))
    return Resources(**given), faults


def resources_of_options(options: Mapping[str, Any]) -> tuple[Resources, list[Fault]]:
    """Resources from options of sbatch, those among them that are entries of `resources:`.

    Each fault's `key` is the option as it is written.
    """
    given, faults = parse_options(options)
    written = {long_name(name): name for name in options}
    entries = {RESOURCE_OF[name]: value for name, value in given.items() if name in RESOURCE_OF}
    more = {name: value for name, value in given.items() if name not in RESOURCE_OF}
    resources, problems = parse_resources(entries)
    words = {RESOURCE_OF[name]: written[name] for name in given if name in RESOURCE_OF}
    faults += [replace(fault, key=words[str(fault.key)]) for fault in problems]
    return replace(resources, sbatch=more or None), faults


def _resource_words(options: Options) -> list[Fault]:
    """What has an entry of its own has no second one among the options."""
    twice = [name for name in options if name in RESOURCE_OF]
    faults = [
        Fault("resources have an entry for this", key=name, expected=f"`{RESOURCE_OF[name]}`")
        for name in twice
    ]
    if "mem-per-cpu" in options:
        hint = "a site file's `memory: per-cpu` has it asked for by the core"
        faults.append(Fault("memory is asked for with `mem`", key="mem-per-cpu", hint=hint))
    return faults


def _count_of(value: Any) -> int:
    """Ranks in the trainer's `devices` or `num_nodes`: 2, "2", [0, 1]; "auto" and -1 are one."""
    if isinstance(value, list):
        return max(1, len(value))
    if isinstance(value, str):
        value = index_in(value) or 1
    return max(1, value) if isinstance(value, int) else 1


def _mapping(value: Any) -> Any:
    raise ValueError(value)


_PARSERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("partition", "account", "qos", "constraint"), text),
    "nodes": count,
    "gpus_per_node": count_or_none_at_all,
    "gpu_type": gpu_type,
    **dict.fromkeys(("tasks_per_node", "cpus_per_gpu", "cpus_per_task"), count),
    "mem_per_gpu": parse_memory,
    "mem": parse_node_memory,
    "time": parse_time,
    **dict.fromkeys(("nodelist", "exclude"), names),
    "reservation": text,
    "exclusive": exclusive,
    "begin": text,
    "mail_type": mail_types,
    "mail_user": text,
    "sbatch": _mapping,
    "max_parallel": count,
    "max_gpus": count,
    "pack": parse_pack,
    "retries": count_or_none_at_all,
    "retry": parse_retry,
}
assert set(_PARSERS) == {field.name for field in fields(Resources)}

_EXPECTED: dict[Callable[[Any], Any], str] = {
    text: "a name",
    count: "a whole number from 1",
    count_or_none_at_all: "a whole number from 0",
    gpu_type: GPU_TYPE_FORMS,
    names: NAMES_FORMS,
    mail_types: MAIL_FORMS,
    exclusive: EXCLUSIVE_FORMS,
    parse_memory: MEMORY_FORMS,
    parse_node_memory: NODE_MEMORY_FORMS,
    parse_time: TIME_FORMS,
    parse_retry: RETRY_FORMS,
    parse_pack: PACK_FORMS,
    _mapping: "options of sbatch: {licenses: matlab}",
}


def _malformed(name: str, value: Any) -> Fault:
    return Fault("not understood", key=name, found=shown(value), expected=_EXPECTED[_PARSERS[name]])


def _unknown(name: str) -> Fault:
    expected = f"one of {', '.join(_PARSERS)}"
    hint = did_you_mean(name, _PARSERS)
    return Fault(f"unknown resource '{name}'", key=name, expected=expected, hint=hint)
