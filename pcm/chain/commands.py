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
        ConfigError: a link or method doesn't exist, a command is there twice, or there is
            no `forward`.
    """
    commands: dict[str, tuple[Step, ...]] = {}
    faults: list[Fault] = []
    for command in cfg:
        name = command["command_name"]
        if name in commands:
            faults.append(Fault("two commands have one name", key="commands", found=name))
        commands[name] = tuple(Step(**spec) for spec in command["processing_steps"])
        faults += [
            Fault(
                "no such method of a link",
                key=f"commands.{name}",
                found=f"{step.link}.{step.method}",
            )
            for step in commands[name]
            if step.link not in links or not callable(getattr(links[step.link], step.method, None))
        ]
    if FORWARD not in commands:
        faults.append(Fault("there is no command 'forward'", key="commands"))
    if faults:
        raise ConfigError(faults)
    return commands


def describe(command_name: str, position: int, step: Step, names: Sequence[str]) -> str:
    """Where in a command something went wrong, and what the batch held then."""
    return (
        f"in command '{command_name}', step {position + 1}: {step.link}.{step.method}"
        f"({', '.join(f'{key}={value!r}' for key, value in step.kwargs.items())});"
        f" the batch has {', '.join(names)}"
    )
