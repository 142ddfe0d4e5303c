"""What is particular to one cluster, from a file in `config/sites/`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from launch.site.resources import Resources, parse_resources
from pcm.errors import ConfigError, Fault

if TYPE_CHECKING:
    from pcm.config.document import Document

DECIDES_RESULTS = ("nodes", "gpus_per_node", "tasks_per_node")
"""A site can't choose these: the number of ranks is part of what an experiment is."""


_FILES = "every job's output is where `pcm logs` looks for it"
_RANKS = "the number of ranks changes results: it is the grid's"
_AGAIN = "which jobs come back is decided by how they end; see `retries` and `retry`"
OURS = {
    "array": "which task is which experiment is written down; see `max_parallel`",
    "job-name": "jobs have the names of their sweeps",
    "dependency": "it keeps `max_parallel`",
    **dict.fromkeys(("output", "error", "open-mode"), _FILES),
    **dict.fromkeys(("nodes", "ntasks", "ntasks-per-node"), _RANKS),
    **dict.fromkeys(("requeue", "no-requeue"), _AGAIN),
    **dict.fromkeys(("wait", "wrap", "parsable", "test-only"), "`pcm launch` calls sbatch"),
}
"""Options of sbatch that a site can't have, since they are set for every job; and why."""


class GpuFlag(StrEnum):
    """How the site's Slurm is asked for GPUs."""

    GRES = "gres"
    """`--gres=gpu:4`, or `--gres=gpu:a100:4` with a type."""
    GPUS_PER_NODE = "gpus-per-node"
    """`--gpus-per-node=4`, or `--gpus-per-node=a100:4` with a type."""


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
        modules: loaded before anything runs.
        setup: shell lines run after that.
        binds: folders visible inside the image, as `host` or `host:inside[:ro]`.
        container: what a grid's `container:` leaves open.
        image_folder: where images are looked up by their file name.
        mount: how images are mounted.
        max_array_size: the largest array Slurm accepts; None asks Slurm.
        accounting: whether `sacct` works; None finds out.
        sbatch: further options of sbatch, by long name.
    """

    name: str = "default"
    defaults: Resources = field(default_factory=Resources)
    gpu_flag: GpuFlag = GpuFlag.GRES
    modules: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()
    binds: tuple[str, ...] = ()
    container: Mapping[str, Any] = field(default_factory=dict)
    image_folder: Path | None = None
    mount: Mount = Mount.AUTO
    max_array_size: int | None = None
    accounting: bool | None = None
    sbatch: Mapping[str, str | int] = field(default_factory=dict)


def load_site(path: Path) -> Site:
    """The site that a file describes.

    Raises:
        ConfigError: with everything that is wrong with the file.
    """
    # Few commands read a site, and all of them import resources.
    from pcm.config.document import load_document
    from pcm.config.structure import find_faults
    from pcm.config.structures.site import SITE

    document = load_document(path)
    faults = find_faults(document.data, SITE, file=document.name, lines=document.lines)
    if faults:
        raise ConfigError(faults)
    entries = {key: value for key, value in document.data.items() if value is not None}
    defaults, problems = parse_resources(entries.pop("defaults", {}))
    asked = [name for name in DECIDES_RESULTS if name in defaults.given()]
    faults = [
        *_located(problems, document),
        *(_decides_results(name, document) for name in asked),
        *_taken(entries.get("sbatch", {}), document),
    ]
    if faults:
        raise ConfigError(faults)
    return site_of_entries(entries, defaults, path.stem)


def site_of_entries(entries: Mapping[str, Any], defaults: Resources, name: str) -> Site:
    """A site from what its file says, which must be sound."""
    convert: Mapping[str, Any] = {
        "gpu_flag": GpuFlag,
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


def _taken(options: Mapping[str, Any], document: "Document") -> Iterator[Fault]:
    for name in options:
        reason = OURS.get(name.replace("_", "-").lower())
        if reason is not None:
            line = document.lines.get(("sbatch", name))
            problem = f"this option of sbatch is not a site's: {reason}"
            yield Fault(problem, file=document.name, line=line, key=f"sbatch.{name}")
