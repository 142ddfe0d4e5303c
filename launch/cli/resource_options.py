"""What an experiment asks of a machine, as options: written once for all commands."""

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Annotated, Any

import typer

from pcm.errors import UsageError


def _name(text: str, *spellings: str) -> Any:
    return Annotated[str | None, typer.Option(*spellings, help=text, metavar="NAME")]


def _count(text: str, *spellings: str, least: int = 1) -> Any:
    return Annotated[int | None, typer.Option(*spellings, help=text, min=least, metavar="N")]


def _words(text: str, metavar: str, *spellings: str) -> Any:
    return Annotated[str | None, typer.Option(*spellings, help=text, metavar=metavar)]


OPTIONS: dict[str, Any] = {
    "partition": _name("Slurm partition.", "--partition", "-p"),
    "account": _name("Slurm account.", "--account", "-A"),
    "qos": _name("Slurm's quality of service."),
    "constraint": _words("Features that nodes must have.", "FEATURES"),
    "reservation": _name("Slurm reservation."),
    "nodes": _count("Machines of one experiment.", "--nodes", "-N"),
    "gpus_per_node": _count("GPUs on each machine; one rank a GPU.", least=0),
    "gpu_type": _name("The site's name of a GPU model."),
    "tasks_per_node": _count("Ranks on each machine where there are no GPUs."),
    "cpus_per_gpu": _count("Cores of a rank with a GPU."),
    "cpus_per_task": _count("Cores of a rank."),
    "mem": _words("Memory of each machine, e.g. 64G; 0 for all of it.", "AMOUNT"),
    "mem_per_gpu": _words("Memory for each GPU.", "AMOUNT"),
    "time": _words(
        "Limit of one attempt: 12:00:00, 1-00:00:00, 90min, UNLIMITED or minutes.",
        *("TIME", "--time", "-t"),
    ),
    "nodelist": _words("Nodes that it must have.", "NODES"),
    "exclude": _words("Nodes that it must not have.", "NODES"),
    "exclusive": Annotated[
        bool | None, typer.Option("--exclusive", help="Share no node with other jobs.")
    ],
    "begin": _words("Not before: 16:00, now+1hour, 2027-01-20T12:34.", "TIME"),
    "mail_type": _words("When Slurm writes a mail: END,FAIL.", "TYPES"),
    "mail_user": _words("Whom it writes to.", "ADDRESS"),
    "max_parallel": _count("Experiments that may run at once."),
    "max_gpus": _count("GPUs that they may have at once, all together."),
    "sbatch": Annotated[
        list[str] | None,
        typer.Argument(
            help="Further options of sbatch, such as --licenses=x.",
            metavar="[-- OPTION...]",
            show_default=False,
        ),
    ],
}
"""By the name of the entry of `resources:` that an option wins over."""

Command = Callable[..., None]


def with_resources(*names: str) -> Callable[[Command], Command]:
    """Give a command an option for each name, in the place of its parameter `resources`.

    The command gets them as one mapping, where None leaves an entry to the files.

    Args:
        names: all of them without any.
    """
    asked = names or tuple(OPTIONS)

    def decorate(command: Command) -> Command:
        @wraps(command)
        def run(*args: Any, **kwargs: Any) -> None:
            resources = {name: kwargs.pop(name) for name in asked}
            words = resources.pop("sbatch", None)
            further = sbatch_words(words, resources) if words else {}
            command(*args, resources={**resources, **further}, **kwargs)

        signature = inspect.signature(command, eval_str=True)
        parameters: list[inspect.Parameter] = []
        for parameter in signature.parameters.values():
            parameters += _options(asked) if parameter.name == "resources" else [parameter]
        # Typer reads both; without `__wrapped__` it takes them from here.
        run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        del run.__wrapped__
        return run

    return decorate


def sbatch_words(words: Sequence[str], typed: dict[str, Any]) -> dict[str, Any]:
    """Entries of resources from what is typed after `--`.

    Args:
        typed: entries from our own options.

    Raises:
        UsageError: a word is no option, or one that nobody but pcm may use.
    """
    from launch.site.sbatch_options import RESOURCE_OF, parse_options, read_words

    options: dict[str, str | bool] = {}
    try:
        for word, name, value in read_words(words):
            _refuse_second(word, RESOURCE_OF.get(name), typed)
            options[name] = value
    except ValueError as error:
        hint = "further options of sbatch stand behind all others: -- --licenses=x"
        raise UsageError(f"not an option of sbatch: {error}", hint) from None
    given, faults = parse_options(options)
    if faults:
        details = [f"--{fault.key}: {fault.problem}" for fault in faults]
        raise UsageError("\n".join(details), faults[0].hint)
    entries = {
        RESOURCE_OF[name]: _number(name, value)
        for name, value in given.items()
        if name in RESOURCE_OF
    }
    more = {name: value for name, value in given.items() if name not in RESOURCE_OF}
    return entries | ({"sbatch": more} if more else {})


def _number(name: str, value: Any) -> Any:
    """What is typed is text, also where a file has a number."""
    return int(value) if name.startswith("cpus") and str(value).isdecimal() else value


def _refuse_second(word: str, entry: str | None, typed: dict[str, Any]) -> None:
    if entry is not None and typed.get(entry) is not None:
        raise UsageError(f"{word} is said before the `--`, too", "leave out one of them")


def _options(names: tuple[str, ...]) -> list[inspect.Parameter]:
    kind = inspect.Parameter.KEYWORD_ONLY
    return [inspect.Parameter(name, kind, default=None, annotation=OPTIONS[name]) for name in names]
