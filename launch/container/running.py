"""Modules of the training side, run by hand with what an experiment trains in."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from launch.container.command import PYTHON, exec_command
from launch.container.environment import apptainer_environment
from launch.container.python import training_python
from launch.container.settings import container_of, with_run_dir


def module_command(
    record: Mapping[str, Any] | None, run_dir: Path, module: str
) -> tuple[list[str], dict[str, str]]:
    """Words and variables that run `module` on a run directory.

    Args:
        record: the container of the experiment's launch; None without one.
    """
    words = ["-m", module, str(run_dir)]
    container = container_of(record)
    if container is None:
        return [*training_python(os.environ), *words], dict(os.environ)
    command = exec_command(with_run_dir(container, run_dir, None), [PYTHON, *words], folder=run_dir)
    return command, apptainer_environment(os.environ, container.environment or {})
