"""Modules of the training side, run by hand with what an experiment trains in."""

import os
from collections.abc import Sequence
from pathlib import Path

from launch.container.command import PYTHON, exec_command
from launch.container.environment import apptainer_environment
from launch.container.python import training_python, with_code_first
from launch.container.settings import container_of, with_code, with_run_dir
from launch.store import LaunchDir
from launch.store.trust import require_trusted_launch


def module_command(
    launch: LaunchDir, run_dir: Path, module: str, options: Sequence[str]
) -> tuple[list[str], dict[str, str]]:
    """Words and variables that run `module` on a run directory.

    Args:
        launch: the experiment's, which says in which image and with which code.
        run_dir: or the folder of several.

    Raises:
        RefusedError: others could have changed what would run.
    """
    require_trusted_launch(launch)
    words = ["-m", module, *options, str(run_dir)]
    container = container_of(launch.record.get("container"))
    if container is None:
        variables = dict(os.environ)
        if launch.ships_code:
            variables = with_code_first(variables, launch.snapshot)
        return [*training_python(os.environ), *words], variables
    container = with_run_dir(container, run_dir, None)
    if launch.ships_code:
        container = with_code(container, launch.snapshot)
    command = exec_command(container, [PYTHON, *words], folder=run_dir)
    return command, apptainer_environment(os.environ, container.environment or {})
