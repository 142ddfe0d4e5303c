"""What may not be meant so of a script: a program that is not here or starts ranks, a param."""

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from launch.grid.bases import is_there
from launch.grid.file import GridFile
from pcm.config.command_words import has_name, names_of, placeholders
from pcm.config.names import nearest_file
from pcm.config.structures.run_command import RUN

PYTHONS = ("python", "python3")
"""Found by whoever runs them: the Python that trains."""


_READERS = (*PYTHONS, "sh", "bash")
"""Programs whose first word, if it ends so, is the file that they run."""

STARTERS = ("torchrun", "accelerate", "deepspeed", "mpirun", "mpiexec", "srun")
"""Programs that start the ranks of a script."""

_AS_MODULES = ("torch.distributed.run", "torch.distributed.launch", "accelerate.commands.launch")


def remarks_on_scripts(
    grid: GridFile, scripts: Sequence[Mapping[str, Any]], ranks: int
) -> Iterator[str]:
    """What may not be meant so of a grid's scripts.

    Args:
        scripts: what points start from; none where models are trained.
        ranks: the most that a point has.
    """
    yield from filter(None, (starter_in_each_rank(script, ranks) for script in scripts))
    if grid.entry("container", None) is None:
        yield from filter(None, map(missing_program, scripts))
    if scripts:
        yield from misspelt_params(grid.document.data[RUN], [*grid.fixed, *grid.origins])


def missing_program(run: Mapping[str, Any]) -> str | None:
    """What to tell of a command whose program, or the file that it is to run, is not here.

    It may be on the nodes alone.
    """
    program, *rest = map(str, run["command"])
    if " " in program and not rest and shutil.which(program) is None:
        words = ", ".join(map(_as_item, program.split()))
        return f"run.command: one word alone, which is no program; write [{words}]"
    if "{" in program:
        return None
    if program in PYTHONS or shutil.which(program) is not None:
        return _missing_file(rest[0]) if Path(program).name in _READERS and rest else None
    if is_there(Path(program)) and Path(program).is_file():
        by = f"write [{'python' if program.endswith('.py') else 'sh'}, {program}]"
        if "/" not in program:
            return f"run.command: no program {program!r} in your PATH; {by} for the file here"
        return f"run.command: {program!r} may not be executed; {by}, or chmod +x {program}"
    where = Path.cwd() if "/" in program else "your PATH"
    return f"run.command: no program {program!r} in {where}; it has to be where the script runs"


def _missing_file(name: str) -> str | None:
    """What to tell of a script that is not in this folder."""
    path = Path(name)
    if "{" in name or path.suffix not in (".py", ".sh") or is_there(path):
        return None
    there = [each.name for each in path.parent.glob(f"*{path.suffix}")]
    near = nearest_file(path.name, there)
    hint = f"did you mean '{path.parent / near}'?" if near else "it has to be where the script runs"
    return f"run.command: no file {name!r} in {Path.cwd()}; {hint}"


def _as_item(word: str) -> str:
    """A word as an item of YAML's lists."""
    return word if re.fullmatch(r"[\w./=+-]+", word) else f'"{word}"'


def starter_in_each_rank(run: Mapping[str, Any], ranks: int) -> str | None:
    """What to tell of a command that would start all ranks once more, in each of several."""
    words = [str(word) for word in run["command"]]
    starters = [Path(words[0]).name] if Path(words[0]).name in STARTERS else []
    starters += [word for word in words if word in _AS_MODULES]
    if not starters or ranks == 1:
        return None
    return (
        f"run.command: {starters[0]} starts ranks of its own, in each of the {ranks} that pcm "
        "starts; take it out: each has torchrun's variables"
    )


def misspelt_params(run: Mapping[str, Any], paths: Iterable[str]) -> Iterator[str]:
    """What to tell of params that are set, that neither file nor command names, but nearly do.

    Args:
        run: as the grid file has it.
        paths: what overrides and axes set.
    """
    from difflib import get_close_matches

    params = run.get("params") or {}
    words = map(str, run["command"])
    known = {*names_of(params), *(name for word in words for name in placeholders(word))}
    prefix = f"{RUN}.params."
    for path in sorted(set(paths)):
        name = path.removeprefix(prefix)
        if path == name or name in known or has_name(params, name):
            continue
        # Nearer than for a hint: a name of the script's own is no mistake.
        if near := get_close_matches(name, known, n=1, cutoff=0.75):
            yield f"{path}: no such param in `params` or the command; did you mean '{near[0]}'?"
