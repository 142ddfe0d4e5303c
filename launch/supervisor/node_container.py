"""Training inside an image: its command, and what its node must have."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from launch.container import (
    Container,
    apptainer_environment,
    container_of,
    exec_command,
    training_command,
)
from launch.container.checks import require_apptainer, require_binds, require_pcm_inside
from launch.container.command import PYTHON, deaf
from launch.container.digest import require_same_image
from launch.container.settings import Bind, with_code, with_run_dir, with_script
from launch.machine.own_cache import own_cache_folder
from launch.machine.signals import SCHEDULER
from launch.site import Mount
from launch.slurm.controller import signals_everything
from launch.store import LaunchDir, RunsRoot
from launch.supervisor.job import Job
from pcm.errors import RefusedError
from pcm.run_dir import RunDir
from pcm.run_dir.records import ScriptRecord
from pcm.run_dir.typed_json import read

NVIDIA = (Path("/dev/nvidiactl"), Path("/proc/driver/nvidia/version"))
"""One of them is there where NVIDIA's driver is; the device may come with its first use."""

_NURSERY = f"""
trap "" {" ".join(each.name.removeprefix("SIG") for each in SCHEDULER)}
{{ "$@" & read -r _; kill -s KILL $!; wait; }} | cat
"""
"""The pipe is open in all keepers: an image that is taken away would end what still trains."""


def node_container(launch: LaunchDir, run_dir: RunDir, job: Job) -> Container | None:
    """The container of a launch with what is known on the node only; None without an image.

    Raises:
        RefusedError: the image is not what it was at the launch, or can't train.
    """
    container = container_of(launch.record.get("container"))
    if container is None:
        return None
    if job.rank == 0:
        _require_good_image(launch, container)
    container = _with_places(container, launch, run_dir.path)
    script = read(ScriptRecord, run_dir.script)
    return with_script(container, script) if isinstance(script, ScriptRecord) else container


def nursery_container(launch: LaunchDir) -> Container | None:
    """The container that can train all experiments of a launch; None without an image.

    Raises:
        RefusedError: the image is not what it was at the launch, or can't train.
    """
    container = container_of(launch.record.get("container"))
    if container is None:
        return None
    _require_good_image(launch, container)
    if "SLURM_JOB_ID" in os.environ:
        container = _with_sure_mount(container)
    return _with_places(container, launch, RunsRoot(launch.root).experiments_folder)


def nursery_command(container: Container, folder: Path, arguments: Sequence[str]) -> list[str]:
    """Words of the program that forks inside; it lasts until it and all its trainings have ended.

    Its input ends with its launcher, and then it is killed, whatever it does at that moment.
    """
    words = ["/bin/sh", "-c", _NURSERY, "sh", PYTHON, "-m", "pcm.nursery", *arguments]
    return exec_command(container, words, folder=folder, nv=_has_driver())


def with_sure_mount(container: Container, job: Job) -> Container:
    """The container with its image unpacked where a signal would take its files away.

    Slurm may signal the process that serves them, and with it training would end. Asks Slurm,
    so rank 0 does it for all.
    """
    return _with_sure_mount(container) if job.executor == "slurm" else container


def _with_sure_mount(container: Container) -> Container:
    if container.mount is Mount.AUTO and signals_everything():
        return replace(container, mount=Mount.UNSQUASH)
    return container


def inside_command(container: Container, run_dir: RunDir, arguments: list[str]) -> list[str]:
    """Words of the training command on this node."""
    words = deaf(training_command([PYTHON], arguments))
    return exec_command(container, words, folder=run_dir.path, nv=_has_driver())


def inside_environment(container: Container, variables: Mapping[str, str]) -> dict[str, str]:
    """Variables of a rank's `apptainer` process."""
    asked = dict(container.environment or {})
    if container.scratch is None:
        cache = own_cache_folder()
    else:
        cache = f"{container.scratch}/cache"
        asked |= {"TMPDIR": container.scratch, "XDG_CACHE_HOME": cache}
    if cache is not None:
        # Without a home folder it lists all fonts anew at each start, and complains in the log.
        asked.setdefault("MPLCONFIGDIR", f"{cache}/matplotlib")
    return apptainer_environment(variables, asked)


def require_on_node(container: Container) -> None:
    """Make sure that the node has what the container needs.

    Raises:
        RefusedError: Apptainer or a folder is missing.
    """
    require_apptainer()
    if container.scratch is not None:
        Path(container.scratch).mkdir(parents=True, exist_ok=True)
    require_binds(container)


def _has_driver() -> bool:
    return any(path.exists() for path in NVIDIA)


def _with_places(container: Container, launch: LaunchDir, folder: Path) -> Container:
    """The container with what training needs to see besides its image."""
    start = launch.record.get("starts_from")
    checkpoint = None if start is None else Path(start["checkpoint"])
    container = with_run_dir(container, folder, checkpoint)
    if launch.ships_code:
        container = with_code(container, launch.snapshot)
    return _with_scratch(container)


def _require_good_image(launch: LaunchDir, container: Container) -> None:
    require_same_image(container)
    if not container.checked:
        require_apptainer()
        require_pcm_inside(container, launch.snapshot if launch.ships_code else None)


def _with_scratch(container: Container) -> Container:
    if container.scratch is None:
        return container
    folder = os.path.expandvars(container.scratch)
    if "$" in folder or not folder.startswith("/"):
        raise RefusedError(
            f"scratch folder {container.scratch!r} is no absolute path on this node: {folder}",
            hint="correct `scratch` of `container:` in the grid or site file",
        )
    return replace(container, scratch=folder, binds=(*container.binds, Bind(folder, folder)))
