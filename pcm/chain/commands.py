"""Commands: which method of which link comes after which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from pcm.errors import ConfigError, Fault

FORWARD = "forward"
"""The command that trains and validates."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a command: call `method` of `link` with the batch and `kwargs`."""

    link: str
    method: str
    kwargs: Mapping[str, Any]


def build_commands(
    cfg: Sequence[Mapping[str, Any]], links: nn.ModuleDict
) -> dict[str, tuple[Step, ...]]:
    """The commands by name.

    Raises:
        ConfigError: a link of the user's own lacks a method; what else can be wrong with a
            command is found without the links themselves.
    """
    commands = {
        command["command_name"]: tuple(Step(**step) for step in command["processing_steps"])
        for command in cfg
    }
    faults = [
        Fault("the link has no such method", key=f"commands.{name}", found=_title(step))
        for name, steps in commands.items()
        for step in steps
        if not callable(getattr(links[step.link], step.method, None))
    ]
    if faults:
        raise ConfigError(faults)
    return commands


def describe(command_name: str, position: int, step: Step, names: Sequence[str]) -> str:
    """Where in a command something went wrong, and what the batch held then."""
    return (
        f"in command '{command_name}', step {position + 1}: {_title(step)}"
        f"({', '.join(f'{key}={value!r}' for key, value in step.kwargs.items())});"
        f" the batch has {', '.join(names)}"
    )


def _title(step: Step) -> str:
    return f"{step.link}.{step.method}"
