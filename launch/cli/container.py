"""The image that a grid runs in: found and looked at before anything is submitted."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from launch.cli.submitting import site_of
from launch.executor import Executor
from pcm.errors import UsageError

if TYPE_CHECKING:
    from launch.container import Container
    from launch.grid import Grid


def with_image(
    grid: "Grid", executor: Executor, site: str | None, root: Path, *, err: bool
) -> "Grid":
    """The grid with its image found, started once and known by its sha256.

    Args:
        site: a site's name or file.
        root: the runs folder, which training sees under its own name.
        err: tell it on standard error.

    Raises:
        ConfigError: `container:` asks for what can't be.
        RefusedError: the image is missing, doesn't start, or has too old a pcm; or a folder
            can't be shown inside.
        UsageError: the executor runs no images.
    """
    container = _found(grid, site)
    if container is None:
        return replace(grid, container=None)
    if executor is Executor.DEBUG:
        raise UsageError(
            "--executor debug runs in this process, and so outside of any image",
            "leave the image out, or choose another executor",
        )
    from launch.container.checks import require_bindable
    from launch.container.digest import short, with_digest

    require_bindable(root, grid.checkout)
    checked = _check(container, executor, grid.checkout)
    if container.nv is False and any(point.resources.gpus for point in grid.points):
        typer.echo("note: `nv: false` keeps GPUs out of the image: training is on CPUs", err=True)
    container = with_digest(replace(container, checked=checked))
    typer.echo(f"image {container.image}, sha256 {short(container.sha256)}", err=err)
    return replace(grid, container=container.record())


def commands(grid: "Grid", site: str | None) -> Callable[[Path, list[str]], list[str]]:
    """Run directory and arguments of training -> the words of a rank's command."""
    import os

    from launch.container import exec_command, training_command, training_python
    from launch.container.command import PYTHON, deaf
    from launch.container.settings import with_run_dir

    container = _found(grid, site)
    if container is None:
        python = training_python(os.environ)
        return lambda _, arguments: training_command(python, arguments)

    def command_of(run_dir: Path, arguments: list[str]) -> list[str]:
        words = deaf(training_command([PYTHON], arguments))
        return exec_command(with_run_dir(container, run_dir, None), words, folder=run_dir)

    return command_of


def _found(grid: "Grid", site: str | None) -> "Container | None":
    from launch.container.checks import found_container

    return found_container(grid.container, site_of(site))


def _check(container: "Container", executor: Executor, checkout: Path | None) -> bool:
    """Whether the image was looked into: a login node may lack what that needs.

    Binds that it lacks may be on the compute nodes, which look again.
    """
    from launch.container.checks import (
        missing_binds,
        require_apptainer,
        require_binds,
        require_pcm_inside,
    )
    from launch.container.command import APPTAINER

    if executor is not Executor.SLURM:
        require_apptainer()
        require_binds(container)
    elif missing := missing_binds(container):
        typer.echo(f"note: not on this machine, but bound: {', '.join(missing)}", err=True)
    if shutil.which(APPTAINER) is None:
        typer.echo("note: no `apptainer` here, so nobody has looked into the image", err=True)
        return False
    require_pcm_inside(container, checkout)
    return True
