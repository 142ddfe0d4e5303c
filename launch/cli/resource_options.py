"""What an experiment asks of a machine, as options: written once for all commands."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

OPTIONS: dict[str, Any] = {
    "partition": Annotated[str | None, typer.Option(help="Slurm partition.", metavar="NAME")],
    "nodes": Annotated[
        int | None, typer.Option(help="Machines of one experiment.", min=1, metavar="N")
    ],
    "gpus_per_node": Annotated[
        int | None, typer.Option(help="GPUs on each machine; one rank a GPU.", min=0, metavar="N")
    ],
    "tasks_per_node": Annotated[
        int | None,
        typer.Option(help="Ranks on each machine where there are no GPUs.", min=1, metavar="N"),
    ],
    "time": Annotated[
        str | None,
        typer.Option(help="Limit of one attempt: 12:00:00, 1-00:00:00 or minutes.", metavar="TIME"),
    ],
    "max_parallel": Annotated[
        int | None, typer.Option(help="Experiments that may run at once.", min=1, metavar="N")
    ],
}
"""By the name of the entry of `resources:` that an option wins over."""

Command = Callable[..., None]


def with_resources(*names: str) -> Callable[[Command], Command]:
    """Give a command an option for each name, in the place of its parameter `resources`.

    The command gets them as one mapping, where None leaves an entry to the files.
    """

    def decorate(command: Command) -> Command:
        @wraps(command)
        def run(*args: Any, **kwargs: Any) -> None:
            resources = {name: kwargs.pop(name) for name in names}
            command(*args, resources=resources, **kwargs)

        signature = inspect.signature(command, eval_str=True)
        parameters: list[inspect.Parameter] = []
        for parameter in signature.parameters.values():
            parameters += _options(names) if parameter.name == "resources" else [parameter]
        # Typer reads both; without `__wrapped__` it takes them from here.
        run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        del run.__wrapped__
        return run

    return decorate


def _options(names: tuple[str, ...]) -> list[inspect.Parameter]:
    kind = inspect.Parameter.KEYWORD_ONLY
    return [inspect.Parameter(name, kind, default=None, annotation=OPTIONS[name]) for name in names]
