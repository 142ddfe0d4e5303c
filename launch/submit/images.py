"""The image that a grid runs in: found and looked at before anything is submitted."""

import os
import shutil
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from launch.classes import TRAINING_NEEDS, modules_named
from launch.container import Container, exec_command, training_command, training_python
from launch.container.checks import (
    found_container,
    missing_binds,
    missing_inherited_binds,
    require_apptainer,
    require_bindable,
    require_binds,
    require_modules_inside,
    require_pcm_inside,
)
from launch.container.command import APPTAINER, PYTHON, deaf
from launch.container.digest import short, with_digest
from launch.container.settings import with_run_dir
from launch.executor import Executor
from launch.grid import Grid
from launch.site import Site
from launch.telling import Tell
from pcm.config.structures.run_command import RUN
from pcm.errors import UsageError


def with_image(grid: Grid, executor: Executor, site: Site, root: Path, tell: Tell) -> Grid:
    """The grid with its image found, started once and known by its sha256.

    Args:
        root: the runs folder, which training sees under its own name.
        tell: called with which image it is, and what a person should know of it.

    Raises:
        ConfigError: `container:` asks for what can't be.
        RefusedError: the image is missing, doesn't start, lacks what training needs, or has too
            old a pcm; or a folder can't be shown inside.
        UsageError: the executor runs no images.
    """
    container = found_container(grid.container, site)
    if container is None:
        return replace(grid, image=None)
    if executor is Executor.DEBUG:
        raise UsageError(
            "--executor debug runs in this process, and so outside of any image",
            "leave the image out, or choose another executor",
        )
    require_bindable(root, grid.checkout)
    needed = () if RUN in grid.bases else TRAINING_NEEDS
    checked = _check(container, executor, grid.checkout, needed, tell)
    modules = modules_named(grid)
    # Without a bind the image doesn't start, and it may be there on the nodes alone.
    if checked and modules and not missing_binds(container):
        require_modules_inside(container, grid.checkout, modules)
    if container.nv is False and any(point.resources.gpus for point in grid.points):
        tell("note: `nv: false` keeps GPUs out of the image: training is on CPUs")
    container = with_digest(replace(container, checked=checked))
    tell(f"image {container.image}, sha256 {short(container.sha256)}")
    return replace(grid, image=container.record())


def training_commands(grid: Grid, site: Site) -> Callable[[Path, list[str]], list[str]]:
    """Run directory and arguments of training -> the words of a rank's command."""
    container = found_container(grid.container, site)
    if container is None:
        python = training_python(os.environ)
        return lambda _, arguments: training_command(python, arguments)

    def command_of(run_dir: Path, arguments: list[str]) -> list[str]:
        words = deaf(training_command([PYTHON], arguments))
        return exec_command(with_run_dir(container, run_dir, None), words, folder=run_dir)

    return command_of


def _check(
    container: Container,
    executor: Executor,
    checkout: Path | None,
    needed: Collection[str],
    tell: Tell,
) -> bool:
    """Whether the image was looked into: a login node may lack what that needs.

    Binds that it lacks may be on the compute nodes, which look again.
    """
    if executor is not Executor.SLURM:
        require_apptainer()
        require_binds(container)
    else:
        _note_missing(container, tell)
    if shutil.which(APPTAINER) is None:
        tell("note: no `apptainer` here, so nobody has looked into the image")
        return False
    require_pcm_inside(container, checkout, needed)
    return True


def _note_missing(container: Container, tell: Tell) -> None:
    if missing := missing_binds(container):
        tell(f"note: not on this machine, but bound: {', '.join(missing)}")
    for name, paths in missing_inherited_binds(os.environ).items():
        tell(f"note: not on this machine, but bound by {name}: {', '.join(paths)}")
