"""How a rank of training is started: by an interpreter of the machine, or inside an image."""

from launch.container.command import exec_command
from launch.container.environment import apptainer_environment
from launch.container.python import (
    training_arguments,
    training_command,
    training_python,
    with_code_first,
)
from launch.container.settings import Container, container_of, wanted_container

__all__ = [
    "Container",
    "apptainer_environment",
    "container_of",
    "exec_command",
    "training_arguments",
    "training_command",
    "training_python",
    "wanted_container",
    "with_code_first",
]
