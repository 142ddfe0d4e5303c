"""Options of sbatch by their own names: which are free to be used, and which are ours. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pcm.config.wording import shown
from pcm.errors import Fault

Options = Mapping[str, str | int | bool]
"""Long options of sbatch; True for an option without a value."""

_FILES = "every job's output is where `pcm logs` looks for it"
_RANKS = "the number of ranks changes results: it is the grid's"
_GPUS = "GPUs are asked for with `gpus_per_node`, in the way that the site's `gpu_flag` says"
_AGAIN = "which jobs come back is decided by how they end; see `retries` and `retry`"
_CALL = "`pcm launch` calls sbatch"
OURS = {
    "array": "which task is which experiment is written down; see `max_parallel`",
    "job-name": "jobs have the names of their sweeps",
    "dependency": "it keeps `max_parallel`",
    **dict.fromkeys(("output", "error", "open-mode"), _FILES),
    **dict.fromkeys(("nodes", "ntasks", "ntasks-per-node", "ntasks-per-gpu"), _RANKS),
    **dict.fromkeys(("gpus", "gpus-per-node", "gpus-per-socket"), _GPUS),
    **dict.fromkeys(("requeue", "no-requeue"), _AGAIN),
    **dict.fromkeys(("wait", "wrap", "parsable", "test-only", "help", "usage", "version"), _CALL),
}
"""Options that nobody else can have, since they are set for every job; and why."""

PLAIN = (
    *("partition", "account", "qos", "constraint", "reservation", "nodelist", "exclude"),
    *("begin", "mail_type", "mail_user"),
)
"""Entries of `resources:` that sbatch gets as they are, under their own names."""

_COMPUTED = ("time", "exclusive", "mem", "mem_per_gpu", "cpus_per_task", "cpus_per_gpu")
RESOURCE_OF = {name.replace("_", "-"): name for name in (*PLAIN, *_COMPUTED)}
"""The entry of `resources:` that an option is, for those that are one."""

_SHORT = (
    "a=array A=account b=begin B=extra-node-info c=cpus-per-task C=constraint "
    "d=dependency D=chdir e=error F=nodefile G=gpus h=help H=hold i=input J=job-name "
    "k=no-kill L=licenses m=distribution M=clusters n=ntasks N=nodes o=output "
    "O=overcommit p=partition q=qos Q=quiet s=oversubscribe S=core-spec t=time u=usage "
    "v=verbose V=version w=nodelist W=wait x=exclude "
)
SHORT = dict(pair.split("=") for pair in _SHORT.split())
"""sbatch's short options, and the long ones that they stand for."""

NEED_GPUS = frozenset({"gpus-per-task", "gpu-bind", "gpu-freq"})
"""A site's, which are left out of requests without GPUs."""

_NAME = re.compile(r"[a-z][a-z0-9-]+")


def long_name(name: str) -> str:
    """An option as sbatch spells it, from `ntasks_per_node` as well."""
    return name.replace("_", "-").lower() if len(name) > 1 else name


def parse_options(entries: Mapping[str, Any]) -> tuple[dict[str, str | int | bool], list[Fault]]:
    """Options from what a file or the command line says, and what is wrong with them.

    `exclusive: ""` and `exclusive: true` are an option without a value, `false` and null none.
    Each fault's `key` is the option as it is written.
    """
    options: dict[str, str | int | bool] = {}
    faults: list[Fault] = []
    for name, value in entries.items():
        problems = list(_faults(str(name), value))
        faults += problems
        if not problems and value is not None and value is not False:
            options[long_name(name)] = True if value == "" else value
    return options, faults


def merged(stronger: Options, weaker: Options) -> dict[str, str | int | bool]:
    """Both together; generic resources of different names stand side by side."""
    options = {**weaker, **stronger}
    if "gres" in stronger and "gres" in weaker:
        options["gres"] = joined_gres(str(stronger["gres"]), str(weaker["gres"]))
    return options


def joined_gres(stronger: str, weaker: str) -> str:
    """`gpu:4` and `tmpfs:100G` -> `gpu:4,tmpfs:100G`; the stronger word on each of them."""
    named = {part.partition(":")[0] for part in stronger.split(",")}
    others = [part for part in weaker.split(",") if part.partition(":")[0] not in named]
    return ",".join([stronger, *others])


def read_words(words: Sequence[str]) -> Iterator[tuple[str, str, str | bool]]:
    """Options as they are typed: `--licenses=x`, `--licenses x`, `-L x`, `-Lx`, `--hold`.

    Yields:
        The word, the long name of its option, and its value: True for none.

    Raises:
        ValueError: with a word that is no option.
    """
    left = list(words)
    while left:
        word = left.pop(0)
        name, equals, value = word.partition("=")
        if word.startswith("--") and name[2:3].isalpha():
            long, given = name[2:], value if equals else None
        elif word.startswith("-") and word[1:2] in SHORT:
            long, given = SHORT[word[1]], word[2:] or None
        else:
            raise ValueError(word)
        if given is None and left and not left[0].startswith("-"):
            given = left.pop(0)
        yield word, long_name(long), True if given is None else given


def _faults(name: str, value: Any) -> Iterator[Fault]:
    bare = name.lstrip("-")
    if len(bare) == 1:
        known = f"write `{SHORT[bare]}`" if bare in SHORT else None
        yield Fault("a short option of sbatch", key=name, expected="its long name", hint=known)
    elif bare != name:
        yield Fault("an option with its dashes", key=name, hint=f"write `{bare}`")
    elif not _NAME.fullmatch(long_name(name)):
        yield Fault("not the name of an option of sbatch", key=name, expected="such as `licenses`")
    elif long_name(name) in OURS:
        yield Fault(f"this option of sbatch is ours: {OURS[long_name(name)]}", key=name)
    elif isinstance(value, str) and not value.isprintable():
        yield Fault("a value with a control character", key=name, found=shown(value))
    elif long_name(name) == "gres" and _asks_for_gpus(str(value)):
        yield Fault(f"this generic resource is ours: {_GPUS}", key=name, found=shown(value))


def _asks_for_gpus(gres: str) -> bool:
    return any(part.split(":")[0].strip() == "gpu" for part in gres.split(","))
