"""A script for sbatch with `#SBATCH --array`: each of its tasks is a point."""

import re
import shlex
from pathlib import Path
from typing import Any

from launch.grid.programs import STARTERS
from launch.importing.imported import Imported, script_grid
from launch.importing.sbatch_words import resources_of
from launch.site.sbatch_options import read_words

_RANGE = re.compile(r"(\d+)(?:-(\d+)(?::(\d+))?)?(?:%\d+)?")
"""Of an array: sbatch takes the `%` of how many may run at once behind any of them."""


_STARTING = rf"^\s*(?:exec\s+)?({'|'.join(STARTERS)})\b"


def is_sbatch(text: str) -> bool:
    """Whether a file is for sbatch."""
    return text.startswith("#!") and "\n#SBATCH" in text


def import_sbatch(path: Path, text: str) -> Imported:
    """The grid of a script, which is run as it is."""
    options = _options(text)
    left: list[str] = []
    array, name = options.pop("array", None), options.pop("job-name", path.stem)
    tasks, most = _tasks(str(array or "0"))
    known = {"ID": "{task}", "COUNT": len(tasks), "MIN": tasks[0], "MAX": tasks[-1]}
    variables = {f"SLURM_ARRAY_TASK_{key}": value for key, value in known.items()}
    used = set(re.findall(r"SLURM_\w+", text))
    first = next(iter(variables))
    given = [f"{key}={value}" for key, value in variables.items() if key in {first, *used}]
    shell = [word.replace("{", "{{").replace("}", "}}") for word in _shell(text)]
    script = _from_here(path, left).replace("{", "{{").replace("}", "}}")
    axes = {"task": tasks} if array else {}
    grid = script_grid(str(name), ["env", *given, *shell, script], {"task": tasks[0]}, axes)
    resources = resources_of(options, left)
    grid["resources"] = resources | ({"max_parallel": most} if most else {})
    if not array and used & variables.keys():
        left.append("--array: none in the script; write it as `grid: {run.params.task: ...}`")
    left += [
        f"{starter}: pcm starts the script once a rank, so take it out of the script"
        for starter in re.findall(_STARTING, text, re.MULTILINE)
    ]
    if _takes_arguments(text):
        left.append("$1: what was typed behind the script's name; write it into run.command")
    left += [f"${name}: a script sees nothing of Slurm" for name in sorted(used - variables.keys())]
    left.append("edits of the script: the same points again need `version: 2` in the grid file")
    return Imported("sbatch", {"": grid}, left=left)


def _takes_arguments(text: str) -> bool:
    """Whether a script reads its arguments; `$1` of awk, or in a function, is another's."""
    code = re.sub(r"'[^']*'|^\s*#.*$", "", text, flags=re.MULTILINE)
    return "()" not in code and re.search(r"\$\{?[1-9@]", code) is not None


def _shell(text: str) -> list[str]:
    """What runs the script, by its first line: sbatch itself goes by that."""
    first, *words = text.partition("\n")[0].removeprefix("#!").split() or ["bash"]
    if Path(first).name == "env" and words:
        first, *words = words
    return [Path(first).name, *words]


def _from_here(path: Path, left: list[str]) -> str:
    """The script as it is named where the launch is typed."""
    whole, here = path.resolve(), Path.cwd()
    if whole.is_relative_to(here):
        return str(whole.relative_to(here))
    left.append(f"its folder: launch from {whole.parent}")
    return path.name


def _options(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            break  # sbatch reads none behind the first command
        if re.match(r"#SBATCH\s", line):
            words = shlex.split(line.removeprefix("#SBATCH"), comments=True)
            found |= {name: value for _, name, value in read_words(words)}
    return found


def _tasks(text: str) -> tuple[list[int], int | None]:
    """The numbers of an array, `0-9:3%4,12`, and how many may run at once."""
    tasks: set[int] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        first, last, step = (0, 0, 0) if match is None else _bounds(match)
        if step < 1 or last < first:
            raise ValueError(f"--array={text}")
        tasks.update(range(first, last + 1, step))
    most = re.search(r"%(\d+)", text)
    return sorted(tasks), int(most[1]) if most else None


def _bounds(match: re.Match[str]) -> tuple[int, int, int]:
    first = int(match[1])
    return first, int(match[2] or first), int(match[3] or 1)
