"""What is particular to one cluster, from a file in `config/sites/`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from launch.site.allocation import contradictions
from launch.site.effect import effective
from launch.site.resources import Resources, parse_resources, resources_of_options
from pcm.errors import ConfigError, Fault

if TYPE_CHECKING:
    from pcm.config.document import Document

DECIDES_RESULTS = ("nodes", "gpus_per_node", "tasks_per_node")
"""A site can't choose these: the number of ranks is part of what an experiment is."""


class GpuFlag(StrEnum):
    """How the site's Slurm is asked for GPUs."""

    GRES = "gres"
    """`--gres=gpu:4`, or `--gres=gpu:a100:4` with a type."""
    GPUS_PER_NODE = "gpus-per-node"
    """`--gpus-per-node=4`, or `--gpus-per-node=a100:4` with a type."""


class Memory(StrEnum):
    """How the site's Slurm is asked for memory; it takes one of these options, never two."""

    PER_NODE = "per-node"
    """`--mem`, which some centres forbid."""
    PER_CPU = "per-cpu"
    """`--mem-per-cpu`: the node's share of each core."""
    PER_GPU = "per-gpu"
    """`--mem-per-gpu`; by the node for experiments without GPU."""
    NONE = "none"
    """Not at all: where nodes are handed out whole, or memory comes with the cores."""


class Mount(StrEnum):
    """How Apptainer makes an image's files visible on a node."""

    AUTO = "auto"
    """By the kernel or FUSE, or unpacked where Slurm signals every process of a job."""
    FUSE = "fuse"
    UNSQUASH = "unsquash"
    """Unpacked at each start; a signal to the job can't take the files away."""
    SANDBOX = "sandbox"
    """The image is a folder."""


@dataclass(frozen=True, slots=True)
class Site:
    """One cluster.

    Attributes:
        defaults: resources for experiments that don't say.
        gpu_flag: how Slurm is asked for GPUs.
        memory: how Slurm is asked for memory.
        modules: loaded before anything runs.
        setup: shell lines run after that.
        binds: folders visible inside the image, as `host` or `host:inside[:ro]`.
        container: what a grid's `container:` leaves open.
        image_folder: where images are looked up by their file name.
        mount: how images are mounted.
        max_array_size: the largest array Slurm accepts; None asks Slurm.
        accounting: whether `sacct` works; None finds out.
        sbatch: further options of sbatch, by long name, as they are written.
        weakest: what `sbatch` asks for, which everybody else's words win over.
    """

    name: str = "default"
    defaults: Resources = field(default_factory=Resources)
    gpu_flag: GpuFlag = GpuFlag.GRES
    memory: Memory = Memory.PER_NODE
    modules: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()
    binds: tuple[str, ...] = ()
    container: Mapping[str, Any] = field(default_factory=dict)
    image_folder: Path | None = None
    mount: Mount = Mount.AUTO
    max_array_size: int | None = None
    accounting: bool | None = None
    sbatch: Mapping[str, str | int | bool] = field(default_factory=dict)
    weakest: Resources = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weakest", resources_of_options(self.sbatch)[0])

    def asked(self, resources: Resources) -> Resources:
        """What is asked of Slurm for an experiment that asks for `resources`.

        Raises:
            ConfigError: the site can't be asked for it.
        """
        asked = effective(resources.over(self.defaults).over(self.weakest))
        if faults := list(contradictions(asked)):
            raise ConfigError(faults)
        if self.memory is Memory.NONE:
            return replace(asked, mem=None, mem_per_gpu=None)
        if asked.mem_per_node == 0 and self.memory is not Memory.PER_NODE:
            raise ConfigError([_all_memory(self)])
        return asked


def load_site(path: Path) -> Site:
    """The site that a file describes.

    Raises:
        ConfigError: with everything that is wrong with the file.
    """
    # Few commands read a site, and all of them import resources.
    from pcm.config.document import load_document
    from pcm.config.override import without
    from pcm.config.structure import Inspector, find_faults
    from pcm.config.structures.site import SITE

    document = load_document(path)
    wrong = find_faults(document.data, SITE, file=document.name, lines=document.lines)
    if wrong and not isinstance(document.data, dict):
        raise ConfigError(wrong)
    places = (finding.keys for finding in Inspector().inspect(document.data, SITE))
    sound = without(document.data, places, by_entry=("defaults", "sbatch"))
    entries = {key: value for key, value in sound.items() if value is not None}
    defaults, problems = parse_resources(entries.pop("defaults", {}))
    asked = [name for name in DECIDES_RESULTS if name in defaults.given()]
    faults = [
        *map(_as_version, wrong),
        *_located(problems, document),
        *(_decides_results(name, document) for name in asked),
        *_option_faults(entries, defaults, document),
    ]
    if faults:
        raise ConfigError(sorted(faults, key=lambda fault: fault.line or 0))
    return site_of_entries(entries, defaults, path.stem)


def site_of_entries(entries: Mapping[str, Any], defaults: Resources, name: str) -> Site:
    """A site from what its file says, which must be sound."""
    convert: Mapping[str, Any] = {
        "gpu_flag": GpuFlag,
        "memory": Memory,
        "mount": Mount,
        "modules": tuple,
        "setup": tuple,
        "binds": tuple,
        "image_folder": lambda folder: Path(folder).expanduser(),
    }
    given = {key: convert.get(key, _as_it_is)(value) for key, value in entries.items()}
    return replace(Site(name=name, defaults=defaults), **given)


def _as_it_is(value: Any) -> Any:
    return value


def _located(faults: list[Fault], document: "Document") -> Iterator[Fault]:
    for fault in faults:
        line = document.lines.get(("defaults", str(fault.key)))
        yield replace(fault, file=document.name, line=line, key=f"defaults.{fault.key}")


def _decides_results(name: str, document: "Document") -> Fault:
    return Fault(
        "a site can't decide the number of ranks, which changes results",
        file=document.name,
        line=document.lines.get(("defaults", name)),
        key=f"defaults.{name}",
        hint=f"say `resources: {{{name}: ...}}` in the grid file",
    )


def _option_faults(
    entries: Mapping[str, Any], defaults: Resources, document: "Document"
) -> Iterator[Fault]:
    """What is wrong with `sbatch`, on its own and beside the rest of the file."""
    resources, faults = resources_of_options(entries.get("sbatch", {}))
    for fault in faults:
        line = document.lines.get(("sbatch", str(fault.key)))
        yield replace(fault, file=document.name, line=line, key=f"sbatch.{fault.key}")
    for name in resources.given().keys() & defaults.given().keys() - {"sbatch"}:
        line = document.lines.get(("defaults", name))
        problem = "the same is said under `sbatch`, too"
        yield Fault(problem, file=document.name, line=line, key=f"defaults.{name}")
    if entries.get("memory") == Memory.NONE:
        for name in sorted({"mem", "mem_per_gpu"} & defaults.over(resources).given().keys()):
            problem = f"`{name}` has no effect beside `memory: none`"
            line = document.lines.get(("memory",))
            yield Fault(problem, file=document.name, line=line, key="memory")


def _as_version(fault: Fault) -> Fault:
    """A module's version that YAML took for a number may have lost its last digit by now."""
    if str(fault.key).startswith("modules.") and "(a number)" in str(fault.found):
        hint = 'put it in quotes: without them 3.10 is the number 3.1; e.g. "python/3.10"'
        return replace(fault, hint=hint)
    return fault


def _all_memory(site: Site) -> Fault:
    return Fault(
        f"the site '{site.name}' is asked for memory {site.memory}, so not for all of a node's",
        key="mem",
        found="0",
        expected="an amount, e.g. 32G",
        hint="`exclusive: true` has a node to oneself",
    )
